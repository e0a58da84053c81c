import { codelet, count, embed, fromFraction, multiply, negate, optimize, transpose, unitRoot } from '@quern/kernel-dsl';
import type { Codelet, Complex, Fixed, FixedComplex, Graph, Signed } from '@quern/kernel-dsl';
import { coprimeSplit, isPrime, leastFactor, primitiveRoot } from './numbers.ts';

type Inputs = readonly Complex[];

/**
 * The forward discrete Fourier transform of n complex values, X[k] = sum over t of x[t] exp(-2 pi i k t / n), as a codelet.
 *
 * - Powers of two: split radix (Yavne 1968) in its conjugate-pair form (Kamar and Elcherif 1989): the even inputs in a transform of n/2, the inputs 4 t + 1
 *   and 4 t - 1 in two of n/4. It takes 4 n log2 n - 6 n + 8 real operations for n > 1.
 * - Products of numbers without a common factor: prime factors (Good 1958; Thomas 1963), no twiddles.
 * - Powers of odd primes: Cooley and Tukey (1965).
 * - Primes: pairs of inputs that mirror each other share their products; 5 points take the mean of the cosines out first. From 13 points on a convolution of
 *   p - 1 points by a transform of that many (Rader 1968), where it takes fewer operations.
 *
 * The backward transform is this one with the inputs 1 .. n-1 (or the outputs) in reverse order.
 *
 * `fma`: in the form with the fewest operations where products go into sums for nothing. It may have a few more products; for powers of two it has not, so
 * they always come in it.
 *
 * @param n at least 1; operations grow with n log n, and codelets beyond 64 points rarely pay
 * @throws RangeError where n is no positive integer
 */
export function dft(n: number, o: { readonly fma?: boolean } = {}): Codelet {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`a codelet has a positive number of points, got ${n}`);
  const power = (n & (n - 1)) === 0, fused = power || (o.fma ?? false), c = codelet(n, (g, x) => transform(g, x), { factor: fused, tangent: fused });
  return fused ? c : optimize(c);
}

function transform(g: Graph, x: Inputs): readonly Complex[] {
  const n = x.length;
  if (n === 1) return x;
  if (n === 2) return [g.plus(x[0]!, x[1]!), g.minus(x[0]!, x[1]!)];
  if ((n & (n - 1)) === 0) return splitRadix(g, x);
  const split = coprimeSplit(n);
  if (split) return primeFactors(g, x, ...split);
  if (isPrime(n)) return n >= 13 && raderPays(n) ? rader(g, x) : n === 5 ? five(g, x) : mirrored(g, x);
  return cooleyTukey(g, x, leastFactor(n));
}

/** x / i, which costs nothing. */
const turned = (x: Complex): Complex => ({ re: x.im, im: negate(x.re) });

function splitRadix(g: Graph, x: Inputs): readonly Complex[] {
  const n = x.length, q = n / 4, pick = (from: number, step: number): Inputs => x.filter((_, t) => t % step === from);
  const even = transform(g, pick(0, 2)), first = transform(g, pick(1, 4)), last = transform(g, Array.from({ length: q }, (_, t) => x[(4 * t - 1 + n) % n]!)), out: Complex[] = new Array<Complex>(n);
  for (let k = 0; k < q; k++) {
    const a = g.rotate(unitRoot(-k, n), first[k]!), b = g.rotate(unitRoot(k, n), last[k]!), sum = g.plus(a, b), side = turned(g.minus(a, b));
    out[k] = g.plus(even[k]!, sum);
    out[k + 2 * q] = g.minus(even[k]!, sum);
    out[k + q] = g.plus(even[k + q]!, side);
    out[k + 3 * q] = g.minus(even[k + q]!, side);
  }
  return out;
}

