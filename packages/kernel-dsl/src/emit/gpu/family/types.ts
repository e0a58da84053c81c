import type { DType } from '../../../ir/index.ts';
import { bytesOf } from '../../../ir/index.ts';
import { heldAs } from '../../text/index.ts';

/** Types of both languages: those of C where they are clear, else the dtypes' names, which the prologue defines. */
const SCALARS: Readonly<Record<DType, string>> = {
  f64: 'double', f32: 'float', f16: 'u16', bf16: 'u16', i64: 'i64', i32: 'int', u32: 'u32', i16: 'i16', u16: 'u16', i8: 'i8', u8: 'u8', bool: 'u8',
};
/** The type of a value. */
export const typeOf = (t: DType): string => SCALARS[t];
/** The type of index arithmetic. */
export const indexType = (bits: 32 | 64): string => (bits === 32 ? 'int' : 'i64');
/** The unsigned integer as wide as a dtype. */
export const unsignedOf = (t: DType): string => `u${bytesOf(t) * 8}`;
/** Name of a vector type, such as `f32x4`. */
export const vectorName = (t: DType, lanes: number): string => `${heldAs(t)}x${lanes}`;

/** What the names of integer types stand for, in each language. */
export const NAMES = {
  cuda: { i8: 'signed char', u8: 'unsigned char', i16: 'short', u16: 'unsigned short', u32: 'unsigned int', i64: 'long long', u64: 'unsigned long long' },
  opencl: { i8: 'char', u8: 'uchar', i16: 'short', u16: 'ushort', u32: 'uint', i64: 'long', u64: 'ulong' },
} as const;

/** Typedefs for the names that a text mentions. */
export function typedefs(language: 'cuda' | 'opencl', text: string): readonly string[] {
  return Object.entries(NAMES[language]).filter(([name]) => new RegExp(`\\b${name}\\b`).test(text)).map(([name, type]) => `typedef ${type} ${name};`);
}
