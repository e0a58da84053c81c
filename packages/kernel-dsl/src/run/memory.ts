import type { Buffer, DType } from '../ir/index.ts';

/** The arrays that hold tensors: f16 and bf16 as bits in a Uint16Array, bool as 0 and 1 in a Uint8Array. */
export type TypedArray = Float64Array | Float32Array | BigInt64Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array;

export const ARRAYS: Readonly<Record<DType, { readonly name: string; new (n: number): TypedArray }>> = {
  f64: Float64Array, f32: Float32Array, f16: Uint16Array, bf16: Uint16Array, i64: BigInt64Array, i32: Int32Array, u32: Uint32Array,
  i16: Int16Array, u16: Uint16Array, i8: Int8Array, u8: Uint8Array, bool: Uint8Array,
};

/** Lanes that touched each cell, with the epochs of the workgroup and of the subgroup in which they did. */
export interface LaneMarks { readonly lane: Int32Array; readonly epoch: Float64Array; readonly sub: Float64Array }
/** Who touched a cell in this epoch: the last writer, and of readers and atomic updates two different lanes, which is enough to find a third one's conflict. */
export interface LaneShadow { readonly written: LaneMarks; readonly read: readonly [LaneMarks, LaneMarks]; updated: readonly [LaneMarks, LaneMarks] | undefined }

/** Where a buffer's elements lie while a kernel runs. A position is an index into `data`. */
export interface Memory {
  readonly buf: Buffer;
  shape: readonly number[];
  strides: readonly number[];
  /** Position of the element whose indices are all 0. */
  base: number;
  /** The positions that elements use are lo .. lo + span - 1. */
  lo: number;
  span: number;
  data: TypedArray;
  read: (at: number) => number;
  write: (at: number, x: number) => void;
  /** written[position - lo] = era of the last write, for memory that starts undefined; a new era begins with each Alloc. */
  written: Uint32Array | undefined;
  era: number;
  /** What the lanes of the workgroup at hand did to it. */
  shadow: LaneShadow | undefined;
}

// A closure per array type: each then sees one type only, which is several times faster than one closure that sees nine.
function accessors(data: TypedArray, t: DType, packed?: Buffer['packed']): Pick<Memory, 'read' | 'write'> {
  // Positions count elements; a write is of the byte that holds two of them.
  const half = (p: number): number => (Number(data[p >> 1]!) >> ((p & 1) * 4)) & 15, whole = (p: number, x: number): void => { data[p >> 1] = x; };
  if (packed === 'i4') return { read: (p) => (half(p) << 28) >> 28, write: whole };
  if (packed === 'u4') return { read: half, write: whole };
  if (data instanceof Float32Array) return { read: (p) => data[p]!, write: (p, x) => { data[p] = x; } };
  if (data instanceof Float64Array) return { read: (p) => data[p]!, write: (p, x) => { data[p] = x; } };
  if (data instanceof BigInt64Array) return { read: (p) => Number(data[p]!), write: (p, x) => { data[p] = BigInt(x); } };
  if (data instanceof Int32Array) return { read: (p) => data[p]!, write: (p, x) => { data[p] = x; } };
  if (data instanceof Uint32Array) return { read: (p) => data[p]!, write: (p, x) => { data[p] = x; } };
  if (data instanceof Int16Array) return { read: (p) => data[p]!, write: (p, x) => { data[p] = x; } };
  if (data instanceof Uint16Array) return { read: (p) => data[p]!, write: (p, x) => { data[p] = x; } };
  if (data instanceof Int8Array) return { read: (p) => data[p]!, write: (p, x) => { data[p] = x; } };
  if (t === 'bool') return { read: (p) => (data[p] ? 1 : 0), write: (p, x) => { data[p] = x; } };
  return { read: (p) => data[p]!, write: (p, x) => { data[p] = x; } };
}

/** Row-major strides of a dense tensor, in elements. */
export function denseStrides(shape: readonly number[]): number[] {
  const s = new Array<number>(shape.length);
  for (let d = shape.length - 1, n = 1; d >= 0; d--) { s[d] = n; n *= shape[d]!; }
  return s;
}

/** Elements in one place of the array: two of a packed buffer. */
export const perPlace = (b: Buffer): number => (b.packed ? 2 : 1);
/** The strides of a dense argument: rows of packed tensors begin at whole bytes. */
export function argumentStrides(b: Buffer, shape: readonly number[]): number[] {
  return denseStrides(b.packed ? shape.map((n, d) => (d === shape.length - 1 ? n + (n % 2) : n)) : shape);
}

/** The memory of a parameter over the caller's array. `undefinedAtStart`: nothing may be read before it was written. */
export function paramMemory(buf: Buffer, data: TypedArray, shape: readonly number[], strides: readonly number[], base: number, undefinedAtStart: boolean): Memory {
  const empty = shape.includes(0);
  let lo = base, hi = base;
  for (const [d, n] of empty ? [] : shape.entries()) {
    const reach = (n - 1) * strides[d]!;
    if (reach < 0) lo += reach; else hi += reach;
  }
  const span = empty ? 0 : hi - lo + 1;
  return { buf, shape, strides, base, lo, span, data, ...accessors(data, buf.dtype, buf.packed), written: undefinedAtStart ? new Uint32Array(span) : undefined, era: 1, shadow: undefined };
}

/** An Alloc's memory before the Alloc ran. */
export const emptyMemory = (buf: Buffer): Memory => ({ ...paramMemory(buf, new ARRAYS[buf.dtype](0), [0], [1], 0, true), shape: [], strides: [], span: 0 });

/** Runs an Alloc: dense memory of this shape, all of it undefined. */
export function allocate(m: Memory, shape: readonly number[]): void {
  const n = shape.reduce((a, b) => a * b, 1);
  m.shape = shape;
  m.strides = denseStrides(shape);
  m.span = n;
  if (m.data.length < n || !m.written) {
    m.data = new ARRAYS[m.buf.dtype](n);
    Object.assign(m, accessors(m.data, m.buf.dtype));
    m.written = new Uint32Array(n);
    m.era = 1;
  } else if (++m.era === 2 ** 32) {
    m.written.fill(0);
    m.era = 1;
  }
}
