/* 16-bit floats: IEEE 754 binary16, and bfloat16 (the upper half of an f32). Conversions round to nearest, ties to even. The kernel language has its own: neither package loads the other. */

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The nearest binary16 of x, as its 16 bits. Beyond 65519.99 it is infinite; every NaN becomes 0x7e00. */
export function f32ToF16(x: number): number {
  f32[0] = x;
  const bits = u32[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return mantissa === 0 ? sign | 0x7c00 : 0x7e00;
  const e = exponent - 112;
  if (e >= 31) return sign | 0x7c00;
  if (e >= 1) {
    const rest = mantissa & 0x1fff;
    const half = (e << 10) | (mantissa >>> 13);
    // A carry out of the mantissa runs into the exponent, which is right, up to infinity.
    return sign | (half + (rest > 0x1000 || (rest === 0x1000 && (half & 1) === 1) ? 1 : 0));
  }
  if (e < -10) return sign;
  const shift = 14 - e;
  const full = mantissa | 0x800000;
  const half = full >>> shift;
  const rest = full & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return sign | (half + (rest > middle || (rest === middle && (half & 1) === 1) ? 1 : 0));
}

/** The value of a binary16 given as its 16 bits. */
export function f16ToF32(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 0x3ff;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (mantissa + 1024) * 2 ** (exponent - 25));
}

/** The nearest bfloat16 of x, as its 16 bits; every NaN becomes 0x7fc0. */
export function f32ToBf16(x: number): number {
  f32[0] = x;
  const bits = u32[0] ?? 0;
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** The value of a bfloat16 given as its 16 bits. */
export function bf16ToF32(bits: number): number {
  u32[0] = (bits << 16) >>> 0;
  return f32[0] ?? 0;
}
