/** Libraries of generated kernels: where they are looked for, whether they are fresh, which code suits this CPU. */
export { findLibrary, type LibrarySearch, type LibrarySource, libraryVariable, loadLibrary } from './find.ts';
export { type KernelLibrary, type LibraryTier, type NativeKernel, openLibrary } from './library.ts';
