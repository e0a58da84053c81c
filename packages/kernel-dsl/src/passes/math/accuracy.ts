import type { Real } from './parts.ts';

/** The functions of this room. */
export type MathFn = 'exp' | 'exp2' | 'log' | 'log2' | 'sin' | 'cos' | 'tanh' | 'erf' | 'pow';

/**
 * The largest error of each function, in units in the last place of the exact result, on machines that fuse multiply and add. For f32, measured over
 * all 2^32 arguments (`npm run bench -- vmath -- --accuracy`); for f64 and for pow, over hundreds of millions of random and hard ones, with a margin.
 */
export const MAX_ULP: Readonly<Record<MathFn, Readonly<Record<Real, number>>>> = {
  exp: { f32: 0.95, f64: 1 }, exp2: { f32: 0.9, f64: 1.1 }, log: { f32: 1.2, f64: 1 }, log2: { f32: 1.7, f64: 1.4 },
  sin: { f32: 2.2, f64: 2.2 }, cos: { f32: 2.3, f64: 2.2 }, tanh: { f32: 2.6, f64: 2.2 }, erf: { f32: 1.9, f64: 2 }, pow: { f32: 1.2, f64: 1.7 },
};
