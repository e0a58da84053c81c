import type { Device } from '../device/index.ts';
import { ArgumentError, DTypeError, ShapeError } from '../errors/index.ts';
import type { Memory } from '../memory/index.ts';
import { bytesOf, checkDType, type DType, holds, naturalDType } from './dtype.ts';
import { checkShape, rowMajor, sizeOf } from './shape.ts';
import { allocateStorage, bufferStorage, memoryStorage, remoteStorage } from './storage.ts';
import { Tensor } from './tensor.ts';

/** The dtype of a typed array: what its class says, halves and bools only when asked for. */
export type DTypeOf<A> = A extends Float64Array ? 'f64' : A extends Float32Array ? 'f32' : A extends BigInt64Array ? 'i64'
  : A extends Int32Array ? 'i32' : A extends Uint32Array ? 'u32' : A extends Int16Array ? 'i16' : A extends Uint16Array ? 'u16'
    : A extends Int8Array ? 'i8' : A extends Uint8Array ? 'u8' : DType;

/** How data lies. */
export interface TensorOptions<D extends DType = DType> {
  /** Uint16Array may be 'f16' or 'bf16', Uint8Array 'bool'. Default: what the array's class says. */
  readonly dtype?: D;
  /** In elements; row-major when not given. */
  readonly strides?: readonly number[];
  /** Element 0, in elements from the start of the array (or of the memory, in bytes: see `fromMemory`). */
  readonly offset?: number;
}

/**
 * A tensor over a typed array, without a copy: both see each other's changes. Without a shape it has one dimension.
 * The array's buffer must not be transferred while the tensor is in use.
 *
 * @throws ShapeError when the array is too short. @throws DTypeError when the dtype is not one that the array can hold.
 * @example tensor(new Float32Array(6), [2, 3]).strides // [3, 1]
 */
export function tensor<A extends NodeJS.TypedArray, D extends DType = DTypeOf<A>>(data: A, shape?: readonly number[], options: TensorOptions<D> = {}): Tensor<D> {
  if (!ArrayBuffer.isView(data) || data instanceof DataView) throw new ArgumentError('tensor: data must be a typed array', { fix: 'use values() for plain numbers' });
  const dtype: DType = options.dtype ?? naturalDType(data);
  checkDType(dtype);
  if (!holds(data, dtype)) throw new DTypeError(`a ${data[Symbol.toStringTag]} cannot hold ${dtype}`);
  const dims = shape ?? [data.length];
  checkShape(dims);
  const strides = options.strides ?? rowMajor(dims);
  if (options.strides === undefined && (options.offset ?? 0) === 0 && shape !== undefined && sizeOf(dims) !== data.length) {
    throw new ShapeError(`shape [${dims.join(', ')}] has ${sizeOf(dims)} elements, the array ${data.length}`);
  }
  const within = new Tensor({ memory: undefined, buffer: undefined, bytes: data.byteLength, readonly: false, owned: false, users: 0 }, dtype, dims, strides, (options.offset ?? 0) * bytesOf(dtype));
  const { storage, offset } = bufferStorage(data.buffer);
  return new Tensor(storage, dtype, dims, strides, offset + data.byteOffset + within.byteOffset) as Tensor<D>;
}

/** Where a new tensor lies. */
export interface Placement {
  /** Default: the CPU. */
  readonly device?: Device;
}

/**
 * A new tensor of zeros, on the CPU unless told.
 * @example zeros([1024, 1024], 'f32', { device: await device('cuda') })
 * @throws ShapeError, OutOfMemoryError
 */
export function zeros<D extends DType = 'f32'>(shape: readonly number[], dtype?: D, { device }: Placement = {}): Tensor<D> {
  const type: DType = dtype ?? 'f32';
  checkDType(type);
  checkShape(shape);
  const bytes = sizeOf(shape) * bytesOf(type), storage = device?.driver === undefined ? allocateStorage(bytes) : remoteStorage(device, bytes);
  storage.remote?.driver.fill(storage.remote.buffer, 0, 0, bytes);
  return new Tensor(storage, type, shape, rowMajor(shape), 0) as Tensor<D>;
}

/**
 * A new tensor with the given values in row-major order, rounded to the dtype (f32 unless told).
 *
 * @example values([1, 2, 3, 4], [2, 2], 'f16').read() // Float32Array [1, 2, 3, 4]
 */
export function values<D extends DType = 'f32'>(list: ArrayLike<number | bigint>, shape: readonly number[] = [list.length], dtype?: D): Tensor<D> {
  return zeros(shape, dtype).write(list);
}

/** Where in memory a tensor lies. */
export interface MemoryLayout {
  /** In elements; row-major when not given. */
  readonly strides?: readonly number[];
  /** Bytes from the start of the memory to element 0; a multiple of the element's size. */
  readonly byteOffset?: number;
}

/** A tensor over native memory, such as a mapped file, which stays the caller's to dispose. @throws ShapeError when it does not fit. */
export function fromMemory<D extends DType>(memory: Memory, dtype: D, shape: readonly number[], layout: MemoryLayout = {}): Tensor<D> {
  checkDType(dtype);
  checkShape(shape);
  return new Tensor(memoryStorage(memory), dtype, shape, layout.strides ?? rowMajor(shape), layout.byteOffset ?? 0);
}

/** A contiguous copy in memory of its own. */
export function clone<D extends DType>(source: Tensor<D>): Tensor<D> {
  const copy = zeros(source.shape, source.dtype);
  // Bits, not values: a half that is a NaN keeps its payload.
  const bits = source.dtype === 'f16' || source.dtype === 'bf16' ? new Tensor<DType>(source.storage, 'u16', source.shape, source.strides, source.byteOffset) : source;
  (copy.array as Float64Array).set(bits.read() as Float64Array);
  if (bits !== source) bits.dispose();
  return copy;
}
