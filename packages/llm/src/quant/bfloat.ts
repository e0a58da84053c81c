// bfloat16 is the upper half of a float.
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Value of a bfloat16 bit pattern (0..65535). Exact. */
export function bf16ToF32(pattern: number): number {
  bits[0] = pattern << 16;
  return float[0] as number;
}

/** Nearest bfloat16 bit pattern of a float, ties to even; every NaN becomes 0x7fc0. */
export function f32ToBf16(x: number): number {
  float[0] = x;
  const word = bits[0] as number;
  if ((word & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff;
}
