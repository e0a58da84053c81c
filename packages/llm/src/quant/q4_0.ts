import { f16ToF32, f32ToF16 } from '@quern/runtime';
import { QuantError } from './error.ts';

const BLOCK = 32;
const BYTES = 18;
const { fround } = Math;

/**
 * Q4_0: a half-precision scale d, then 16 bytes; byte j holds element j in its low nibble and element j+16 in its
 * high nibble. Element = d * (nibble - 8). d is the value of largest magnitude, sign kept, over -8, so that the
 * extreme value is hit exactly by nibble 0. All arithmetic is in single precision, as in the format's reference.
 */
export function quantizeQ4_0(src: Float32Array, dst: Uint8Array): void {
  for (let block = 0; block * BLOCK < src.length; block++) {
    const from = block * BLOCK;
    const to = block * BYTES;
    let extreme = 0;
    let magnitude = 0;
    for (let j = 0; j < BLOCK; j++) {
      const value = src[from + j] as number;
      if (Math.abs(value) > magnitude) {
        magnitude = Math.abs(value);
        extreme = value;
      }
    }
    const scale = fround(extreme / -8);
    const inverse = inverseOf(scale);
    writeScale(dst, to, scale, from);
    for (let j = 0; j < BLOCK / 2; j++) {
      const low = nibble(src[from + j] as number, inverse);
      const high = nibble(src[from + j + BLOCK / 2] as number, inverse);
      dst[to + 2 + j] = low | (high << 4);
    }
  }
}

function nibble(value: number, inverse: number): number {
  // The bounds matter at subnormal scales only, where the scale has lost bits.
  return Math.max(0, Math.min(15, Math.trunc(fround(fround(value * inverse) + 8.5))));
}

/** Inverse of {@link quantizeQ4_0}. */
export function dequantizeQ4_0(src: Uint8Array, dst: Float32Array): void {
  for (let block = 0; block * BLOCK < dst.length; block++) {
    const from = block * BYTES;
    const to = block * BLOCK;
    const scale = f16ToF32((src[from] as number) | ((src[from + 1] as number) << 8));
    for (let j = 0; j < BLOCK / 2; j++) {
      const pair = src[from + 2 + j] as number;
      dst[to + j] = scale * ((pair & 15) - 8);
      dst[to + j + BLOCK / 2] = scale * ((pair >> 4) - 8);
    }
  }
}

/** 1 / scale in single precision; 0 for a scale so small that its inverse overflows: as a half it is zero as well. */
export function inverseOf(scale: number): number {
  const inverse = fround(1 / scale);
  return Number.isFinite(inverse) ? inverse : 0;
}

/** Stores a block's scale as a half, and refuses one that a half cannot hold. */
export function writeScale(dst: Uint8Array, at: number, scale: number, element: number): void {
  const half = f32ToF16(scale);
  if ((half & 0x7c00) === 0x7c00) {
    throw new QuantError('overflow', `the scale ${scale} of the block at element ${element} exceeds half precision`, 'store this tensor as F32 or BF16');
  }
  dst[at] = half & 255;
  dst[at + 1] = half >> 8;
}
