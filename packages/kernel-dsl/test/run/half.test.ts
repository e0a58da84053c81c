import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../src/run/index.ts';

const f32 = new Float32Array(1), u32 = new Uint32Array(f32.buffer);
const float = (bits: number): number => { u32[0] = bits; return f32[0]!; };

/** Nearest of all finite values by search, ties to the even bits, beyond the largest by half a step to infinity. */
function nearest(x: number, decode: (b: number) => number, infinity: number): number {
  const a = Math.abs(x), sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  let lo = 0, hi = infinity; // decode(lo) <= a; the value of `infinity` would be one step past the largest
  const value = (b: number): number => (b === infinity ? 2 * decode(infinity - 1) - decode(infinity - 2) : decode(b));
  if (a >= value(infinity)) return sign | infinity;
  while (hi - lo > 1) { const m = (lo + hi) >> 1; if (value(m) <= a) lo = m; else hi = m; }
  const down = a - value(lo), up = value(hi) - a; // exact: all of these are multiples of one power of two, with few bits
  return sign | (down < up || (down === up && lo % 2 === 0) ? lo : hi);
}

describe.each([
  { name: 'f16', encode: f32ToF16, decode: f16ToF32, infinity: 0x7c00, samples: [[0x3c00, 1], [0xc000, -2], [0x0001, 2 ** -24], [0x7bff, 65504], [0x3555, 0.333251953125], [0x7c00, Infinity]] },
  { name: 'bf16', encode: f32ToBf16, decode: bf16ToF32, infinity: 0x7f80, samples: [[0x3f80, 1], [0xc000, -2], [0x0001, 2 ** -133], [0x4049, 3.140625], [0x7f80, Infinity]] },
])('$name', ({ encode, decode, infinity, samples }) => {
  it.each(samples)('bits %i are %d', (bits, x) => { expect(decode(bits)).toBe(x); });

  it('brings all 65536 patterns back', () => {
    for (let b = 0; b < 65536; b++) {
      const x = decode(b);
      if ((b & 0x7fff) > infinity) { if (!Number.isNaN(x) || !Number.isNaN(decode(encode(x)))) expect.fail(`${b} is no NaN`); }
      else if (encode(x) !== b) expect.fail(`${b} -> ${x} -> ${encode(x)}`);
    }
  });

  it('rounds to nearest, ties to even, at every midpoint and beside it', () => {
    for (let b = 0; b < infinity - 1; b++) {
      const mid = (decode(b) + decode(b + 1)) / 2;
      f32[0] = mid;
      const bits = u32[0]!;
      if (f32[0] !== mid) expect.fail('a midpoint is an f32'); // else the three below would not be what they are called
      const even = b % 2 === 0 ? b : b + 1;
      if (encode(mid) !== even || encode(-mid) !== (even | 0x8000)) expect.fail(`tie after ${b}`);
      if (encode(float(bits - 1)) !== b || encode(float(bits + 1)) !== b + 1) expect.fail(`beside the tie after ${b}`);
    }
  });

  it('agrees with a search on any f32', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 0xffffffff }), (bits) => {
      const x = float(bits);
      if (Number.isNaN(x)) return Number.isNaN(decode(encode(x)));
      return encode(x) === nearest(x, decode, infinity);
    }), { numRuns: 5000 });
  });
});

it('overflows to infinity from half a step past the largest on', () => {
  expect(f32ToF16(65519.99609375)).toBe(0x7bff);
  expect(f32ToF16(65520)).toBe(0x7c00);
  expect(f32ToF16(-1e30)).toBe(0xfc00);
  expect(f32ToBf16(float(0x7f7f7fff))).toBe(0x7f7f);
  expect(f32ToBf16(float(0x7f7f8000))).toBe(0x7f80);
});

it('reads an f64 by way of f32', () => {
  const x = 1 + 2 ** -11 + 2 ** -40; // above the tie of f16, but the f32 nearest to it is the tie
  expect(f32ToF16(x)).toBe(0x3c00);
});
