/** Element types a tensor may hold. Integers of every width compute in their own type and wrap; `f16` and `bf16` are storage types: arithmetic on them is done in f32. */
export type DType = 'f64' | 'f32' | 'f16' | 'bf16' | 'i64' | 'i32' | 'u32' | 'i16' | 'u16' | 'i8' | 'u8' | 'bool';

/** Integers of four bits, two in a byte along the innermost dimension, the lower half first. Values of them are i8 and u8. */
export type PackedDType = 'i4' | 'u4';
/** The dtype in which elements of a packed tensor are computed with. */
export const HELD: { readonly i4: 'i8'; readonly u4: 'u8' } = { i4: 'i8', u4: 'u8' };

/** Facts about one dtype. `bits` is the range of an integer type, or the size of a float type. */
export interface DTypeInfo {
  readonly bytes: number;
  readonly kind: 'float' | 'int' | 'uint' | 'bool';
  /** Can arithmetic be done in this type, or must a value be cast first? */
  readonly arithmetic: boolean;
}

/** Size, kind and arithmetic of every dtype. */
export const DTYPES: Readonly<Record<DType, DTypeInfo>> = {
  f64: { bytes: 8, kind: 'float', arithmetic: true },
  f32: { bytes: 4, kind: 'float', arithmetic: true },
  f16: { bytes: 2, kind: 'float', arithmetic: false },
  bf16: { bytes: 2, kind: 'float', arithmetic: false },
  i64: { bytes: 8, kind: 'int', arithmetic: true },
  i32: { bytes: 4, kind: 'int', arithmetic: true },
  u32: { bytes: 4, kind: 'uint', arithmetic: true },
  i16: { bytes: 2, kind: 'int', arithmetic: true },
  u16: { bytes: 2, kind: 'uint', arithmetic: true },
  i8: { bytes: 1, kind: 'int', arithmetic: true },
  u8: { bytes: 1, kind: 'uint', arithmetic: true },
  bool: { bytes: 1, kind: 'bool', arithmetic: false },
};

/** Size of one element in bytes. */
export const bytesOf = (t: DType): number => DTYPES[t].bytes;
/** Is it a float, storage types included? */
export const isFloat = (t: DType): boolean => DTYPES[t].kind === 'float';
/** Is it an integer, signed or unsigned? `bool` is none. */
export const isInt = (t: DType): boolean => DTYPES[t].kind === 'int' || DTYPES[t].kind === 'uint';