/** n = a b without a common factor: x[(b s + a t) mod n] is an a x b table whose two-dimensional transform has no twiddles. */
function primeFactors(g: Graph, x: Inputs, a: number, b: number): readonly Complex[] {
  const n = a * b, out: Complex[] = new Array<Complex>(n);
  const rows = Array.from({ length: a }, (_, s) => transform(g, Array.from({ length: b }, (_, t) => x[(b * s + a * t) % n]!)));
  for (let v = 0; v < b; v++) {
    const column = transform(g, rows.map((r) => r[v]!));
    // The output with remainders u mod a and v mod b (by the Chinese remainder theorem).
    for (let k = v; k < n; k += b) out[k] = column[k % a]!;
  }
  return out;
}

/** n = r m: m transforms of r points each, twiddles, r of m. */
function cooleyTukey(g: Graph, x: Inputs, r: number): readonly Complex[] {
  const n = x.length, m = n / r, out: Complex[] = new Array<Complex>(n);
  // Frequencies of the first transforms run from -r/2 to r/2, so that those of one size have conjugate twiddles: for real inputs half of all is the same.
  const frequency = (u: number): number => (u > r / 2 ? u - r : u);
  const columns = Array.from({ length: m }, (_, t) => transform(g, Array.from({ length: r }, (_, s) => x[m * s + t]!)).map((y, u) => g.rotate(unitRoot(-frequency(u) * t, n), y)));
  for (let u = 0; u < r; u++) transform(g, columns.map((c) => c[u]!)).forEach((y, v) => { out[(frequency(u) + r * v + n) % n] = y; });
  return out;
}

const scaled = (g: Graph, k: Fixed, x: Complex): Complex => ({ re: g.times(k, x.re), im: g.times(k, x.im) });
const total = (g: Graph, list: Inputs): Complex => list.slice(1).reduce((a, b) => g.plus(a, b), list[0]!);

/** An odd number of points: x[t] + x[n-t] meet cosines, x[t] - x[n-t] sines, each for two outputs. */
function mirrored(g: Graph, x: Inputs): readonly Complex[] {
  const n = x.length, half = Array.from({ length: (n - 1) / 2 }, (_, i) => i + 1), out: Complex[] = new Array<Complex>(n);
  const sums = half.map((t) => g.plus(x[t]!, x[n - t]!)), differences = half.map((t) => g.minus(x[t]!, x[n - t]!));
  out[0] = total(g, [x[0]!, ...sums]);
  for (const k of half) {
    const even = total(g, [x[0]!, ...half.map((t, i) => scaled(g, unitRoot(k * t, n).re, sums[i]!))]);
    const odd = turned(total(g, half.map((t, i) => scaled(g, unitRoot(k * t, n).im, differences[i]!))));
    out[k] = g.plus(even, odd);
    out[n - k] = g.minus(even, odd);
  }
  return out;
}

/** Five points: the two cosines have the mean -1/4, so that their parts take two products for four. */
function five(g: Graph, x: Inputs): readonly Complex[] {
  const w = [unitRoot(1, 5), unitRoot(2, 5)] as const;
  const a = g.plus(x[1]!, x[4]!), b = g.plus(x[2]!, x[3]!), c = g.minus(x[1]!, x[4]!), d = g.minus(x[2]!, x[3]!), all = g.plus(a, b);
  const middle = g.minus(x[0]!, scaled(g, fromFraction(1, 4), all)), apart = scaled(g, multiply(w[0].re - w[1].re, fromFraction(1, 2)), g.minus(a, b));
  const first = turned(g.plus(scaled(g, w[0].im, c), scaled(g, w[1].im, d))), second = turned(g.minus(scaled(g, w[1].im, c), scaled(g, w[0].im, d)));
  const e = g.plus(middle, apart), f = g.minus(middle, apart);
  return [g.plus(x[0]!, all), g.plus(e, first), g.plus(f, second), g.minus(f, second), g.minus(e, first)];
}

