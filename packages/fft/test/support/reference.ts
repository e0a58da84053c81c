/** A transform in twice the precision of a double, to hold all others to. Its one purpose is to be plainly right. */
import { toDoubles, unitRoot } from '../../src/codelets/index.ts';

export type Reals = Float32Array | Float64Array;

/** hi + lo, unevaluated. */
interface Double2 { readonly hi: number; readonly lo: number }

const twoSum = (a: number, b: number): Double2 => { const hi = a + b, t = hi - a; return { hi, lo: (a - (hi - t)) + (b - t) }; };
const split = (a: number): Double2 => { const c = 134217729 * a, hi = c - (c - a); return { hi, lo: a - hi }; };
const twoProduct = (a: number, b: number): Double2 => {
  const hi = a * b, x = split(a), y = split(b);
  return { hi, lo: ((x.hi * y.hi - hi) + x.hi * y.lo + x.lo * y.hi) + x.lo * y.lo };
};
const add = (a: Double2, b: Double2): Double2 => { const s = twoSum(a.hi, b.hi); return twoSum(s.hi, s.lo + (a.lo + b.lo)); };
const neg = (a: Double2): Double2 => ({ hi: -a.hi, lo: -a.lo });
const mul = (a: Double2, b: Double2): Double2 => { const p = twoProduct(a.hi, b.hi); return twoSum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi)); };

const kept = new Map<number, readonly (readonly [Double2, Double2])[]>();
/** exp(-2 pi i m / n) for m < n / 2. */
function roots(n: number): readonly (readonly [Double2, Double2])[] {
  const known = kept.get(n);
  if (known) return known;
  const exact = (k: number, of: number): readonly [Double2, Double2] => { const w = unitRoot(-k, of); return [toDoubles(w.re), toDoubles(w.im)]; };
  const fine = Math.min(256, n), low = Array.from({ length: fine }, (_, i) => exact(i, n)), high = Array.from({ length: n / fine }, (_, i) => exact(i, n / fine));
  const out = Array.from({ length: Math.max(1, n / 2) }, (_, m): readonly [Double2, Double2] => {
    if (m % fine === 0) return high[m / fine]!;
    const [a, b] = high[Math.floor(m / fine)]!, [c, d] = low[m % fine]!;
    return [add(mul(a, c), neg(mul(b, d))), add(mul(a, d), mul(b, c))];
  });
  kept.set(n, out);
  return out;
}

/** X[k] = sum over t of x[t] exp(sign 2 pi i k t / n), from interleaved complex numbers, by radix 2; rounded to doubles at the end. */
export function reference(x: ArrayLike<number>, sign: -1 | 1): Float64Array {
  const n = x.length / 2, bits = Math.log2(n), w = roots(n);
  // Conjugating before and after turns the forward transform into the backward one.
  const re: Double2[] = new Array<Double2>(n), im: Double2[] = new Array<Double2>(n);
  for (let i = 0; i < n; i++) {
    let r = 0;
    for (let b = 0; b < bits; b++) if (i & (1 << b)) r |= 1 << (bits - 1 - b);
    re[r] = { hi: x[2 * i]!, lo: 0 };
    im[r] = { hi: sign === 1 ? -x[2 * i + 1]! : x[2 * i + 1]!, lo: 0 };
  }
  for (let half = 1; half < n; half *= 2) {
    for (let from = 0; from < n; from += 2 * half) {
      for (let j = 0; j < half; j++) {
        const [c, s] = w[j * (n / (2 * half))]!, p = from + j, q = p + half, a = re[q]!, b = im[q]!;
        const u = add(mul(a, c), neg(mul(b, s))), v = add(mul(a, s), mul(b, c));
        [re[q], im[q]] = [add(re[p]!, neg(u)), add(im[p]!, neg(v))];
        [re[p], im[p]] = [add(re[p]!, u), add(im[p]!, v)];
      }
    }
  }
  const out = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    out[2 * i] = re[i]!.hi;
    out[2 * i + 1] = sign === 1 ? -im[i]!.hi : im[i]!.hi;
  }
  return out;
}

/** |got - want| / |want| in the l2 norm. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let error = 0, size = 0;
  for (let i = 0; i < want.length; i++) {
    error += (got[i]! - want[i]!) ** 2;
    size += want[i]! ** 2;
  }
  return Math.sqrt(error / size);
}

/** What is promised: eps sqrt(log2 n), eps the distance from 1 to the next number. At least one rounding is allowed. */
export const bound = (n: number, dtype: 'f32' | 'f64'): number => (dtype === 'f32' ? 2 ** -23 : 2 ** -52) * Math.sqrt(Math.max(1, Math.log2(n)));

/** Numbers in [-1, 1) from a seed. */
export function random<T extends 'f32' | 'f64'>(dtype: T, length: number, seed: number): T extends 'f32' ? Float32Array : Float64Array {
  let x = (Math.imul(seed, 0x9e3779b1) ^ 0x2545f491) || 1;
  const next = (): number => { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; return (x >>> 0) / 2 ** 31 - 1; };
  const out = dtype === 'f32' ? new Float32Array(length) : new Float64Array(length);
  for (let i = 0; i < length; i++) out[i] = next();
  return out as T extends 'f32' ? Float32Array : Float64Array;
}
