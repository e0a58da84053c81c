import { f32ToBf16, f32ToF16, ir } from '@quern/kernel-dsl';
import type { KernelIR, TensorArg } from '@quern/kernel-dsl';
import { below, oneOf } from './random.ts';
import type { Random } from './random.ts';

type TypedArray = TensorArg['data'];
type DType = ir.DType;

/**
 * How tensors are filled: small whole numbers, ordinary random ones, or ordinary ones among NaNs, infinities, signed zeros, subnormals and extremes. `finite`: among
 * signed zeros and numbers whose exponential is no longer ordinary, for devices that promise nothing of the others.
 */
export type Values = 'counting' | 'plain' | 'special' | 'finite';
export const VALUES: readonly Values[] = ['counting', 'plain', 'special', 'finite'];

const ARRAYS: Readonly<Record<DType, new (n: number) => TypedArray>> = {
  f64: Float64Array, f32: Float32Array, f16: Uint16Array, bf16: Uint16Array, i64: BigInt64Array, i32: Int32Array, u32: Uint32Array,
  i16: Int16Array, u16: Uint16Array, i8: Int8Array, u8: Uint8Array, bool: Uint8Array,
};
export const arrayOf = (t: DType, n: number): TypedArray => new ARRAYS[t](n);

/** What memory holds where no element is, and outputs before they are written: a value that no kernel computes by chance. */
export const FILL: Readonly<Record<DType, number>> = {
  f64: -7.251e101, f32: Math.fround(-7.251e25), f16: 0xf5a3, bf16: 0xf5a3, i64: -0x5a5a5a5a5a5a, i32: -0x5a5a5a5b, u32: 0xa5a5a5a5, i16: -0x5a5b, u16: 0xa5a5, i8: -0x5b, u8: 0xa5, bool: 1,
};

/** A number as an array of the dtype holds it: halves as bits. */
export const encoded = (x: number, t: DType): number => (t === 'f16' ? f32ToF16(x) : t === 'bf16' ? f32ToBf16(x) : x);
/** Sets an entry from a number. */
export function put(a: TypedArray, at: number, x: number): void {
  if (a instanceof BigInt64Array) a[at] = BigInt(x);
  else a[at] = x;
}

const FINITE_FLOATS = [-0, 0, 1, -1, 60, -104];
const SPECIAL_FLOATS = [NaN, Infinity, -Infinity, -0, 0, 1, -1];
const EXTREMES: Readonly<Partial<Record<DType, readonly number[]>>> = {
  f64: [5e-324, -1e-310, 1.7e308, -1.7e308, 2 ** -1022], f32: [1e-45, -1e-40, 3.4e38, -3.4e38, 2 ** -126, 90, -104],
  f16: [6e-8, 65504, -65504], bf16: [1e-40, 3e38],
};
const RANGES: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1], i16: [-32768, 32767], u16: [0, 65535], i8: [-128, 127], u8: [0, 255],
};

/** Float constants of a kernel and numbers on both sides of each: where a comparison, a clamp or a branch may turn. */
export function turningPoints(k: KernelIR): readonly number[] {
  const found = new Set<number>();
  ir.visitExprs(k.body, (e) => { if (e.kind === 'const' && (e.dtype === 'f32' || e.dtype === 'f64') && Number.isFinite(e.value)) found.add(e.value); });
  return [...found].flatMap((c) => [c, c * 0.99, c * 1.01, c + 0.5, c - 0.5, -c]);
}

/** What a tensor's values are drawn from: numbers of interest to the kernel, and the share of special ones. */
export interface Mixture { readonly turns: readonly number[]; readonly specials: number }
/** Few special values, so that sums stay ordinary; or many, so that they meet each other. */
export const SPECIALS: readonly number[] = [0.02, 0.1, 0.4];

/** One value, element number i. */
export function valueOf(t: DType, kind: Values, i: number, r: Random, { turns, specials }: Mixture = { turns: [], specials: 0.1 }): number {
  if (t === 'bool') return kind === 'counting' ? i % 2 : below(r, 2);
  if (ir.isFloat(t)) {
    if (kind === 'counting') return (i % 7) - 2;
    if (kind === 'finite' && r() < specials) return oneOf(r, FINITE_FLOATS);
    if (kind === 'special' && r() < specials) return oneOf(r, [...SPECIAL_FLOATS, ...(EXTREMES[t] ?? [])]);
    const x = turns.length > 0 && r() < 0.15 ? oneOf(r, turns) : (r() * 2 - 1) * 2 ** (below(r, 5) - 1);
    return t === 'f32' ? Math.fround(x) : x;
  }
  const [lo, hi] = RANGES[t] ?? [-1000, 1000];
  if (kind === 'counting') return i % 7;
  if ((kind === 'special' || kind === 'finite') && r() < 2 * specials) return oneOf(r, [lo, hi, 0, 1, lo + 1]);
  return hi - lo < 70000 ? lo + below(r, hi - lo + 1) : lo < 0 ? below(r, 201) - 100 : below(r, 200);
}

/** A value for a scalar parameter: those at which kernels branch come often. */
export function scalarOf(t: DType, kind: Values, r: Random): number {
  if (t === 'bool') return below(r, 2);
  if (!ir.isFloat(t)) return below(r, kind === 'counting' ? 3 : 9);
  if (kind === 'counting') return oneOf(r, [1, 2, 0]);
  if (kind === 'special' && r() < 0.3) return oneOf(r, [NaN, Infinity, -0, 2 ** -126]);
  return r() < 0.4 ? oneOf(r, [0, 1, -1]) : valueOf(t, 'plain', 0, r);
}
