/** Kernels on GPUs: variants of their text, argument checks, machine code kept on disk, launches in order. */
export { type CachedCode, cachedCompile } from './cache.ts';
export { gpuKernel, type GpuKernel, type GpuKernelSource, type GpuRunOptions, type GpuVariant, type PreparedCall } from './kernel.ts';
export { gpuTarget } from './target.ts';
export type { Evaluate, Variant } from './variants.ts';
