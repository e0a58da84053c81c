import { gcd } from '../affine/index.ts';

/** Fraction bits of every fixed-point number here: 60 decimal digits and some to spare. */
const BITS = 208n;
const ONE = 1n << BITS;

/** A real number as a multiple of 2^-208. */
export type Fixed = bigint;
/** A complex number of unit length, or any other, in fixed point. */
export interface FixedComplex { readonly re: Fixed; readonly im: Fixed }

/** 1. */
export const fixedOne: Fixed = ONE;
const mul = (a: Fixed, b: Fixed): Fixed => (a * b) >> BITS;
/** a * b, off by less than 2^-208. */
export const multiply: (a: Fixed, b: Fixed) => Fixed = mul;
/** a / b. */
export const divide = (a: Fixed, b: Fixed): Fixed => (a << BITS) / b;
/** p / q. */
export const fromFraction = (p: number, q: number): Fixed => (BigInt(p) << BITS) / BigInt(q);

/** Bits at the end that no two computations of one number need to agree in: a few hundred roundings of 2^-208 each. */
const NOISE = 24n;
/** The number without its last, doubtful bits, so that equal numbers that were computed in different ways are one. */
export const settled = (x: Fixed): Fixed => ((x + (1n << (NOISE - 1n))) >> NOISE) << NOISE;
const div = (a: Fixed, b: bigint): Fixed => a / b;

/** arctan(1/q) by its series. */
function arctanInverse(q: bigint): Fixed {
  let power = ONE / q, sum = power;
  for (let k = 3n, sign = -1n; power !== 0n; k += 2n, sign = -sign) {
    power /= q * q;
    sum += (sign * power) / k;
  }
  return sum;
}

let pi: Fixed | undefined;
/** Machin's formula of 1706. */
const fixedPi = (): Fixed => (pi ??= 16n * arctanInverse(5n) - 4n * arctanInverse(239n));

/** The largest integer whose square is not above x, by Newton's method. */
function integerRoot(x: bigint): bigint {
  let r = 1n << BigInt(Math.ceil(x.toString(2).length / 2));
  for (let next = (r + x / r) / 2n; next < r; next = (r + x / r) / 2n) r = next;
  return r;
}

/** cos and sin of an angle in [0, pi/4] by their Taylor series. */
function cosSin(x: Fixed): FixedComplex {
  const square = mul(x, x);
  let re = ONE, im = x;
  for (let k = 1n, c = ONE, s = x; s !== 0n || c !== 0n; k++) {
    c = -div(mul(c, square), (2n * k - 1n) * (2n * k));
    s = -div(mul(s, square), (2n * k) * (2n * k + 1n));
    re += c;
    im += s;
  }
  return { re, im };
}

/** cos and sin of pi/4. */
const diagonal = (): FixedComplex => {
  const half = integerRoot((ONE * ONE) / 2n);
  return { re: half, im: half };
};

/** Roots of the first octant that were asked for: a transform asks for each of its few again and again. */
const eighths = new Map<string, FixedComplex>(), MOST_EIGHTHS = 4096;

/** cos and sin of pi/4 * steps/n. */
function eighth(steps: number, n: number): FixedComplex {
  const g = gcd(n, steps), key = `${steps / g}/${n / g}`;
  let x = eighths.get(key);
  if (!x) {
    if (eighths.size === MOST_EIGHTHS) eighths.clear();
    eighths.set(key, x = cosSin((fixedPi() * BigInt(steps / g)) / (4n * BigInt(n / g))));
  }
  return x;
}

/**
 * exp(2 pi i k / n), to 60 digits. The angle is reduced to the first octant in integers, so roots that mirror each other
 * have exactly equal parts, and 0, 1 and -1 are exact.
 * @param n a positive integer; @param k any integer
 */
export function unitRoot(k: number, n: number): FixedComplex {
  let a = (((k % n) + n) % n) * 8;
  const octant = Math.floor(a / n);
  a -= octant * n;
  // An odd octant is run through backwards, from its end.
  const steps = octant % 2 === 0 ? a : n - a;
  // At the end of the octant the series would give two numbers that differ in their last bits.
  const { re: c, im: s } = steps === n ? diagonal() : eighth(steps, n);
  switch (octant) {
    case 0: return { re: c, im: s };
    case 1: return { re: s, im: c };
    case 2: return { re: -s, im: c };
    case 3: return { re: -c, im: s };
    case 4: return { re: -c, im: -s };
    case 5: return { re: -s, im: -c };
    case 6: return { re: s, im: -c };
    default: return { re: c, im: -s };
  }
}

/** The nearest number of a float type, ties to even; one rounding. Results are far from the subnormal range. */
export function toFloat(x: Fixed, dtype: 'f32' | 'f64'): number {
  if (x < 0n) return -toFloat(-x, dtype);
  const keep = dtype === 'f32' ? 24 : 53, length = x.toString(2).length, drop = BigInt(Math.max(0, length - keep));
  let head = x >> drop;
  const rest = x - (head << drop), half = drop > 0n ? 1n << (drop - 1n) : 1n;
  if (rest > half || (rest === half && head % 2n === 1n)) head++;
  return Number(head) * 2 ** (Number(drop) - Number(BITS));
}

/** The number as a sum of two doubles, which holds about 106 bits of it. */
export function toDoubles(x: Fixed): { readonly hi: number; readonly lo: number } {
  const hi = toFloat(x, 'f64');
  return { hi, lo: toFloat(x - fromFloat(hi), 'f64') };
}

/** A double of moderate size as fixed point; exact down to 2^-208. */
export function fromFloat(x: number): Fixed {
  if (x === 0) return 0n;
  const e = Math.max(-1022, Math.floor(Math.log2(Math.abs(x))) - 53), m = BigInt(x / 2 ** e), shift = BITS + BigInt(e);
  return shift >= 0n ? m << shift : m >> -shift;
}
