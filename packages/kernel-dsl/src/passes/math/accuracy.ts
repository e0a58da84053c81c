import type { Real } from './parts.ts';

/** The functions of this room. */
export type MathFn = 'exp' | 'exp2' | 'log' | 'log2' | 'sin' | 'cos' | 'tanh' | 'erf' | 'pow';

/**
 * The largest error of each function, in units in the last place of the exact result, on machines that fuse multiply and add. For f32, measured over
 * all arguments (`npm run bench -- vmath -- --accuracy`; of sin and cos beyond 2^15 every 61st); for f64 and for pow, over a million random and hard ones each, with a margin.
 */
export const MAX_ULP: Readonly<Record<MathFn, Readonly<Record<Real, number>>>> = {
  exp: { f32: 1.1, f64: 1 }, exp2: { f32: 0.9, f64: 1.1 }, log: { f32: 1.2, f64: 1 }, log2: { f32: 1.7, f64: 1.4 },
  sin: { f32: 2.2, f64: 2.2 }, cos: { f32: 2.3, f64: 2.2 }, tanh: { f32: 2.6, f64: 2.2 }, erf: { f32: 1.7, f64: 2 }, pow: { f32: 1.2, f64: 1.7 },
};
