import type { Device } from '../device/index.ts';
import type { GpuBuffer, GpuDriver } from '../driver/index.ts';
import { ArgumentError, DisposedError } from '../errors/index.ts';
import { allocate, type Memory, memoryOf } from '../memory/index.ts';
import { type NativeBuffer, tryNative } from '../native/index.ts';

/**
 * The bytes behind one or more tensors: native memory, or a buffer of JavaScript's that somebody else owns.
 * Counted: the last tensor that is disposed frees owned native memory.
 */
export interface Storage {
  readonly memory: Memory | undefined;
  /** Set when the bytes lie on a GPU; then there is neither native memory nor a buffer. */
  readonly remote?: Remote;
  /** Set when there is no native memory. */
  readonly buffer: ArrayBufferLike | undefined;
  readonly bytes: number;
  readonly readonly: boolean;
  /** Whether disposing frees the memory, or it belongs to the caller. */
  readonly owned: boolean;
  users: number;
}

/** Bytes on a GPU. */
export interface Remote {
  readonly device: Device;
  readonly driver: GpuDriver;
  readonly buffer: GpuBuffer;
}

/** Memory of devices whose last tensor was collected without being disposed. */
const forgotten = new FinalizationRegistry<{ readonly driver: GpuDriver; readonly buffer: GpuBuffer }>(({ driver, buffer }) => driver.free(buffer));

/** Bytes on a GPU, with undefined contents. @throws OutOfMemoryError; ArgumentError where the device is no GPU */
export function remoteStorage(device: Device, bytes: number): Storage {
  const { driver } = device;
  if (driver === undefined) throw new ArgumentError(`${device.info.id} has no memory of its own`, { fix: 'make the tensor without a device' });
  const buffer = driver.alloc(bytes), storage: Storage = { memory: undefined, buffer: undefined, remote: { device, driver, buffer }, bytes, readonly: false, owned: true, users: 0 };
  forgotten.register(storage, { driver, buffer });
  return storage;
}

/** Fresh zeroed bytes: native memory, or JavaScript's where there is no addon. */
export function allocateStorage(bytes: number): Storage {
  if (tryNative() === undefined) return { memory: undefined, buffer: new ArrayBuffer(bytes), bytes, readonly: false, owned: false, users: 0 };
  return { memory: allocate(bytes), buffer: undefined, bytes, readonly: false, owned: true, users: 0 };
}

/** The storage over memory that the caller keeps. */
export function memoryStorage(memory: Memory): Storage {
  return { memory, buffer: undefined, bytes: memory.bytes, readonly: memory.readonly, owned: false, users: 0 };
}

const storages = new WeakMap<ArrayBufferLike, Storage>();

/** The storage over a buffer, and where the buffer starts in it. One buffer has one storage, so overlaps can be seen. */
export function bufferStorage(buffer: ArrayBufferLike): { storage: Storage; offset: number } {
  const known = memoryOf(buffer);
  // A view of a mapped file is a private copy where it is written: as a JavaScript buffer it stays a buffer.
  if (known !== undefined && !known.memory.readonly) return { storage: memoryStorage(known.memory), offset: known.offset };
  let storage = storages.get(buffer);
  if (storage === undefined || storage.bytes !== buffer.byteLength) {
    storage = { memory: undefined, buffer, bytes: buffer.byteLength, readonly: false, owned: false, users: 0 };
    storages.set(buffer, storage);
  }
  return { storage, offset: 0 };
}

/** What two operands have in common when they can overlap. */
export function identity(storage: Storage): object {
  return storage.memory ?? storage.buffer ?? storage.remote?.buffer ?? storage;
}

/** What the addon takes. */
export function nativeBuffer(storage: Storage): NativeBuffer {
  if (storage.memory !== undefined) return storage.memory.handle;
  const buffer = storage.buffer;
  // The addon sees shared memory through a typed array only.
  return buffer instanceof ArrayBuffer ? buffer : new Uint8Array(buffer as SharedArrayBuffer);
}

/** An ArrayBuffer over a part of the storage, and the offset of that part in it. */
export function bytesView(storage: Storage, offset: number, length: number): { buffer: ArrayBufferLike; offset: number } {
  if (storage.buffer !== undefined) return { buffer: storage.buffer, offset };
  if (storage.remote !== undefined) throw new ArgumentError(`the tensor lies on ${storage.remote.device.info.id}`, { fix: 'await readAsync() for its values, or await to() for a copy on the CPU' });
  const memory = storage.memory;
  if (memory === undefined || memory.disposed) throw new DisposedError('a tensor');
  // One buffer for all of an allocation; a mapped file may be larger than any ArrayBuffer, so only the part asked for.
  return memory.readonly ? { buffer: memory.view(offset, length), offset: 0 } : { buffer: memory.view(), offset };
}

/** Counts a user. */
export function retain(storage: Storage): void {
  storage.users++;
}

/** Uncounts a user; the last one frees what the storage owns. */
export function release(storage: Storage): void {
  if (--storage.users > 0 || !storage.owned) return;
  storage.memory?.dispose();
  storage.remote?.driver.free(storage.remote.buffer);
}
