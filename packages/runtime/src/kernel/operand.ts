import { ArgumentError, DisposedError, DTypeError, ShapeError } from '../errors/index.ts';
import { bufferStorage, bytesOf, holds, identity, nativeBuffer, reach, type Remote, type Storage, Tensor } from '../tensor/index.ts';
import type { NativeBuffer } from '../native/index.ts';
import type { Extent } from './overlap.ts';
import type { TensorParam } from './signature.ts';

/** What a tensor parameter may be given: a typed array counts as a tensor of one dimension. */
export type TensorArg = Tensor | NodeJS.TypedArray;

/** A tensor argument, checked for itself: what native code needs, and where its elements are. */
export interface Operand extends Extent {
  readonly buffer: NativeBuffer | undefined;
  /** Instead of `buffer`, of a tensor on a GPU. */
  readonly remote: Remote | undefined;
  /** Two operands with the same identity can overlap. */
  readonly identity: object;
}

const oneStride: readonly number[] = [1];

function detached(storage: Storage): boolean {
  const buffer = storage.buffer;
  if (buffer === undefined || buffer.byteLength > 0) return buffer !== undefined && buffer.byteLength < storage.bytes;
  try {
    new Uint8Array(buffer);
    return storage.bytes > 0;
  } catch {
    return true;
  }
}

/**
 * Reads a tensor argument and checks it against its parameter: dtype, rank, strides, access, and that every element lies
 * within its memory, which must be that of the device.
 */
export function operand(param: TensorParam, value: unknown, kernel: string, device = 'cpu:0'): Operand {
  const { meta } = param;
  const what = `kernel '${kernel}': '${meta.name}'`;
  let storage: Storage, shape: readonly number[], strides: readonly number[], start: number;
  if (value instanceof Tensor) {
    if (value.disposed) throw new DisposedError(`${what}: a tensor`);
    if (value.dtype !== meta.dtype) throw new DTypeError(`${what} must be ${meta.dtype}, got ${value.dtype}`);
    ({ storage, shape, strides, byteOffset: start } = value);
  } else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const data = value as NodeJS.TypedArray;
    if (!holds(data, meta.dtype)) throw new DTypeError(`${what} must be ${meta.dtype}, got a ${data[Symbol.toStringTag]}`);
    const found = bufferStorage(data.buffer);
    storage = found.storage;
    shape = [data.length];
    strides = oneStride;
    start = found.offset + data.byteOffset;
  } else {
    throw new ArgumentError(`${what} must be a tensor or a typed array, got ${value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value}`,
      Array.isArray(value) ? { fix: 'make a tensor of it with values(list, shape)' } : {});
  }
  if (detached(storage)) throw new ArgumentError(`${what}: its ArrayBuffer has been detached`, { code: 'QUERN_DETACHED', fix: 'pass a buffer that has not been transferred' });
  const where = storage.remote?.device.info.id ?? 'cpu:0';
  if (where !== device) throw new ArgumentError(`${what} lies on ${where}, the kernel runs on ${device}`, { code: 'QUERN_DEVICE', fix: `pass await tensor.to(${device === 'cpu:0' ? 'cpuDevice()' : 'device'})` });
  const rank = meta.shape.length;
  if (shape.length !== rank) {
    throw new ShapeError(`${what} must have ${rank} dimension${rank === 1 ? '' : 's'} [${meta.shape.join(', ')}], got [${shape.join(', ')}]`,
      value instanceof Tensor ? {} : { fix: 'give the array a shape with tensor(data, shape)' });
  }
  if (!meta.strided && rank > 0 && (shape[rank - 1] ?? 0) > 1 && strides[rank - 1] !== 1) {
    throw new ShapeError(`${what} must have innermost stride 1, got ${strides[rank - 1]}`, { fix: 'pass clone(tensor), which is contiguous' });
  }
  if (param.writes && storage.readonly) {
    throw new ArgumentError(`${what} is written, but lies in a file mapped for reading`, { code: 'QUERN_READONLY', fix: 'pass a tensor of its own' });
  }
  const elementBytes = bytesOf(meta.dtype);
  const touched = reach(shape, strides);
  // Nothing is touched of an empty tensor; wherever it claims to be, its place is a valid one.
  if (touched === undefined) start = Math.min(start, storage.bytes);
  const low = touched === undefined ? start : start + touched.low * elementBytes;
  const high = touched === undefined ? start : start + (touched.high + 1) * elementBytes;
  if (low < 0 || high > storage.bytes) {
    throw new ArgumentError(`${what} touches bytes ${low} to ${high}, but its memory has ${storage.bytes}`, { code: 'QUERN_RANGE' });
  }
  const o = { buffer: storage.remote === undefined ? nativeBuffer(storage) : undefined, remote: storage.remote, identity: identity(storage), start, low, high };
  if (meta.packed === undefined) return { ...o, shape, strides, elementBytes };
  // From bytes to elements, two in each.
  return { ...o, shape: shape.map((n, d) => (d === rank - 1 ? 2 * n : n)), strides: strides.map((x, d) => (d === rank - 1 ? 1 : 2 * x)), elementBytes: elementBytes / 2 };
}
