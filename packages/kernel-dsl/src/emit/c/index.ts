/** C for CPUs: vector extensions and named vector scalars, one function per kernel, readable on purpose; files of them, and whole libraries with a table of entries. The entry `@quern/kernel-dsl/c`: it needs a C compiler, which no web page has. */
export { emitKernelC, symbolOf } from './kernel.ts';
export type { EmittedKernel } from './kernel.ts';
export { assembleFileC, emitFileC } from './file.ts';
export type { FileOptions } from './file.ts';
export { emitLibraryIndexC } from './library-index.ts';
export type { LibraryEntry } from './library-index.ts';
export { libraryFiles } from './library.ts';
export type { LibraryFile, LibraryKernel } from './library.ts';
export { ABI } from './abi.ts';
export type { RenderedHelper } from './helpers/index.ts';
