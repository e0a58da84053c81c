/** Text for machines: kernels printed as C, their metadata, and whole libraries of them. */
export * from './c/index.ts';
export * from './gpu/index.ts';
export { EmitError } from './error.ts';
export { kernelMeta, sizeCount } from './meta.ts';
export type { KernelMeta, ParamMeta } from './meta.ts';
export { libraryFiles } from './library.ts';
export type { LibraryFile, LibraryKernel } from './library.ts';
export { sha256 } from './sha256.ts';
