import { ArgumentError, DTypeError, ShapeError } from '@quern/runtime';
import type { Real } from '@quern/kernel-dsl';

/** A typed array of interleaved complex numbers: re, im, re, im, … */
export type ComplexArray<T extends Real = Real> = T extends 'f32' ? Float32Array : Float64Array;
/** Which directions are scaled: neither; the backward one (sign 1) by 1/n, as numpy does; or both by 1/sqrt(n). */
export type Norm = 'none' | 'inverse' | 'ortho';

/** What a plan transforms, and how. */
export interface FftSpec<T extends Real = Real> {
  /** Complex points of one transform: a power of two from 1 to 2^28. */
  readonly n: number;
  /** Type of the real and imaginary parts. */
  readonly dtype: T;
  /** The sign in exp(sign 2 pi i k t / n): -1 is the forward transform (default), 1 the backward one. */
  readonly sign?: -1 | 1;
  /** Transforms that lie one after another in the arrays; default 1. */
  readonly batch?: number;
  /** Default `inverse`. */
  readonly norm?: Norm;
}

/** A spec with every default filled in. */
export type FullSpec = Required<FftSpec>;

const MOST_POINTS = 2 ** 28;
const show = (x: unknown): string => (typeof x === 'string' ? `'${x}'` : String(x));

/** Checks a spec. @throws ArgumentError, DTypeError */
export function checkSpec(s: FftSpec): FullSpec {
  if (typeof s !== 'object' || s === null) throw new ArgumentError(`planFft takes { n, dtype, ... }, got ${show(s)}`);
  const { n, dtype, sign = -1, batch = 1, norm = 'inverse' } = s;
  if (!Number.isInteger(n) || n < 1 || n > MOST_POINTS || !Number.isInteger(Math.log2(n))) {
    throw new ArgumentError(`n must be a power of two from 1 to 2^28, got ${show(n)}`, { fix: 'pad the data with zeros to the next power of two, where that suits its meaning' });
  }
  if (dtype !== 'f32' && dtype !== 'f64') throw new DTypeError(`dtype must be 'f32' or 'f64', got ${show(dtype)}`);
  if (sign !== -1 && sign !== 1) throw new ArgumentError(`sign must be -1 (forward) or 1 (backward), got ${show(sign)}`);
  if (!Number.isSafeInteger(batch) || batch < 0 || batch * n > 2 ** 40) throw new ArgumentError(`batch must be a count of transforms, 0 or more, got ${show(batch)}`);
  if (norm !== 'none' && norm !== 'inverse' && norm !== 'ortho') throw new ArgumentError(`norm must be 'none', 'inverse' or 'ortho', got ${show(norm)}`);
  return { n, dtype, sign, batch, norm };
}

/** The factor on the result. */
export function scaleOf(s: FullSpec): number {
  if (s.norm === 'ortho') return 1 / Math.sqrt(s.n);
  return s.norm === 'inverse' && s.sign === 1 ? 1 / s.n : 1;
}

/** Checks an array of a run. @throws DTypeError, ShapeError, ArgumentError */
export function checkArray(s: FullSpec, name: string, x: unknown): void {
  const want = s.dtype === 'f32' ? Float32Array : Float64Array;
  if (!(x instanceof want)) {
    const got = ArrayBuffer.isView(x) ? `a ${(x as NodeJS.TypedArray)[Symbol.toStringTag] ?? 'DataView'}` : Array.isArray(x) ? 'an array' : show(x);
    throw new DTypeError(`${name} of an ${s.dtype} transform must be a ${want.name}, got ${got}`, { fix: `pass ${want.name}.from(values)` });
  }
  const length = 2 * s.n * s.batch;
  if (x.length === length) return;
  if (x.length === 0 && isDetached(x.buffer)) throw new ArgumentError(`${name}: its ArrayBuffer has been detached`, { code: 'QUERN_DETACHED', fix: 'pass a buffer that has not been transferred' });
  throw new ShapeError(`${name} must hold ${s.batch === 1 ? '' : `${s.batch} x `}${s.n} complex numbers = ${length} elements, got ${x.length}`, { fix: 'pass a subarray of that length' });
}

function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** Do two arrays share bytes? `same`: all of them. @throws ArgumentError when they share a part only */
export function checkAlias(output: Float32Array | Float64Array, input: Float32Array | Float64Array): 'same' | 'apart' {
  if (output.buffer !== input.buffer) return 'apart';
  if (output.byteOffset === input.byteOffset) return 'same';
  if (output.byteOffset + output.byteLength <= input.byteOffset || input.byteOffset + input.byteLength <= output.byteOffset) return 'apart';
  throw new ArgumentError('output and input overlap in part', { code: 'QUERN_OVERLAP', fix: 'pass one array twice (in place), or two that share nothing' });
}
