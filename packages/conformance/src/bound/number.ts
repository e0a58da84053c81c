import type { ir } from '@quern/kernel-dsl';

type DType = ir.DType;

/**
 * A value of a kernel that is not known exactly. Whatever order sums are taken in, and whether products are fused, the value that a machine
 * computes lies within `errorOf(x)` of `v`. NaN and infinities are certain while `e` is finite; `e = Infinity` means that nothing is known.
 */
export interface Approx {
  /** The value in double precision. */
  readonly v: number;
  /** The sum of the magnitudes of the terms that were added, infinite ones left out. */
  readonly m: number;
  /** The error of the terms. */
  readonly e: number;
  /** How many roundings the additions make, each at most `u m`. */
  readonly c: number;
  /** The unit roundoff of those additions. */
  readonly u: number;
}

interface Format { readonly u: number; readonly tiny: number; readonly max: number }
const FORMATS: Readonly<Partial<Record<DType, Format>>> = {
  f64: { u: 2 ** -53, tiny: 2 ** -1074, max: Number.MAX_VALUE },
  f32: { u: 2 ** -24, tiny: 2 ** -149, max: 3.4028234663852886e38 },
  f16: { u: 2 ** -11, tiny: 2 ** -24, max: 65504 },
  bf16: { u: 2 ** -8, tiny: 2 ** -133, max: 3.3895313892515355e38 },
};

/** A value that is known. */
export const exact = (v: number): Approx => ({ v, m: Number.isFinite(v) ? Math.abs(v) : 0, e: 0, c: 0, u: 0 });
/** A value of which nothing is known. */
export const unknown = (v: number): Approx => ({ v, m: Infinity, e: Infinity, c: 0, u: 0 });
const around = (v: number, e: number): Approx => (e === 0 || e < Infinity ? { v, m: Math.abs(v), e, c: 0, u: 0 } : unknown(v));

/** How far a machine's value may lie from `v`. */
export const errorOf = (x: Approx): number => (x.e === Infinity ? Infinity : Number.isFinite(x.v) ? x.e + x.c * x.u * (x.m + x.e) * (1 + x.c * x.u) : 0);
export const isExact = (x: Approx): boolean => errorOf(x) === 0;
const special = (x: Approx): boolean => !Number.isFinite(x.v);
const formatOf = (t: DType): Format => FORMATS[t] ?? { u: 0, tiny: 0, max: Infinity };

/** Rounds what ordinary numbers gave, with the error that it has already, to a dtype. Of an overflow nothing is known: another order may avoid it. */
export function rounded(v: number, e: number, t: DType): Approx {
  const f = formatOf(t);
  if (!Number.isFinite(v) || !(e < Infinity)) return unknown(v);
  const most = Math.abs(v) + e, total = e + f.u * most + f.tiny;
  return most > f.max * (1 - f.u) ? unknown(v) : around(v, total);
}

/** What certain NaNs and infinities make of an operation: a certain result, or nothing known. Undefined when both operands are ordinary. */
function specially(a: Approx, b: Approx, v: number): Approx | undefined {
  if (!special(a) && !special(b)) return a.e === Infinity || b.e === Infinity ? unknown(v) : undefined;
  const nan = (x: Approx): boolean => Number.isNaN(x.v) && x.e < Infinity;
  if (nan(a) || nan(b)) return exact(NaN);
  return a.e === Infinity || b.e === Infinity ? unknown(v) : exact(v);
}

/** a + b or, with sign -1, a - b. Roundings are counted, not placed: the bound holds for every order of a longer sum. */
export function sum(a: Approx, b: Approx, sign: 1 | -1, t: DType): Approx {
  const v = a.v + sign * b.v, s = specially(a, b, v), f = formatOf(t);
  const m = a.m + b.m, e = a.e + b.e;
  // An infinite sum is certain as long as its other terms, in whatever order, cannot overflow to the infinity of the other sign.
  if (s) return Number.isNaN(s.v) || s.e === Infinity || m < f.max * (1 - 2 ** -8) ? { ...s, m } : unknown(v);
  if (m + e > f.max * (1 - 2 ** -8)) return unknown(v);
  return { v, m, e, c: a.c + b.c + 1, u: f.u };
}

export function product(a: Approx, b: Approx, t: DType): Approx {
  const v = a.v * b.v, s = specially(a, b, v), ea = errorOf(a), eb = errorOf(b);
  if (s) {
    // Infinity times what may be zero or of either sign.
    const doubtful = (x: Approx, ex: number): boolean => ex > 0 && Math.abs(x.v) <= ex;
    return doubtful(a, ea) || doubtful(b, eb) ? unknown(v) : s;
  }
  return rounded(v, Math.abs(a.v) * eb + Math.abs(b.v) * ea + ea * eb, t);
}

export function quotient(a: Approx, b: Approx, t: DType): Approx {
  const v = a.v / b.v, s = specially(a, b, v), ea = errorOf(a), eb = errorOf(b);
  if (eb > 0 && Math.abs(b.v) <= eb) return unknown(v);
  if (s) return s;
  if (b.v === 0) return ea === 0 ? exact(v) : unknown(v);
  return rounded(v, (ea + Math.abs(v) * eb) / (Math.abs(b.v) - eb), t);
}

/** min or max. Of a NaN, either operand may come out: which one depends on the order. */
export function extreme(a: Approx, b: Approx, larger: boolean): Approx {
  const v = larger ? (a.v > b.v ? a.v : b.v) : (a.v < b.v ? a.v : b.v);
  if (Number.isNaN(a.v) || Number.isNaN(b.v)) return unknown(v);
  return around(v, Math.max(errorOf(a), errorOf(b)));
}

/** A function that only rises or only falls, computed to `ulps` units in the last place; results of magnitude below `flush` may be anything that small. */
export function monotone(f: (x: number) => number, x: Approx, t: DType, ulps: number): Approx {
  const v = f(x.v), ex = errorOf(x);
  if (ex === Infinity) return unknown(v);
  if (!Number.isFinite(v)) return ex === 0 ? exact(v) : unknown(v);
  const spread = ex === 0 ? 0 : Math.max(Math.abs(f(x.v - ex) - v), Math.abs(f(x.v + ex) - v));
  if (Number.isNaN(spread)) return unknown(v);
  if (ulps === 0) return around(v, spread);
  const { u, tiny, max } = formatOf(t), most = Math.abs(v) + spread;
  if (most > max * (1 - 2 ** -20)) return v > max * (1 + 2 ** -20) && ex === 0 ? exact(Infinity) : unknown(v);
  return around(v, spread + 2 * ulps * (u * most + tiny));
}

/** sin or cos: they change no faster than their argument. */
export function wave(f: (x: number) => number, x: Approx, t: DType, ulps: number): Approx {
  const v = f(x.v), ex = errorOf(x), { u } = formatOf(t);
  if (ex === Infinity) return unknown(v);
  return Number.isNaN(v) ? exact(v) : around(v, ex + 2 * ulps * u);
}

export const negated = (x: Approx): Approx => ({ ...x, v: -x.v });
export const magnitude = (x: Approx): Approx => around(Math.abs(x.v), errorOf(x));
