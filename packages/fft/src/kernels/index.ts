/** The kernels of this library: passes of a Stockham transform and whole small transforms, one algorithm for every machine. */
export { RADICES, SMALL_SIZES, algorithm, fftKernels, kernelIds, kernelName, lanesOf, scheduled } from './library.ts';
export type { KernelId } from './library.ts';
