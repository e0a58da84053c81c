import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../src/index.ts';

const finiteHalves = Array.from({ length: 0x7c00 }, (_, i) => i);

/** The float after x, away from zero. */
function floatAfter(x: number, steps: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  view.setUint32(0, view.getUint32(0) + steps);
  return view.getFloat32(0);
}

describe('half precision', () => {
  it('reads landmark patterns', () => {
    const cases: [number, number][] = [
      [0x0000, 0], [0x8000, -0], [0x3c00, 1], [0xc000, -2], [0x7bff, 65504], [0x0400, 2 ** -14], [0x03ff, 1023 * 2 ** -24],
      [0x0001, 2 ** -24], [0x7c00, Infinity], [0xfc00, -Infinity], [0x3555, 0.333251953125],
    ];
    for (const [half, value] of cases) expect(f16ToF32(half)).toBe(value);
    expect(f16ToF32(0x7c01)).toBeNaN();
    expect(f16ToF32(0xffff)).toBeNaN();
  });

  it('returns every one of the 65536 patterns to itself', () => {
    for (let half = 0; half < 65536; half++) {
      const value = f16ToF32(half);
      if (Number.isNaN(value)) expect(f32ToF16(value)).toBe(0x7e00);
      else if (f32ToF16(value) !== half) expect.unreachable(`${half} -> ${value} -> ${f32ToF16(value)}`);
    }
  });

  it('rounds to nearest, ties to even, between every two neighbours', () => {
    for (const half of finiteHalves) {
      const low = f16ToF32(half);
      // The largest half's upper neighbour would be 65536: beyond the tie lies infinity.
      const high = half === 0x7bff ? 65536 : f16ToF32(half + 1);
      const middle = (low + high) / 2;
      const even = half % 2 === 0 ? half : half + 1;
      for (const [x, want] of [[floatAfter(middle, -1), half], [middle, even], [floatAfter(middle, 1), half + 1]] as const) {
        if (f32ToF16(x) !== want) expect.unreachable(`${x} -> ${f32ToF16(x)}, not ${want}`);
        if (f32ToF16(-x) !== (want | 0x8000)) expect.unreachable(`${-x} -> ${f32ToF16(-x)}, not ${want | 0x8000}`);
      }
    }
  });

  it('turns what is too large into infinity and what is too small into a signed zero', () => {
    expect(f32ToF16(1e30)).toBe(0x7c00);
    expect(f32ToF16(-Infinity)).toBe(0xfc00);
    expect(f32ToF16(65519.996)).toBe(0x7bff);
    expect(f32ToF16(-1e-30)).toBe(0x8000);
    expect(f32ToF16(2 ** -25)).toBe(0);
    expect(f32ToF16(floatAfter(2 ** -25, 1))).toBe(1);
  });
});

describe('bfloat16', () => {
  it('returns every one of the 65536 patterns to itself', () => {
    for (let pattern = 0; pattern < 65536; pattern++) {
      const value = bf16ToF32(pattern);
      if (Number.isNaN(value)) expect(f32ToBf16(value)).toBe(0x7fc0);
      else if (f32ToBf16(value) !== pattern) expect.unreachable(`${pattern} -> ${value} -> ${f32ToBf16(value)}`);
    }
  });

  it('rounds to nearest, ties to even', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 0x7f7e }), (pattern) => {
      const middle = (bf16ToF32(pattern) + bf16ToF32(pattern + 1)) / 2;
      expect(f32ToBf16(middle)).toBe(pattern % 2 === 0 ? pattern : pattern + 1);
      expect(f32ToBf16(floatAfter(middle, -1))).toBe(pattern);
      expect(f32ToBf16(floatAfter(middle, 1))).toBe(pattern + 1);
    }));
    expect(f32ToBf16(3.4e38)).toBe(0x7f80);
  });
});
