/** C for CPUs: vector extensions and named vector scalars, one function per kernel, readable on purpose. */
export { emitKernelC, symbolOf } from './kernel.ts';
export type { EmittedKernel } from './kernel.ts';
export { assembleFileC, emitFileC } from './file.ts';
export type { FileOptions } from './file.ts';
export { emitLibraryIndexC } from './library-index.ts';
export type { LibraryEntry } from './library-index.ts';
export { ABI } from './abi.ts';
export type { RenderedHelper } from './helpers/index.ts';
