/** The functions of passes/math in whole numbers of hundreds of bits: what their results are held against. */
import type { MathFn } from '../../src/passes/math/index.ts';

/** m 2^e, exactly. */
interface Big { readonly m: bigint; readonly e: number }

const P = 320, WIDE = 1500, ONE = 1n << BigInt(P);
const abs = (x: bigint): bigint => (x < 0n ? -x : x);
const mul = (a: bigint, b: bigint): bigint => (a * b) >> BigInt(P);
const shift = (x: bigint, by: number): bigint => (by >= 0 ? x << BigInt(by) : x >> BigInt(-by));
/** round(x / y) of fixed-point numbers. */
const nearest = (x: bigint, y: bigint): bigint => { const twice = 2n * x + y, d = 2n * y, q = twice / d; return twice % d < 0n ? q - 1n : q; };

const view = new DataView(new ArrayBuffer(8));
/** A finite double. */
function exactly(x: number): Big {
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0), field = Number((bits >> 52n) & 0x7ffn), f = bits & 0xfffffffffffffn, m = field === 0 ? f : f | (1n << 52n);
  return { m: x < 0 ? -m : m, e: Math.max(field, 1) - 1075 };
}
const fixed = (x: number, bits = P): bigint => { const { m, e } = exactly(x); return shift(m, e + bits); };

/** atanh(a / b) as a series. */
function atanh(a: bigint, b: bigint, bits: number): bigint {
  const s = (a << BigInt(bits)) / b, z = (s * s) >> BigInt(bits);
  let term = s, sum = s;
  for (let n = 3n; abs(term) > 0n; n += 2n) { term = (term * z) >> BigInt(bits); if (term === -1n) break; sum += term / n; }
  return sum;
}
/** atan(1 / n). */
function atanInverse(n: bigint, bits: number): bigint {
  let term = (1n << BigInt(bits)) / n, sum = term;
  for (let k = 3n, sign = -1n; term > 0n; k += 2n, sign = -sign) { term /= n * n; sum += (sign * term) / k; }
  return sum;
}
function sqrt(x: bigint): bigint {
  let r = 1n << BigInt((x.toString(2).length + 1) >> 1);
  for (;;) { const next = (r + x / r) >> 1n; if (next >= r) return r; r = next; }
}
const LN2 = 2n * atanh(1n, 3n, P);
const PI_WIDE = 4n * (4n * atanInverse(5n, WIDE) - atanInverse(239n, WIDE)), PI = PI_WIDE >> BigInt(WIDE - P);
const SQRT_PI = sqrt(PI << BigInt(P));

/** e^x of fixed x, as m 2^e. */
function exp(x: bigint): Big {
  const k = nearest(x, LN2), r = x - k * LN2;
  let term = ONE, sum = ONE;
  for (let n = 1n; abs(term) > 1n; n++) { term = mul(term, r) / n; sum += term; }
  return { m: sum, e: Number(k) - P };
}
function log(x: number): bigint {
  let { m, e } = exactly(x);
  const up = 53 - m.toString(2).length;
  m <<= BigInt(up); e -= up;
  let k = e + 52;
  let one = 1n << 52n;
  if (2n * m > 3n * one) { k++; one *= 2n; } // m / one in [0.75, 1.5]
  return BigInt(k) * LN2 + 2n * atanh(m - one, m + one, P);
}
function sine(x: number, quarter: boolean): bigint {
  const full = fixed(x, WIDE) + (quarter ? PI_WIDE / 2n : 0n), n = nearest(full, PI_WIDE), r = (full - n * PI_WIDE) >> BigInt(WIDE - P), z = mul(r, r);
  let term = r, sum = r;
  for (let k = 2n; abs(term) > 1n; k += 2n) { term = -mul(term, z) / (k * (k + 1n)); sum += term; }
  return n % 2n === 0n ? sum : -sum;
}
function erf(x: number): bigint {
  const a = fixed(Math.abs(x)), xx = mul(a, a), e = exp(-xx);
  let term = a, sum = a;
  for (let n = 1n; term > 0n; n++) { term = mul(term, 2n * xx) / (2n * n + 1n); sum += term; }
  const y = mul(2n * sum, (ONE * ONE) / SQRT_PI), r = shift(y * e.m, e.e);
  return x < 0 ? -r : r;
}

/** f(x), or x^y, of finite numbers where it is finite; not for subnormal x of tanh and erf. Correct to 2^-200 of the result. */
function value(fn: MathFn, x: number, y: number): Big {
  const of = (m: bigint): Big => ({ m, e: -P });
  switch (fn) {
    case 'exp': return exp(fixed(x));
    case 'exp2': return exp(mul(fixed(x), LN2));
    case 'log': return of(log(x));
    case 'log2': return of((log(x) << BigInt(P)) / LN2);
    case 'sin': return of(sine(x, false));
    case 'cos': return of(sine(x, true));
    case 'tanh': { const e = exp(fixed(2 * x)), m = shift(e.m, e.e + P); return of(((m - ONE) << BigInt(P)) / (m + ONE)); }
    case 'erf': return of(erf(x));
    case 'pow': return exp(mul(fixed(y), log(x)));
  }
}

/** How far `got` lies from f(x) or x^y, in units in the last place of the exact result: of a double, or of a format with fewer digits. */
export function ulpsOff(fn: MathFn, got: number, x: number, y = 0, format: { readonly digits: number; readonly least: number } = { digits: 53, least: -1074 }): number {
  const want = value(fn, x, y), mine = exactly(got), e = Math.min(want.e, mine.e);
  const difference = abs(shift(want.m, want.e - e) - shift(mine.m, mine.e - e));
  const top = want.m === 0n ? -Infinity : abs(want.m).toString(2).length - 1 + want.e, ulp = Math.max(top - format.digits + 1, format.least);
  // 2^-40 ulps are the last that count.
  return Number(shift(difference, e - ulp + 40)) / 2 ** 40;
}