const times = (a: FixedComplex, b: FixedComplex): FixedComplex => ({ re: multiply(a.re, b.re) - multiply(a.im, b.im), im: multiply(a.re, b.im) + multiply(a.im, b.re) });

/**
 * A prime number p of points: with a primitive root g, X[g^-m] - x[0] is the cyclic convolution of x[g^q] with exp(-2 pi i g^-q / p), of n = p - 1 points.
 * Real and imaginary parts are convolved with the cosines and with the sines by themselves. These are real sequences that repeat, or change their sign, after
 * n/2: half of each spectrum is zero and the rest symmetric, so that half of the work is never needed. The cosines' factor of the sum
 * is -1/n, and x[0], added there, reaches every output.
 */
function rader(g: Graph, x: Inputs): readonly Complex[] {
  const p = x.length, n = p - 1, root = primitiveRoot(p), powers = [1], zero = { minus: false, node: undefined }, real = (z: Complex): Complex => ({ re: z.re, im: zero });
  for (let q = 1; q < n; q++) powers.push((powers[q - 1]! * root) % p);
  const inverse = (q: number): number => powers[(n - q) % n]!;
  const factors = Array.from({ length: n }, (_, k): FixedComplex => {
    let re = 0n, im = 0n;
    for (let q = 0; q < n; q++) {
      const term = times(unitRoot(-inverse(q), p), unitRoot(-q * k, n));
      re += term.re;
      im += term.im;
    }
    const [a, b] = [multiply(re, fromFraction(1, n)), multiply(im, fromFraction(1, n))];
    // Of cos - i sin: the cosines' spectrum at even k, i times the sines' at odd k.
    return k % 2 === 0 ? { re: a, im: b } : { re: -b, im: a };
  });
  // From half a spectrum back to a real sequence: the transposed map of the way there, so that it costs no more; pairs of frequencies count twice.
  const back = ([0, 1] as const).map((parity) => transpose(codelet(n, (h, y) => transform(h, y.map(real)).filter((_, k) => k <= n / 2 && k % 2 === parity))));
  /** The convolution of a real sequence with the cosines (parity 0) or the sines (1); `offset` is added to each value. */
  const convolve = (spectrum: Inputs, parity: 0 | 1, offset: Signed): readonly Signed[] => {
    const product = spectrum.flatMap((s, k): Complex[] => {
      if (k > n / 2 || k % 2 !== parity) return [];
      if (k === 0) return [{ re: g.add(g.times(fromFraction(-1, n), s.re), offset), im: zero }];
      const twice = 2 * k === n ? 1n : 2n, y = g.rotate({ re: twice * factors[k]!.re, im: twice * factors[k]!.im }, s);
      return [2 * k === n ? real(y) : y];
    });
    return embed(g, back[parity]!, product).map((y) => y.re);
  };
  const re = transform(g, powers.map((t) => real(x[t]!))), im = transform(g, powers.map((t) => ({ re: x[t]!.im, im: zero })));
  const cosRe = convolve(re, 0, x[0]!.re), cosIm = convolve(im, 0, x[0]!.im), sinRe = convolve(re, 1, zero), sinIm = convolve(im, 1, zero);
  const out: Complex[] = new Array<Complex>(p);
  out[0] = g.plus(x[0]!, { re: re[0]!.re, im: im[0]!.re });
  for (let m = 0; m < n; m++) out[inverse(m)] = { re: g.add(cosRe[m]!, sinIm[m]!), im: g.sub(cosIm[m]!, sinRe[m]!) };
  return out;
}

const pays = new Map<number, boolean>();
/** Does Rader's way take fewer operations than pairs? */
function raderPays(p: number): boolean {
  let known = pays.get(p);
  if (known === undefined) {
    const cost = (f: (g: Graph, x: Inputs) => readonly Complex[]): number => { const { adds, muls } = count(codelet(p, f)); return adds + muls; };
    known = cost(rader) < cost(mirrored);
    pays.set(p, known);
  }
  return known;
}
