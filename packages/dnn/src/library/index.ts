/** The native library of this package and its kernels. */
export { dnnKernel, dnnLibrary } from './library.ts';
