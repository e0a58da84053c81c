/** Fast Fourier transforms generated from Quern kernels. */
export { fft, ifft, planFft } from './api/index.ts';
export type { FftCallOptions, FftOptions, FftPlan } from './api/index.ts';
export type { ComplexArray, FftSpec, Norm } from './plan/index.ts';
