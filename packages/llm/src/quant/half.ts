// IEEE 754 binary16 <-> binary32, by integer arithmetic on the bits.
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Value of a half-precision bit pattern (0..65535). Exact: every half is a float. */
export function f16ToF32(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/**
 * Nearest half-precision bit pattern of a float, ties to even; `x` is rounded to single precision first.
 * What is too large becomes infinity; every NaN becomes 0x7e00.
 */
export function f32ToF16(x: number): number {
  float[0] = x;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7e00;
  // 65520 is halfway between the largest half and the next power of two: ties go to even, which is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000;
    return sign | roundShift(rebased, 13);
  }
  // Subnormal result, a multiple of 2^-24. Below 2^-25, and at 2^-25 by the tie, it is zero.
  if (magnitude <= 0x33000000) return sign;
  const exponent = magnitude >>> 23;
  const significand = (magnitude & 0x7fffff) | 0x800000;
  return sign | roundShift(significand, 126 - exponent);
}

/** `value / 2^shift` to the nearest integer, ties to even, for shift 1..30. */
function roundShift(value: number, shift: number): number {
  const quotient = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (quotient & 1) === 1) ? quotient + 1 : quotient;
}
