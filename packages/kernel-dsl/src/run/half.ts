/** The storage floats f16 (IEEE binary16) and bf16 (the upper half of an f32) as bits and as numbers. */

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The number that 16 bits of binary16 stand for; exact. */
export function f16ToF32(bits: number): number {
  const e = bits & 0x7c00, m = bits & 0x3ff;
  if (e !== 0 && e !== 0x7c00) { // only the exponent's bias differs
    u32[0] = ((bits & 0x8000) << 16) | ((e + (112 << 10)) << 13) | (m << 13);
    return f32[0]!;
  }
  const x = e === 0 ? m * 2 ** -24 : m ? NaN : Infinity;
  return bits & 0x8000 ? -x : x;
}

/** The binary16 bits nearest to a number, ties to even. What is not an f32 is rounded to f32 first, as hardware does. A NaN becomes 0x7e00. */
export function f32ToF16(x: number): number {
  if (x !== x) return 0x7e00;
  f32[0] = x;
  const u = u32[0]!, sign = (u >>> 16) & 0x8000, a = u & 0x7fffffff;
  if (a >= 0x477ff000) return sign | 0x7c00; // 65520 and more round to infinity
  if (a < 0x38800000) { // below 2^-14: a multiple of 2^-24; adding 2^52 rounds to an integer
    return sign | (Math.abs(f32[0]!) * 2 ** 24 + 2 ** 52 - 2 ** 52);
  }
  const h = (a >>> 13) - (112 << 10), rest = a & 0x1fff; // the exponent's bias goes from 127 to 15; a carry runs into it as it should
  return sign | (rest > 0x1000 || (rest === 0x1000 && (h & 1)) ? h + 1 : h);
}

/** The number that 16 bits of bfloat16 stand for; exact. */
export function bf16ToF32(bits: number): number {
  u32[0] = bits << 16;
  return f32[0]!;
}

/** The bfloat16 bits nearest to a number, ties to even. What is not an f32 is rounded to f32 first. A NaN becomes 0x7fc0. */
export function f32ToBf16(x: number): number {
  if (x !== x) return 0x7fc0;
  f32[0] = x;
  const u = u32[0]!;
  return ((u + 0x7fff + ((u >>> 16) & 1)) >>> 16) & 0xffff;
}
