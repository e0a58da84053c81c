/** Kernels of the kernel language, compiled when they are asked for: for the CPU or for a GPU. */
export { compileKernel, type CompileKernelOptions } from './kernel.ts';
