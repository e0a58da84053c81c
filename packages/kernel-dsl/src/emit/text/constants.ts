import type { DType } from '../../ir/index.ts';
import { isFloat } from '../../ir/index.ts';
import { f32ToBf16, f32ToF16 } from '../../run/index.ts';

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
  if (t === 'f16') return value === 0 && !Object.is(value, -0) ? '0' : `0x${f32ToF16(value).toString(16)}`;
  if (t === 'bf16') return value === 0 && !Object.is(value, -0) ? '0' : `0x${f32ToBf16(value).toString(16)}`;
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
