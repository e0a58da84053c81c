/** Property tests and oracles that any Quern kernel, library or backend can be held to. */
export * from './conform/index.ts';
export { boundsOf } from './bound/index.ts';
export type { Bounds } from './bound/index.ts';
export type { ArgHint, ArgSource, Case, SizeHint } from './cases/index.ts';
