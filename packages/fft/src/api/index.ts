/** What users call: plans, and transforms in one call. */
export { planFft } from './plan.ts';
export type { FftOptions, FftPlan } from './plan.ts';
export { fft, ifft } from './fft.ts';
export type { FftCallOptions } from './fft.ts';
