/** Neural network operations generated from Quern kernels. */
export { dnnKernel, dnnLibrary } from './library/index.ts';
export * from './ops/index.ts';
