import type { DType } from '../../ir/index.ts';
import { isFloat } from '../../ir/index.ts';

/** Bits of the half-precision float nearest to x, ties to even. */
export function f16Bits(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0, a = Math.abs(x);
  if (a >= 65520) return sign | 0x7c00;
  // One unit in the last place: 2^-24 for subnormals, 2^(exponent - 10) above.
  const e = a < 2 ** -14 ? -14 : Math.floor(Math.log2(a)), exp = 2 ** e > a ? e - 1 : e;
  const units = a / 2 ** (exp - 10), low = Math.floor(units), rest = units - low;
  const rounded = rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
  return sign | (a < 2 ** -14 ? rounded : ((exp + 14) << 10) + rounded);
}

/** Bits of the bfloat16 nearest to x (itself first rounded to f32), ties to even. */
export function bf16Bits(x: number): number {
  const u = new Uint32Array(Float32Array.of(x).buffer)[0]!;
  if (Number.isNaN(x)) return 0x7fc0;
  return ((u + 0x7fff + ((u >>> 16) & 1)) >>> 16) & 0xffff;
}

function decimal(v: number, single: boolean): string {
  const s = single ? shortestF32(v) : String(v);
  return /[.e]/.test(s) ? s : `${s}.0`;
}

/** The fewest digits that a C compiler reads back as the same f32. */
function shortestF32(v: number): string {
  for (let d = 1; d < 9; d++) {
    const n = Number(v.toPrecision(d));
    // Near enough that rounding the decimal once (C) or twice (here) gives the same.
    if (Math.fround(n) === v && Math.abs(n - v) <= Math.abs(v) * 2 ** -26) return String(n);
  }
  return String(Number(v.toPrecision(9)));
}

/** A constant as C text of the given dtype; reads back as exactly the same value. Needs math.h for infinities and NaN. */
export function literal(value: number, t: DType): string {
  if (t === 'f16') return value === 0 && !Object.is(value, -0) ? '0' : `0x${f16Bits(value).toString(16)}`;
  if (t === 'bf16') return value === 0 && !Object.is(value, -0) ? '0' : `0x${bf16Bits(value).toString(16)}`;
  if (isFloat(t)) {
    const single = t === 'f32';
    if (Number.isNaN(value)) return single ? 'NAN' : '(double)NAN';
    const sign = value < 0 || Object.is(value, -0) ? '-' : '', a = Math.abs(single ? Math.fround(value) : value);
    if (a === Infinity) return single ? `${sign}INFINITY` : `${sign}(double)INFINITY`;
    return `${sign}${decimal(a, single)}${single ? 'f' : ''}`;
  }
  if (t === 'bool') return value ? '1' : '0';
  if (t === 'u32') return `${value >>> 0}u`;
  if (t === 'i32') return value === -(2 ** 31) ? 'INT32_MIN' : String(value);
  if (t === 'i64' && value >= 2 ** 63) return 'INT64_MAX';
  if (t === 'i64' && value <= -(2 ** 63)) return 'INT64_MIN';
  // A decimal beyond int is a long by itself.
  return String(BigInt(value));
}
