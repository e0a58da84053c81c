import { cpuDevice, type Device } from '../device/index.ts';
import { ArgumentError, DisposedError, DTypeError, ShapeError } from '../errors/index.ts';
import type { Memory } from '../memory/index.ts';
import { type AnyArray, arrayConstructor, type ArrayOf, bytesOf, type DType, type ValuesOf } from './dtype.ts';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './half.ts';
import { checkShape, forEachPlace, isContiguous, reach, rowMajor, sizeOf } from './shape.ts';
import { allocateStorage, bytesView, release, remoteStorage, retain, type Storage } from './storage.ts';

/** One dimension of `slice`: all of it (null), one index (the dimension goes away), or [start, end, step]. */
export type Range = null | number | readonly [start?: number | null, end?: number | null, step?: number];

/**
 * Elements of one dtype in a shape, at any strides (counted in elements), over memory that views share.
 * Views cost nothing and copy nothing. `dispose` (or `using`) gives the memory back with the last tensor over it.
 *
 * @example
 * const a = tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
 * a.transpose().read();            // Float32Array [1, 4, 2, 5, 3, 6]
 * a.slice(null, [0, 3, 2]).shape;  // [2, 2]
 */
export class Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  /** In elements, one per dimension; may be negative. */
  readonly strides: readonly number[];
  /** Where element [0, 0, ...] is: bytes from the start of the storage. */
  readonly byteOffset: number;
  /** The bytes underneath; for the runtime's own use. */
  readonly storage: Storage;
  #disposed = false;

  /** Use `tensor`, `zeros` or `fromMemory`. */
  constructor(storage: Storage, dtype: D, shape: readonly number[], strides: readonly number[], byteOffset: number) {
    checkShape(shape);
    if (strides.length !== shape.length || !strides.every(Number.isSafeInteger)) {
      throw new ShapeError(`strides [${strides.join(', ')}] must be one integer for each dimension of [${shape.join(', ')}]`);
    }
    const size = bytesOf(dtype);
    if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset % size !== 0) {
      throw new ArgumentError(`byteOffset must be a non-negative multiple of ${size} for ${dtype}, got ${byteOffset}`);
    }
    const touched = reach(shape, strides);
    if (touched !== undefined && (byteOffset + touched.low * size < 0 || byteOffset + (touched.high + 1) * size > storage.bytes)) {
      throw new ShapeError(`shape [${shape.join(', ')}] with strides [${strides.join(', ')}] at byte ${byteOffset} needs bytes ${byteOffset + touched.low * size} to ${
        byteOffset + (touched.high + 1) * size}, but there are ${storage.bytes}`);
    }
    this.dtype = dtype;
    this.shape = Object.freeze([...shape]);
    this.strides = Object.freeze([...strides]);
    this.byteOffset = byteOffset;
    this.storage = storage;
    retain(storage);
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Bytes that the elements take, without gaps. */
  get bytes(): number {
    return this.size * bytesOf(this.dtype);
  }

  get device(): Device {
    return this.storage.remote?.device ?? cpuDevice();
  }

  get disposed(): boolean {
    return this.#disposed || this.storage.memory?.disposed === true || this.storage.remote?.buffer.freed === true;
  }

  /** Whether the elements lie one after another in row-major order. */
  get contiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  /** The native memory underneath, or undefined over a buffer of JavaScript's. */
  get memory(): Memory | undefined {
    return this.storage.memory;
  }

  /**
   * The elements as a typed array over the same memory (halves as their bits), in row-major order.
   *
   * @throws ShapeError when the tensor is not contiguous.
   */
  get array(): ArrayOf[D] {
    this.#check();
    if (!this.contiguous) throw new ShapeError('only a contiguous tensor is a typed array as it stands', { fix: 'use read(), or clone() first' });
    if (this.size === 0) return new (arrayConstructor(this.dtype))(0);
    const { buffer, offset } = bytesView(this.storage, this.byteOffset, this.bytes);
    return new (arrayConstructor(this.dtype))(buffer, offset, this.size);
  }

  /** A copy of the values in row-major order; halves as f32. */
  read(): ValuesOf[D] {
    const from = this.#elements();
    const half = this.dtype === 'f16' ? f16ToF32 : this.dtype === 'bf16' ? bf16ToF32 : undefined;
    if (half !== undefined) {
      const values = new Float32Array(this.size);
      forEachPlace(this.shape, this.strides, (place, i) => { values[i] = half((from.array as Uint16Array)[from.start + place] ?? 0); });
      return values as ValuesOf[D];
    }
    const values: AnyArray = new (arrayConstructor(this.dtype))(this.size);
    if (this.contiguous) (values as Float64Array).set((from.array as Float64Array).subarray(from.start, from.start + this.size));
    else forEachPlace(this.shape, this.strides, (place, i) => { (values as Float64Array)[i] = (from.array as Float64Array)[from.start + place] ?? 0; });
    return values as ValuesOf[D];
  }

  /** As `read`, of a tensor anywhere: on a GPU, after all that was asked of it before. */
  async readAsync(): Promise<ValuesOf[D]> {
    const near = await this.to(cpuDevice());
    try {
      return near.read();
    } finally {
      if ((near as Tensor) !== this) near.dispose();
    }
  }

  /**
   * The tensor on another device: itself where it lies there already, else a copy with the same strides.
   *
   * @example const x = await values([1, 2, 3]).to(await device('cuda'));
   * @throws OutOfMemoryError
   */
  async to(device: Device): Promise<Tensor<D>> {
    this.#check();
    const { remote } = this.storage;
    if ((remote?.device.info.id ?? 'cpu:0') === device.info.id) return this;
    const touched = reach(this.shape, this.strides), size = bytesOf(this.dtype), low = this.byteOffset + (touched?.low ?? 0) * size, count = touched === undefined ? 0 : (touched.high - touched.low + 1) * size;
    let bytes: Uint8Array;
    if (remote !== undefined) bytes = await remote.driver.read(remote.buffer, low, count);
    else {
      const { buffer, offset } = bytesView(this.storage, low, count);
      bytes = new Uint8Array(buffer, offset, count);
    }
    // Rows begin where 16-byte accesses may: as far from a multiple as they did before.
    const lead = low % 16, storage = device.driver === undefined ? allocateStorage(lead + count) : remoteStorage(device, lead + count);
    if (storage.remote !== undefined) storage.remote.driver.write(storage.remote.buffer, lead, bytes);
    else {
      const { buffer, offset } = bytesView(storage, lead, count);
      new Uint8Array(buffer, offset, count).set(bytes);
    }
    return new Tensor(storage, this.dtype, this.shape, this.strides, lead + this.byteOffset - low);
  }

  /**
   * Sets all elements from values in row-major order, rounded to the dtype.
   *
   * @throws ShapeError when their number differs. @throws ArgumentError over a file mapped for reading.
   */
  write(values: ArrayLike<number | bigint>): this {
    if (values.length !== this.size) throw new ShapeError(`write: ${values.length} values for a tensor of ${this.size}`);
    this.#mayWrite();
    const to = this.#elements();
    const half = this.dtype === 'f16' ? f32ToF16 : this.dtype === 'bf16' ? f32ToBf16 : undefined;
    const big = this.dtype === 'i64';
    const logical = this.dtype === 'bool';
    forEachPlace(this.shape, this.strides, (place, i) => {
      const value = values[i] ?? 0;
      const stored = big ? BigInt(value) : half !== undefined ? half(Number(value)) : logical ? Number(Number(value) !== 0) : Number(value);
      (to.array as Float64Array)[to.start + place] = stored as number;
    });
    return this;
  }

  /** Sets all elements to one value. */
  fill(value: number | bigint): this {
    return this.write(new Array<number | bigint>(this.size).fill(value));
  }

  /** One element. i64 gives a bigint. @throws ShapeError for an index outside. */
  get(...index: readonly number[]): D extends 'i64' ? bigint : number {
    return this.slice(...index).read()[0] as D extends 'i64' ? bigint : number;
  }

  /** Sets one element. @throws ShapeError for an index outside. */
  set(value: number | bigint, ...index: readonly number[]): this {
    this.slice(...index).write([value]);
    return this;
  }

  /**
   * The same elements in another shape; one dimension may be -1. No copy.
   *
   * @throws ShapeError when the numbers of elements differ or the tensor is not contiguous.
   */
  reshape(...shape: readonly number[]): Tensor<D> {
    this.#check();
    const known = shape.filter((n) => n !== -1);
    const open = shape.length - known.length;
    const rest = sizeOf(known);
    const full = open === 1 ? shape.map((n) => (n === -1 ? this.size / rest : n)) : shape;
    if (open > 1 || sizeOf(full) !== this.size || !full.every((n) => Number.isSafeInteger(n) && n >= 0)) {
      throw new ShapeError(`[${this.shape.join(', ')}] has ${this.size} elements and cannot become [${shape.join(', ')}]`);
    }
    if (!this.contiguous) throw new ShapeError('only a contiguous tensor can be reshaped without a copy', { fix: 'clone() it first' });
    return new Tensor(this.storage, this.dtype, full, rowMajor(full), this.byteOffset);
  }

  /**
   * A part of the tensor, one range per dimension, the rest whole. Negative indices count from the end; steps may be
   * negative. As in Python, bounds outside are cut to the tensor, but a single index outside is an error.
   */
  slice(...ranges: readonly Range[]): Tensor<D> {
    this.#check();
    if (ranges.length > this.rank) throw new ShapeError(`slice: ${ranges.length} ranges for a tensor of rank ${this.rank}`);
    const shape: number[] = [];
    const strides: number[] = [];
    let start = 0;
    for (let d = 0; d < this.rank; d++) {
      const n = this.shape[d] ?? 0;
      const stride = this.strides[d] ?? 0;
      const range = ranges[d] ?? null;
      if (typeof range === 'number') {
        const at = range < 0 ? range + n : range;
        if (!Number.isInteger(at) || at < 0 || at >= n) throw new ShapeError(`index ${range} lies outside dimension ${d} of [${this.shape.join(', ')}]`);
        start += at * stride;
        continue;
      }
      const cut = cutRange(range ?? [], n, d);
      shape.push(cut.count);
      strides.push(stride * cut.step);
      if (cut.count > 0) start += cut.start * stride;
    }
    return new Tensor(this.storage, this.dtype, shape, strides, this.byteOffset + start * bytesOf(this.dtype));
  }

  /** Dimensions in another order; reversed without arguments. */
  transpose(...order: readonly number[]): Tensor<D> {
    this.#check();
    const axes = order.length === 0 ? this.shape.map((_, d) => this.rank - 1 - d) : order;
    if (axes.length !== this.rank || new Set(axes).size !== this.rank || axes.some((a) => this.shape[a] === undefined)) {
      throw new ShapeError(`transpose: [${axes.join(', ')}] is no order of ${this.rank} dimensions`);
    }
    const pick = (list: readonly number[]): number[] => axes.map((a) => list[a] ?? 0);
    return new Tensor(this.storage, this.dtype, pick(this.shape), pick(this.strides), this.byteOffset);
  }

  /** Dimensions of length 1 (and new leading ones) repeated, without a copy. Such a tensor cannot be an output. */
  broadcast(...shape: readonly number[]): Tensor<D> {
    this.#check();
    const lead = shape.length - this.rank;
    const strides = shape.map((n, d) => {
      const have = d < lead ? 1 : this.shape[d - lead] ?? 1;
      if (have !== n && have !== 1) throw new ShapeError(`[${this.shape.join(', ')}] cannot be broadcast to [${shape.join(', ')}]`);
      return have === n && d >= lead ? this.strides[d - lead] ?? 0 : 0;
    });
    if (lead < 0) throw new ShapeError(`[${this.shape.join(', ')}] cannot be broadcast to [${shape.join(', ')}]`);
    return new Tensor(this.storage, this.dtype, shape, strides, this.byteOffset);
  }

  /** Gives up this tensor; its memory goes with the last tensor over it. Harmless when repeated. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    release(this.storage);
  }

  /** Gives up the tensor at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #check(): void {
    if (this.disposed) throw new DisposedError('a tensor');
    const buffer = this.storage.buffer;
    if (buffer !== undefined && buffer.byteLength < this.storage.bytes) {
      throw new ArgumentError('the ArrayBuffer under a tensor has been detached or shortened', { code: 'QUERN_DETACHED' });
    }
  }

  #mayWrite(): void {
    if (this.storage.readonly) throw new ArgumentError('a tensor over a file mapped for reading cannot be written', { code: 'QUERN_READONLY', fix: 'clone() it first' });
  }

  /** A typed array that covers all elements, and the place of element 0 in it. */
  #elements(): { array: AnyArray; start: number } {
    this.#check();
    const touched = reach(this.shape, this.strides);
    const make = arrayConstructor(this.dtype);
    if (touched === undefined) return { array: new make(0), start: 0 };
    const size = bytesOf(this.dtype);
    const count = touched.high - touched.low + 1;
    const { buffer, offset } = bytesView(this.storage, this.byteOffset + touched.low * size, count * size);
    return { array: new make(buffer, offset, count), start: -touched.low };
  }
}

function cutRange(range: readonly [(number | null)?, (number | null)?, number?], n: number, d: number): { start: number; count: number; step: number } {
  const step = range[2] ?? 1;
  for (const x of [range[0] ?? 0, range[1] ?? 0, step]) {
    if (!Number.isSafeInteger(x)) throw new ShapeError(`slice: the range of dimension ${d} must hold integers`);
  }
  if (step === 0) throw new ShapeError(`slice: the step of dimension ${d} must not be 0`);
  const clamp = (x: number): number => {
    const at = x < 0 ? x + n : x;
    return step > 0 ? Math.min(Math.max(at, 0), n) : Math.min(Math.max(at, -1), n - 1);
  };
  const start = range[0] == null ? (step > 0 ? 0 : n - 1) : clamp(range[0]);
  const end = range[1] == null ? (step > 0 ? n : -1) : clamp(range[1]);
  return { start, count: Math.max(0, Math.ceil((end - start) / step)), step };
}

/** Throws DTypeError unless the tensor has the dtype. */
export function expectDType<D extends DType>(t: Tensor, dtype: D, what: string): asserts t is Tensor<D> {
  if (t.dtype !== dtype) throw new DTypeError(`${what} must be ${dtype}, got ${t.dtype}`);
}
