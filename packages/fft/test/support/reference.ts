/** A transform in twice the precision of a double, to hold all others to. Its one purpose is to be plainly right. */
import { toDoubles, unitRoot } from '@quern/kernel-dsl';

export type Reals = Float32Array | Float64Array;

const split = (a: number): number => { const c = 134217729 * a; return c - (c - a); };

/** Numbers of twice a double's precision: a sum of two. The operations return both parts in `hi` and `lo`. */
let hi = 0, lo = 0;
function add(a: number, al: number, b: number, bl: number): void {
  const s = a + b, t = s - a, e = (a - (s - t)) + (b - t) + (al + bl);
  hi = s + e;
  lo = e - (hi - s);
}
function mul(a: number, al: number, b: number, bl: number): void {
  const p = a * b, ah = split(a), at = a - ah, bh = split(b), bt = b - bh, e = ((ah * bh - p) + ah * bt + at * bh) + at * bt + (a * bl + al * b);
  hi = p + e;
  lo = e - (hi - p);
}

/** A complex array in twice the precision of a double. */
class Doubles {
  readonly rh: Float64Array; readonly rl: Float64Array; readonly ih: Float64Array; readonly il: Float64Array;
  constructor(n: number) {
    [this.rh, this.rl, this.ih, this.il] = [new Float64Array(n), new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  }
}

/** z[k] = x[i] * y[j]. */
function product(z: Doubles, k: number, x: Doubles, i: number, y: Doubles, j: number): void {
  const [ar, arl, ai, ail, br, brl, bi, bil] = [x.rh[i]!, x.rl[i]!, x.ih[i]!, x.il[i]!, y.rh[j]!, y.rl[j]!, y.ih[j]!, y.il[j]!];
  mul(ar, arl, br, brl);
  const p = hi, pl = lo;
  mul(ai, ail, -bi, -bil);
  add(p, pl, hi, lo);
  z.rh[k] = hi; z.rl[k] = lo;
  mul(ar, arl, bi, bil);
  const q = hi, ql = lo;
  mul(ai, ail, br, brl);
  add(q, ql, hi, lo);
  z.ih[k] = hi; z.il[k] = lo;
}

/** exp(-2 pi i m / n) for m < n / 2: products of exact roots. */
function roots(n: number): Doubles {
  const fine = Math.min(256, n), count = Math.max(1, n / 2), out = new Doubles(count);
  const exact = (howMany: number, of: number): Doubles => {
    const d = new Doubles(howMany);
    for (let i = 0; i < howMany; i++) {
      const w = unitRoot(-i, of), re = toDoubles(w.re), im = toDoubles(w.im);
      [d.rh[i], d.rl[i], d.ih[i], d.il[i]] = [re.hi, re.lo, im.hi, im.lo];
    }
    return d;
  };
  const low = exact(fine, n), high = exact(n / fine, n / fine);
  for (let m = 0; m < count; m++) product(out, m, high, Math.floor(m / fine), low, m % fine);
  return out;
}

/** X[k] = sum over t of x[t] exp(sign 2 pi i k t / n), from interleaved complex numbers, by radix 2; rounded to doubles at the end. */
export function reference(x: ArrayLike<number>, sign: -1 | 1): Float64Array {
  const n = x.length / 2, bits = Math.log2(n), w = roots(n), d = new Doubles(n), t = new Doubles(1);
  // Conjugating before and after turns the forward transform into the backward one.
  for (let i = 0; i < n; i++) {
    let r = 0;
    for (let b = 0; b < bits; b++) if (i & (1 << b)) r |= 1 << (bits - 1 - b);
    d.rh[r] = x[2 * i]!;
    d.ih[r] = sign === 1 ? -x[2 * i + 1]! : x[2 * i + 1]!;
  }
  for (let half = 1; half < n; half *= 2) {
    for (let j = 0; j < half; j++) {
      for (let p = j; p < n; p += 2 * half) {
        const q = p + half;
        product(t, 0, d, q, w, j * (n / (2 * half)));
        add(d.rh[p]!, d.rl[p]!, -t.rh[0]!, -t.rl[0]!);
        d.rh[q] = hi; d.rl[q] = lo;
        add(d.ih[p]!, d.il[p]!, -t.ih[0]!, -t.il[0]!);
        d.ih[q] = hi; d.il[q] = lo;
        add(d.rh[p]!, d.rl[p]!, t.rh[0]!, t.rl[0]!);
        d.rh[p] = hi; d.rl[p] = lo;
        add(d.ih[p]!, d.il[p]!, t.ih[0]!, t.il[0]!);
        d.ih[p] = hi; d.il[p] = lo;
      }
    }
  }
  const out = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    out[2 * i] = d.rh[i]!;
    out[2 * i + 1] = sign === 1 ? -d.ih[i]! : d.ih[i]!;
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
