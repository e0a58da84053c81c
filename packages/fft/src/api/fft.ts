import { DTypeError, ShapeError } from '@quern/runtime';
import type { ComplexArray, Norm } from '../plan/index.ts';
import { planFft } from './plan.ts';
import type { FftPlan } from './plan.ts';

/** Settings of {@link fft} and {@link ifft}. */
export interface FftCallOptions {
  /** Default `inverse`: nothing forward, 1/n backward. */
  readonly norm?: Norm;
}

const KEPT = 8;
const plans = new Map<string, FftPlan>();

/** The plan for an array; those used last are kept. */
function planFor(what: string, x: unknown, sign: -1 | 1, norm: Norm): FftPlan {
  const dtype = x instanceof Float32Array ? 'f32' : x instanceof Float64Array ? 'f64' : undefined;
  if (!dtype) throw new DTypeError(`${what} takes a Float32Array or a Float64Array of interleaved complex numbers`, { fix: 'for real data, put a zero after each number' });
  const { length } = x as ComplexArray;
  if (length < 2 || !Number.isInteger(Math.log2(length))) {
    throw new ShapeError(`${what} takes a power of two of complex numbers, got ${length / 2}`, { fix: 'pad the data with zeros to the next power of two, where that suits its meaning' });
  }
  const key = `${length} ${dtype} ${sign} ${norm}`;
  const plan = plans.get(key) ?? planFft({ n: length / 2, dtype, sign, norm });
  plans.delete(key);
  plans.set(key, plan);
  for (const [old, p] of plans) {
    if (plans.size <= KEPT) break;
    plans.delete(old);
    p.dispose();
  }
  return plan;
}

/**
 * The discrete Fourier transform of complex numbers, X[k] = sum over t of x[t] exp(-2 pi i k t / n), in a new array.
 *
 * @param x n complex numbers as re, im, re, im, …; n a power of two
 * @throws DTypeError, ShapeError
 * @example fft(new Float64Array([1, 0, 0, 0])) // Float64Array [1, 0, 1, 0]
 */
export function fft<A extends Float32Array | Float64Array>(x: A, options: FftCallOptions = {}): A {
  return planFor('fft', x, -1, options.norm ?? 'inverse').run(like(x), x) as A;
}

/**
 * The inverse of {@link fft}: x[t] = 1/n * sum over k of X[k] exp(2 pi i k t / n), in a new array.
 *
 * @param x n complex numbers as re, im, re, im, …; n a power of two
 * @throws DTypeError, ShapeError
 * @example ifft(fft(x)) // x, but for rounding
 */
export function ifft<A extends Float32Array | Float64Array>(x: A, options: FftCallOptions = {}): A {
  return planFor('ifft', x, 1, options.norm ?? 'inverse').run(like(x), x) as A;
}

const like = (x: Float32Array | Float64Array): ComplexArray => (x instanceof Float32Array ? new Float32Array(x.length) : new Float64Array(x.length));
