import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fma32, fma64 } from '../../src/run/index.ts';

/** A finite number times 2^1074: an integer. */
function scaled(x: number): bigint {
  let k = 0;
  while (!Number.isInteger(x) && k < 1074) { x *= 2; k++; } // exact: doubling never rounds here
  return BigInt(x) << BigInt(1074 - k);
}

/** Is r the number nearest to n / 2^2148 among those with p bits and exponents from `low` (of the last place) to `top`, ties to even? Compares distances. */
function correct(r: number, n: bigint, p: number, low: number, top: number): boolean {
  const at = (x: number): bigint => scaled(x) << 1074n, abs = (x: bigint): bigint => (x < 0n ? -x : x);
  const max = (2 - 2 ** (1 - p)) * 2 ** top;
  if (abs(n) >= at(max) + at(2 ** (top - p))) return r === (n > 0n ? Infinity : -Infinity);
  if (!Number.isFinite(r)) return false;
  const place = (x: number): number => { // the last place of |x|
    let e = Math.max(low + p - 1, Math.min(top, x === 0 ? low : Math.floor(Math.log2(Math.abs(x)))));
    while (e > low + p - 1 && 2 ** e > Math.abs(x)) e--;
    while (e < top && 2 ** (e + 1) <= Math.abs(x)) e++;
    return 2 ** (e - p + 1);
  };
  const representable = (x: number): boolean => Math.abs(x) <= max && scaled(Math.abs(x)) % scaled(place(x)) === 0n;
  const even = (x: number): boolean => (scaled(Math.abs(x)) / scaled(place(x))) % 2n === 0n;
  const ulp = place(r), d = abs(n - at(r));
  return representable(r) && [r + ulp, r - ulp, r + ulp / 2, r - ulp / 2].every((x) => {
    if (x === r || !representable(x)) return true;
    const other = abs(n - at(x));
    return other > d || (other === d && even(r));
  });
}

const f32 = new Float32Array(1), u32 = new Uint32Array(f32.buffer), f64 = new Float64Array(1), u64 = new BigUint64Array(f64.buffer);
const MAX32 = (2 - 2 ** -23) * 2 ** 127;
const check32 = (a: number, b: number, c: number): boolean => {
  const n = scaled(a) * scaled(b) + (scaled(c) << 1074n), r = fma32(a, b, c);
  return Math.fround(r) === r && correct(r, n, 24, -149, 127);
};
const check64 = (a: number, b: number, c: number): boolean => correct(fma64(a, b, c), scaled(a) * scaled(b) + (scaled(c) << 1074n), 53, -1074, 1023);

const finite = (x: number): boolean => Number.isFinite(x);
const any32 = fc.integer({ min: 0, max: 0xffffffff }).map((b) => { u32[0] = b; return f32[0]!; }).filter(finite);
const any64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((b) => { u64[0] = b; return f64[0]!; }).filter(finite);
/** Few bits set and exponents close together: sums that fall on or beside ties. */
const sparse = (bits: number): fc.Arbitrary<number> => fc.tuple(fc.integer({ min: 0, max: bits - 1 }), fc.integer({ min: 0, max: bits - 1 }), fc.integer({ min: -40, max: 40 }), fc.boolean(), fc.boolean())
  .map(([i, j, e, plus, negative]) => (negative ? -1 : 1) * (2 ** Math.max(i, j) + (i === j ? 0 : (plus ? 1 : -1) * 2 ** Math.min(i, j))) * 2 ** e);

it('the oracle tells right from wrong', () => {
  const n = scaled(1) * scaled(1) + (scaled(2 ** -60) << 1074n);
  expect(correct(1, n, 53, -1074, 1023)).toBe(true);
  expect(correct(1 + 2 ** -52, n, 53, -1074, 1023)).toBe(false);
  expect(correct(1 - 2 ** -53, n, 53, -1074, 1023)).toBe(false);
  const tie = scaled(1) * scaled(1) + (scaled(2 ** -24) << 1074n);
  expect(correct(1, tie, 24, -149, 127)).toBe(true);
  expect(correct(1 + 2 ** -23, tie, 24, -149, 127)).toBe(false);
});

