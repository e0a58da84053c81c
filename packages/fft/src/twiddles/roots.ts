import { toDoubles, unitRoot } from '@quern/kernel-dsl';

/** Writes exp(sign 2 pi i m / n) to re[at] and im[at]. */
export type RootWriter = (m: number, re: Float64Array, im: Float64Array, at: number) => void;

/** The rounding error of a * b (Dekker 1971). */
function productError(a: number, b: number, p: number): number {
  const ca = 134217729 * a, ah = ca - (ca - a), al = a - ah, cb = 134217729 * b, bh = cb - (cb - b), bl = b - bh;
  return al * bl - (p - ah * bh - al * bh - ah * bl);
}

/** a b + sign c d with all four in two doubles each, rounded to one double; off by barely more than half a unit in the last place. */
function sumOfProducts(ah: number, al: number, bh: number, bl: number, ch: number, cl: number, dh: number, dl: number, sign: 1 | -1): number {
  const p = ah * bh, q = sign * ch * dh, s = p + q, t = s - p;
  const lost = (p - (s - t)) + (q - t);
  return s + (lost + (productError(ah, bh, p) + productError(sign * ch, dh, q)) + ((ah * bl + al * bh) + sign * (ch * dl + cl * dh)));
}

/** Roots with both parts as pairs of doubles. */
interface DoubleRoots { readonly reHi: Float64Array; readonly reLo: Float64Array; readonly imHi: Float64Array; readonly imLo: Float64Array }
function doubleRoots(count: number, step: number, n: number): DoubleRoots {
  const r: DoubleRoots = { reHi: new Float64Array(count), reLo: new Float64Array(count), imHi: new Float64Array(count), imLo: new Float64Array(count) };
  for (let i = 0; i < count; i++) {
    const w = unitRoot(i * step, n), re = toDoubles(w.re), im = toDoubles(w.im);
    [r.reHi[i], r.reLo[i], r.imHi[i], r.imLo[i]] = [re.hi, re.lo, im.hi, im.lo];
  }
  return r;
}

/**
 * The n-th roots of unity, n a power of two, each within 0.51 units in the last place of a double; none is computed from another one's rounded
 * value. About sqrt(n / 2) roots are evaluated exactly, the rest of the first octant are products of two of them in twice the precision of a
 * double, and all others are mirror images.
 */
export function roots(n: number, sign: 1 | -1): RootWriter {
  const octant = Math.floor(n / 8), fine = 2 ** Math.floor(Math.log2(Math.max(1, octant)) / 2);
  const cos = new Float64Array(octant + 1), sin = new Float64Array(octant + 1);
  const low = doubleRoots(fine, 1, n), high = doubleRoots(Math.floor(octant / fine) + 1, fine, n);
  for (let m = 0; m <= octant; m++) {
    const a = Math.floor(m / fine), b = m % fine;
    const [ar, arl, ai, ail] = [high.reHi[a]!, high.reLo[a]!, high.imHi[a]!, high.imLo[a]!];
    const [br, brl, bi, bil] = [low.reHi[b]!, low.reLo[b]!, low.imHi[b]!, low.imLo[b]!];
    cos[m] = sumOfProducts(ar, arl, br, brl, ai, ail, bi, bil, -1);
    sin[m] = sumOfProducts(ar, arl, bi, bil, ai, ail, br, brl, 1);
  }
  return (m, re, im, at) => {
    const k = m % n, turn = n >= 8 ? Math.floor(k / octant) : (k * 8) / n, rest = n >= 8 ? k - turn * octant : 0;
    const i = turn % 2 === 0 ? rest : octant - rest;
    const swap = turn % 4 === 1 || turn % 4 === 2, c = swap ? sin[i]! : cos[i]!, s = swap ? cos[i]! : sin[i]!;
    re[at] = turn >= 2 && turn < 6 ? -c : c;
    im[at] = (turn >= 4 ? -s : s) * sign;
  };
}
