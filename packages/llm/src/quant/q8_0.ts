import { f16ToF32 } from '@quern/runtime';
import { inverseOf, writeScale } from './q4_0.ts';

const BLOCK = 32;
const BYTES = 34;
const { fround } = Math;

/**
 * Q8_0: a half-precision scale d = max|x| / 127, then 32 signed bytes. Element = d * byte; the byte is x / d rounded
 * half away from zero. All arithmetic is in single precision, as in the format's reference.
 */
export function quantizeQ8_0(src: Float32Array, dst: Uint8Array): void {
  for (let block = 0; block * BLOCK < src.length; block++) {
    const from = block * BLOCK;
    const to = block * BYTES;
    let magnitude = 0;
    for (let j = 0; j < BLOCK; j++) magnitude = Math.max(magnitude, Math.abs(src[from + j] as number));
    const scale = fround(magnitude / 127);
    const inverse = inverseOf(scale);
    writeScale(dst, to, scale, from);
    for (let j = 0; j < BLOCK; j++) {
      const scaled = fround((src[from + j] as number) * inverse);
      // A subnormal scale loses bits, and its inverse may carry a value past the end of the byte.
      const rounded = Math.min(127, Math.floor(Math.abs(scaled) + 0.5));
      dst[to + 2 + j] = scaled < 0 ? -rounded : rounded;
    }
  }
}

/** Inverse of {@link quantizeQ8_0}. */
export function dequantizeQ8_0(src: Uint8Array, dst: Float32Array): void {
  for (let block = 0; block * BLOCK < dst.length; block++) {
    const from = block * BYTES;
    const scale = f16ToF32((src[from] as number) | ((src[from + 1] as number) << 8));
    for (let j = 0; j < BLOCK; j++) {
      const byte = src[from + 2 + j] as number;
      dst[block * BLOCK + j] = scale * (byte < 128 ? byte : byte - 256);
    }
  }
}
