/** What authors read when something is wrong: the catalogue of mistakes and the error that carries one. */
export * from './catalogue.ts';
export * from './error.ts';
