/** What authors read when something is wrong: the catalogue of mistakes, the error that carries one, and how it is shown. */
export * from './catalogue.ts';
export * from './error.ts';
export { renderReport } from './render.ts';
export type { Note, Report, SourceReader } from './render.ts';
