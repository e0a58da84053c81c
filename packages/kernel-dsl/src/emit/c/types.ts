import type { DType } from '../../ir/index.ts';
import { bytesOf } from '../../ir/index.ts';
import { heldAs } from '../text/index.ts';

export { heldAs };

const SCALARS: Readonly<Record<DType, string>> = {
  f64: 'double', f32: 'float', f16: 'uint16_t', bf16: 'uint16_t', i64: 'int64_t', i32: 'int32_t', u32: 'uint32_t',
  i16: 'int16_t', u16: 'uint16_t', i8: 'int8_t', u8: 'uint8_t', bool: 'uint8_t',
};

/** The C type of a value: `float`, or `f32x16` for a vector. */
export const cType = (t: DType, lanes = 1): string => (lanes === 1 ? SCALARS[t] : `${heldAs(t)}x${lanes}`);

/** The signed integer as wide as a dtype: what a comparison of vectors yields. */
export function maskOf(t: DType): DType {
  return ({ 1: 'i8', 2: 'i16', 4: 'i32', 8: 'i64' } as const)[bytesOf(t) as 1 | 2 | 4 | 8];
}

/** The unsigned integer as wide as a dtype, as the C type of one lane. C has no u64 dtype, so this is text. */
export const unsignedBits = (t: DType): string => `uint${bytesOf(t) * 8}_t`;

const TYPEDEF = /^(f64|f32|i64|i32|u32|i16|u16|i8|u8)x(\d+)$/;

/** The typedef of a vector type from its name, e.g. `f32x16`. */
export function vectorTypedef(name: string): string {
  const m = TYPEDEF.exec(name);
  if (!m) throw new Error(`${name} is not a vector type`);
  const t = m[1] as DType, lanes = Number(m[2]);
  return `typedef ${SCALARS[t]} ${name} __attribute__((vector_size(${lanes * bytesOf(t)})));`;
}

/** Names of the vector types that a C text mentions. */
export function vectorTypesIn(text: string): string[] {
  return [...new Set(text.match(/\b(?:f64|f32|i64|i32|u32|i16|u16|i8|u8)x(?:2|4|8|16|32|64|128)\b/g) ?? [])];
}