describe('fma32', () => {
  it('does not round twice', () => {
    // The product lies on a tie of f32 and c is too small to show in a double: rounding to double first would lose it.
    const a = 1 + 2 ** -12, b = 1 + 2 ** -12; // 1 + 2^-11 + 2^-24
    expect(fma32(a, b, 2 ** -149)).toBe(1 + 2 ** -11 + 2 ** -23);
    expect(fma32(a, b, -(2 ** -149))).toBe(1 + 2 ** -11);
    expect(fma32(a, b, 0)).toBe(1 + 2 ** -11);
    expect(Math.fround(a * b + 2 ** -149)).toBe(1 + 2 ** -11); // the trap itself
    expect(fma32(-a, b, -(2 ** -149))).toBe(-(1 + 2 ** -11 + 2 ** -23));
    // With a low word of zero, rounding towards zero has to borrow from the high one.
    expect(fma32(1 + 2 ** -23, 1 + 2 ** -23, -(2 ** -100))).toBe(1 + 2 ** -22);
    expect(fma32(2 ** 64, 1, -(2 ** -100))).toBe(2 ** 64);
  });
  it('follows IEEE 754 on zeros, infinities and NaN', () => {
    expect(fma32(1, 0, -0)).toBe(0);
    expect(fma32(-1, 0, -0)).toBe(-0);
    expect(fma32(2, 3, -6)).toBe(0);
    expect(fma32(Infinity, 0, 1)).toBeNaN();
    expect(fma32(Infinity, 1, -Infinity)).toBeNaN();
    expect(fma32(MAX32, MAX32, -Infinity)).toBe(-Infinity);
    expect(fma32(MAX32, 2, 0)).toBe(Infinity);
    expect(fma32(MAX32, 2, -MAX32)).toBe(MAX32);
  });
  it('is the nearest f32 for any bits', () => { fc.assert(fc.property(any32, any32, any32, check32), { numRuns: 3000 }); });
  it('is the nearest f32 on and beside ties', () => { fc.assert(fc.property(sparse(24), sparse(24), sparse(24), check32), { numRuns: 10_000 }); });
  it('is the nearest f32 where the result is subnormal', () => {
    const small = (e: number): fc.Arbitrary<number> => sparse(24).map((x) => Math.fround(x * 2 ** e));
    fc.assert(fc.property(small(-90), small(-80), small(-160), check32), { numRuns: 5000 });
  });
});

describe('fma64', () => {
  it('does not round twice', () => {
    const a = 1 + 2 ** -27, b = 1 + 2 ** -26; // 1 + 2^-26 + 2^-27 + 2^-53: a tie
    expect(fma64(a, b, 0)).toBe(1 + 2 ** -26 + 2 ** -27);
    expect(fma64(a, b, 2 ** -300)).toBe(1 + 2 ** -26 + 2 ** -27 + 2 ** -52);
    expect(fma64(a, b, -(2 ** -300))).toBe(1 + 2 ** -26 + 2 ** -27);
    expect(fma64(a, b, 2 ** -1000)).toBe(1 + 2 ** -26 + 2 ** -27 + 2 ** -52); // too far apart for the fast path
    expect(fma64(0.1, 10, -1)).toBe(2 ** -54);
  });
  it('follows IEEE 754 on zeros, infinities and NaN', () => {
    expect(fma64(1, 0, -0)).toBe(0);
    expect(fma64(-1, 0, -0)).toBe(-0);
    expect(fma64(2, 3, -6)).toBe(0);
    expect(fma64(2 ** -600, -(2 ** -600), 0)).toBe(-0); // rounds to zero, and keeps its sign
    expect(fma64(Number.MAX_VALUE, Number.MAX_VALUE, -Infinity)).toBe(-Infinity);
    expect(fma64(Infinity, 0, 1)).toBeNaN();
    expect(fma64(Number.MAX_VALUE, 2, -Number.MAX_VALUE)).toBe(Number.MAX_VALUE);
    expect(fma64(Number.MAX_VALUE, 2, 0)).toBe(Infinity);
  });
  it('is the nearest double for any bits', () => { fc.assert(fc.property(any64, any64, any64, check64), { numRuns: 1000 }); });
  it('is the nearest double on and beside ties', () => { fc.assert(fc.property(sparse(53), sparse(53), sparse(53), check64), { numRuns: 4000 }); });
  it('is the nearest double where the product cancels', () => {
    fc.assert(fc.property(any64, any64, fc.integer({ min: -2, max: 2 }), (a, b, k) => {
      const p = a * b;
      if (!finite(p)) return true;
      f64[0] = -p;
      u64[0] = u64[0]! + BigInt(k);
      return finite(f64[0]!) ? check64(a, b, f64[0]!) : true;
    }), { numRuns: 1500 });
  });
  it('is the nearest double at both ends of the range', () => {
    const end = (e: number): fc.Arbitrary<number> => sparse(53).map((x) => x * 2 ** e).filter(finite);
    fc.assert(fc.property(end(-560), end(-560), end(-1090), check64), { numRuns: 1500 });
    fc.assert(fc.property(end(450), end(450), end(900), check64), { numRuns: 1500 });
  });
});
