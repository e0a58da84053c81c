/** The generated kernels of an npm package: descriptions and native code joined, loaded at first use. */
export { kernelPackage, type KernelPackage } from './package.ts';
