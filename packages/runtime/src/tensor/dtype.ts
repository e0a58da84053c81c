import { DTypeError } from '../errors/index.ts';

/** Element types. `f16` and `bf16` are stored as their 16 bits, `bool` as a byte of 0 or 1. */
export type DType = 'f64' | 'f32' | 'f16' | 'bf16' | 'i64' | 'i32' | 'u32' | 'i16' | 'u16' | 'i8' | 'u8' | 'bool';

/** The typed array that holds elements of a dtype. */
export interface ArrayOf {
  f64: Float64Array; f32: Float32Array; f16: Uint16Array; bf16: Uint16Array; i64: BigInt64Array; i32: Int32Array;
  u32: Uint32Array; i16: Int16Array; u16: Uint16Array; i8: Int8Array; u8: Uint8Array; bool: Uint8Array;
}

/** The typed array of values that reading a dtype gives: halves come as f32. */
export interface ValuesOf extends Omit<ArrayOf, 'f16' | 'bf16'> {
  f16: Float32Array; bf16: Float32Array;
}

/** Any of the typed arrays that tensors are made of. */
export type AnyArray = ArrayOf[DType];

interface ArrayConstructor<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): A;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): A;
}

const constructors: { readonly [D in DType]: ArrayConstructor<ArrayOf[D]> } = {
  f64: Float64Array, f32: Float32Array, f16: Uint16Array, bf16: Uint16Array, i64: BigInt64Array, i32: Int32Array,
  u32: Uint32Array, i16: Int16Array, u16: Uint16Array, i8: Int8Array, u8: Uint8Array, bool: Uint8Array,
};

/** All element types. */
export const DTYPES: readonly DType[] = Object.keys(constructors) as DType[];

/** The typed array's constructor for a dtype. */
export function arrayConstructor<D extends DType>(dtype: D): ArrayConstructor<ArrayOf[D]> {
  return constructors[dtype];
}

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** Throws DTypeError unless the value is the name of a dtype. */
export function checkDType(dtype: string): asserts dtype is DType {
  if (!Object.hasOwn(constructors, dtype)) throw new DTypeError(`'${dtype}' is no element type`, { fix: `use one of ${DTYPES.join(', ')}` });
}

const natural: Readonly<Record<string, DType>> = {
  Float64Array: 'f64', Float32Array: 'f32', BigInt64Array: 'i64', Int32Array: 'i32', Uint32Array: 'u32', Int16Array: 'i16',
  Uint16Array: 'u16', Int8Array: 'i8', Uint8Array: 'u8', Uint8ClampedArray: 'u8',
};

/** The dtype that a typed array has unless told otherwise. @throws DTypeError for kinds that no tensor has. */
export function naturalDType(data: NodeJS.TypedArray): DType {
  // By tag, not by class: arrays of another realm (a vm context, a test runner's sandbox) are as good.
  const tag = data[Symbol.toStringTag];
  const dtype = natural[tag];
  if (dtype === undefined) throw new DTypeError(`a ${tag} has no element type of tensors`, { fix: `use one of ${Object.keys(natural).join(', ')}` });
  return dtype;
}

/** Whether a typed array can hold elements of the dtype as they are stored. */
export function holds(data: NodeJS.TypedArray, dtype: DType): boolean {
  const is = natural[data[Symbol.toStringTag]];
  return is === dtype || (is === 'u16' && (dtype === 'f16' || dtype === 'bf16')) || (is === 'u8' && dtype === 'bool');
}
