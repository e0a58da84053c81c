import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK_TYPES, QuantError, blockType, blockTypeById, codec, dequantize, f16ToF32, hasCodec, isBlockTypeName, quantize, rowBytes,
  type BlockTypeName, type CodecName, type QuantErrorCode,
} from '../../src/quant/index.ts';
import { atMost } from '../../../../tools/test/often.ts';

function expectCode(code: QuantErrorCode, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(QuantError);
    expect((error as QuantError).code).toBe(code);
    expect((error as QuantError).fix).not.toBe('');
    return;
  }
  expect.unreachable(`no ${code}`);
}

/** 64 rows over eight decades, with blocks of zeros and of equal magnitudes: the same numbers on every machine. */
function sample(): Float32Array {
  const x = new Float32Array(32 * 64);
  let state = 12345;
  for (let i = 0; i < x.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const decade = Math.fround(10 ** (Math.floor(i / 256) - 6));
    x[i] = Math.fround(((state >>> 8) / 2 ** 24) * 2 - 1) * decade;
  }
  for (let j = 0; j < 32; j++) {
    x[5 * 32 + j] = 0;
    x[6 * 32 + j] = j % 2 ? 2 : -2;
    x[7 * 32 + j] = j - 16;
    x[8 * 32 + j] = j * 0.5 - 7.75;
  }
  return x;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const blocks = fc.array(fc.array(fc.float({ noNaN: true, min: Math.fround(-1e5), max: Math.fround(1e5) }), { minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: 4 })
  .map((rows) => Float32Array.from(rows.flat()));

describe('layout table', () => {
  it('has each name and number once, and finds them', () => {
    expect(new Set(BLOCK_TYPES.map((t) => t.id)).size).toBe(BLOCK_TYPES.length);
    for (const type of BLOCK_TYPES) {
      expect(blockType(type.name)).toBe(type);
      expect(blockTypeById(type.id)).toBe(type);
    }
    expect(blockTypeById(4)).toBeUndefined();
    expect(isBlockTypeName('Q4_0')).toBe(true);
    expect(isBlockTypeName('toString')).toBe(false);
    expectCode('unknown-type', () => blockType('Q9_9' as BlockTypeName));
  });

  it('sizes rows', () => {
    expect(rowBytes('Q4_0', 4096)).toBe(2304);
    expect(rowBytes('Q6_K', 512)).toBe(420);
    expect(rowBytes('F32', 3)).toBe(12);
    expectCode('bad-length', () => rowBytes('Q8_0', 33));
    expectCode('bad-length', () => rowBytes('F32', -1));
  });
});

describe('codecs', () => {
  // Made once with the reference quantisers of the format's own Python package from the numbers of sample().
  it.each<[CodecName, string]>([
    ['Q4_0', '13dd29aa65aa76c8d81279af20ca24c2ce222b68c995fbc11319430b2833ee77'],
    ['Q8_0', 'eb352a72260650a98ecaa2b729f8adcf724c5a236e8fb90fec679c202548e347'],
    ['F16', '36404d503a98e5b87c668c71af68c0393c2fdd5efaf7cf6d84dca402f05986a1'],
    ['BF16', '2147b207df81c510bf9bed7d46719506911ec47b70f24f04bfe8c05c2d855735'],
  ])('%s gives the bytes of the reference', (type, digest) => {
    expect(sha256(quantize(type, sample()))).toBe(digest);
  });

  it.each<[CodecName, string]>([
    ['Q4_0', '52625e743ec71869d416b87e42183a03805578955e1e917dabed3dedcacb59ab'],
    ['Q8_0', 'cca22c830298ec3fd8eccdbd581bf0584745662e0091ef9cc5a9e93fd5c68a6c'],
  ])('%s reads back the floats of the reference', (type, digest) => {
    const values = dequantize(type, quantize(type, sample()));
    expect(sha256(new Uint8Array(values.buffer))).toBe(digest);
  });

  it('Q4_0 keeps the sign of the extreme in the scale, low nibbles first', () => {
    const bytes = quantize('Q4_0', Float32Array.from({ length: 32 }, (_, i) => (i < 16 ? 8 - i : i === 31 ? -7 : 0)));
    expect(f16ToF32((bytes[0] as number) | ((bytes[1] as number) << 8))).toBe(-1);
    expect((bytes[2] as number) & 15).toBe(0); // 8 / -1 + 8
    expect((bytes[3] as number) & 15).toBe(1);
    expect((bytes[2] as number) >> 4).toBe(8); // element 16 is zero
    expect((bytes[17] as number) >> 4).toBe(15); // element 31 is -7
  });

  it('F32 is exact, whatever the alignment of the bytes', () => {
    const x = Float32Array.from([1.5, -0, 3e-40, Infinity, 7]);
    const shifted = new Uint8Array(21);
    shifted.set(quantize('F32', x), 1);
    expect(dequantize('F32', shifted.subarray(1))).toEqual(x);
    expect(dequantize('F32', shifted.subarray(1), 2)).toEqual(x.subarray(0, 2));
  });

  it.each<[CodecName, number]>([['Q4_0', 1 / 8], ['Q8_0', 1 / 254]])('%s is within half a step of its block scale', (type, share) => {
    fc.assert(fc.property(blocks, (x) => {
      const y = dequantize(type, quantize(type, x));
      for (let b = 0; b < x.length; b += 32) {
        const amax = Math.max(...x.subarray(b, b + 32).map(Math.abs));
        // Half a step, but Q4_0's last step on the far side is a whole one; plus the rounding of the scale to a half.
        const bound = amax * share + amax * 2 ** -10 + 127 * 2 ** -25;
        for (let i = b; i < b + 32; i++) atMost(Math.abs((x[i] as number) - (y[i] as number)), bound);
      }
    }));
  });

  it('stays in range where the scale is subnormal', () => {
    for (const tiny of [1e-45, 1e-39, 1e-38, -3e-38]) {
      const x = Float32Array.from({ length: 32 }, (_, i) => (i % 2 ? tiny : -tiny / 2));
      for (const type of ['Q4_0', 'Q8_0'] as const) expect([...dequantize(type, quantize(type, x))].every((v) => v === 0)).toBe(true);
    }
  });

  it('refuses what it cannot hold, naming the weight', () => {
    const x = new Float32Array(64);
    x[40] = NaN;
    expectCode('non-finite', () => quantize('Q4_0', x));
    expect(() => quantize('Q8_0', x)).toThrow(/weight 40 is NaN/);
    x[40] = 3e38;
    expectCode('overflow', () => quantize('Q4_0', x));
    expectCode('overflow', () => quantize('Q8_0', x));
    expectCode('bad-length', () => quantize('Q4_0', new Float32Array(33)));
    expectCode('bad-length', () => dequantize('Q4_0', new Uint8Array(18), 64));
    expectCode('bad-length', () => dequantize('Q4_0', new Uint8Array(19)));
    expectCode('no-codec', () => codec('Q6_K'));
    expect(hasCodec('Q6_K')).toBe(false);
  });
});
