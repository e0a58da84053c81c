/** Fused multiply-add, rounded once, for f32 and f64. JavaScript has none. */

const f64 = new Float64Array(1);
const words = new Uint32Array(f64.buffer); // [0] is the low word: every machine that runs JavaScript today is little-endian

/** Rounds hi + lo to odd, where hi is hi + lo rounded to nearest: a later rounding to fewer bits then sees which side of a tie the exact sum lay on. */
function toOdd(hi: number, lo: number): number {
  f64[0] = hi;
  if (words[0]! & 1) return hi;
  if (lo > 0 === hi > 0) words[0]! |= 1;
  else if (words[0]!-- === 0) words[1]!--; // the word before wraps to all ones, which borrows from the high word
  return f64[0]!;
}

/** The rounding error of s = a + b: a + b = s + error, exactly (Knuth's TwoSum). */
function sumError(a: number, b: number, s: number): number {
  const bb = s - a;
  return (a - (s - bb)) + (b - bb);
}

/**
 * a * b + c of f32 numbers, rounded once to f32.
 *
 * The product of two f32 is exact in f64. The sum is not, and rounding it to f64 and again to f32 would be wrong near ties, so it is rounded to odd
 * in between (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
 */
export function fma32(a: number, b: number, c: number): number {
  const p = a * b, s = p + c, e = sumError(p, c, s);
  return Math.fround(e === 0 || e !== e ? s : toOdd(s, e));
}

const SPLIT = 2 ** 27 + 1;

/** a * b + c of f64 numbers, rounded once to f64. */
export function fma64(a: number, b: number, c: number): number {
  const p = a * b;
  if (a === 0 || b === 0 || !Number.isFinite(a) || !Number.isFinite(b)) return p + c; // IEEE 754's rules for zeros, infinities and NaN
  if (!Number.isFinite(c)) return c; // the product is finite, even where p is not
  if (c === 0) return p === 0 ? p : p + c; // rounded once as it is; a product too small keeps its sign
  const ap = Math.abs(p), ac = Math.abs(c), m = Math.max(Math.abs(a), Math.abs(b));
  if (ap < 2 ** -900 || ap > 2 ** 1000 || ac < 2 ** -900 || ac > 2 ** 1000 || m > 2 ** 990) return fmaExact(a, b, c);
  // p + pe = a * b exactly (Dekker's product from Veltkamp's split).
  let t = SPLIT * a;
  const ah = t - (t - a), al = a - ah;
  t = SPLIT * b;
  const bh = t - (t - b), bl = b - bh;
  const pe = al * bl - (((p - ah * bh) - al * bh) - ah * bl);
  // Boldo and Melquiond's sum of three: the two low parts are added with rounding to odd.
  const uh = c + pe, ul = sumError(c, pe, uh);
  const vh = p + uh, vl = sumError(p, uh, vh);
  const z = ul + vl, ze = sumError(ul, vl, z);
  return vh + (ze === 0 ? z : toOdd(z, ze));
}

/** A finite non-zero number as mantissa * 2^exponent. */
function parts(x: number): { m: bigint; e: number } {
  f64[0] = x;
  const hi = words[1]!, biased = (hi >>> 20) & 0x7ff;
  const m = (BigInt(biased ? (hi & 0xfffff) | 0x100000 : hi & 0xfffff) << 32n) | BigInt(words[0]!);
  return { m: hi >>> 31 ? -m : m, e: (biased || 1) - 1075 };
}

/** The slow path, for operands near the ends of the exponent range: integers, then one rounding. */
function fmaExact(a: number, b: number, c: number): number {
  const x = parts(a), y = parts(b), z = parts(c);
  let m = x.m * y.m, e = x.e + y.e;
  if (e > z.e) { m <<= BigInt(e - z.e); e = z.e; }
  m += z.m << BigInt(z.e - e);
  if (m === 0n) return 0; // an exact cancellation gives +0
  const negative = m < 0n;
  if (negative) m = -m;
  const drop = Math.max(m.toString(2).length - 53, -1074 - e); // bits below the last place of the result
  if (drop > 0) {
    const d = BigInt(drop), rest = m & ((1n << d) - 1n), half = 1n << (d - 1n);
    m >>= d;
    e += drop;
    if (rest > half || (rest === half && (m & 1n))) m += 1n;
  }
  // m < 2^53 + 1 is exact as a number; two steps keep the power of two representable, and the first of them is exact.
  const step = Math.max(-1000, Math.min(e, 900));
  const r = Number(m) * 2 ** step * 2 ** (e - step);
  return negative ? -r : r;
}
