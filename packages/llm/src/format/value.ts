/** Types of single metadata values. */
export type GgufScalarType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'bool' | 'string' | 'u64' | 'i64' | 'f64';

/** Types of metadata values. */
export type GgufType = GgufScalarType | 'array';

/** A single value. 64-bit integers are bigints, so that none loses digits. */
export type GgufScalar =
  | { readonly type: 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64'; readonly value: number }
  | { readonly type: 'u64' | 'i64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string };

/** A list of values of one type. Lists nest. */
export type GgufArray =
  | { readonly type: 'array'; readonly of: 'u8'; readonly values: Uint8Array }
  | { readonly type: 'array'; readonly of: 'i8'; readonly values: Int8Array }
  | { readonly type: 'array'; readonly of: 'u16'; readonly values: Uint16Array }
  | { readonly type: 'array'; readonly of: 'i16'; readonly values: Int16Array }
  | { readonly type: 'array'; readonly of: 'u32'; readonly values: Uint32Array }
  | { readonly type: 'array'; readonly of: 'i32'; readonly values: Int32Array }
  | { readonly type: 'array'; readonly of: 'f32'; readonly values: Float32Array }
  | { readonly type: 'array'; readonly of: 'f64'; readonly values: Float64Array }
  | { readonly type: 'array'; readonly of: 'u64'; readonly values: BigUint64Array }
  | { readonly type: 'array'; readonly of: 'i64'; readonly values: BigInt64Array }
  | { readonly type: 'array'; readonly of: 'bool'; readonly values: readonly boolean[] }
  | { readonly type: 'array'; readonly of: 'string'; readonly values: readonly string[] }
  | { readonly type: 'array'; readonly of: 'array'; readonly values: readonly GgufArray[] };

/** A metadata value as a GGUF file stores it. */
export type GgufValue = GgufScalar | GgufArray;

/** Number of each type in the file. */
export const TYPE_IDS: Readonly<Record<GgufType, number>> = {
  u8: 0, i8: 1, u16: 2, i16: 3, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9, u64: 10, i64: 11, f64: 12,
};

const names = Object.keys(TYPE_IDS) as GgufType[];
const namesById: ReadonlyMap<number, GgufType> = new Map(names.map((name) => [TYPE_IDS[name], name]));

/** The type that a number in the file stands for. */
export function typeOfId(id: number): GgufType | undefined {
  return namesById.get(id);
}

/** Bytes of a value of fixed size. */
export const FIXED_BYTES: Readonly<Record<Exclude<GgufType, 'string' | 'array'>, number>> = {
  u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, bool: 1, u64: 8, i64: 8, f64: 8,
};

/** A u32 value, for {@link writeGguf}. */
export function ggufU32(value: number): GgufValue {
  return { type: 'u32', value };
}

/** An i32 value, for {@link writeGguf}. */
export function ggufI32(value: number): GgufValue {
  return { type: 'i32', value };
}

/** A u64 value, for {@link writeGguf}. */
export function ggufU64(value: bigint): GgufValue {
  return { type: 'u64', value };
}

/** A single-precision value, for {@link writeGguf}. */
export function ggufF32(value: number): GgufValue {
  return { type: 'f32', value };
}

/** A truth value, for {@link writeGguf}. */
export function ggufBool(value: boolean): GgufValue {
  return { type: 'bool', value };
}

/** A text, for {@link writeGguf}. */
export function ggufString(value: string): GgufValue {
  return { type: 'string', value };
}

/** A list of texts, for {@link writeGguf}. */
export function ggufStrings(values: readonly string[]): GgufValue {
  return { type: 'array', of: 'string', values };
}

/** A list of single-precision numbers, for {@link writeGguf}. */
export function ggufF32s(values: ArrayLike<number>): GgufValue {
  return { type: 'array', of: 'f32', values: Float32Array.from(values) };
}

/** A list of i32, for {@link writeGguf}. */
export function ggufI32s(values: ArrayLike<number>): GgufValue {
  return { type: 'array', of: 'i32', values: Int32Array.from(values) };
}
