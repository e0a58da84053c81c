import { ArgumentError, DisposedError, nativeCall, OutOfMemoryError } from '../errors/index.ts';
import { native, type MemoryHandle } from '../native/index.ts';

const advices = ['normal', 'willneed', 'random', 'sequential', 'dontneed'] as const;
/** How a part of a mapped file will be used. */
export type Advice = (typeof advices)[number];

/** Which memory an ArrayBuffer made by `view` belongs to, and where it starts there. */
const viewed = new WeakMap<ArrayBufferLike, { readonly memory: Memory; readonly offset: number }>();

/** The memory behind an ArrayBuffer that `Memory.view` made, with the buffer's offset there; undefined for any other. */
export function memoryOf(buffer: ArrayBufferLike): { readonly memory: Memory; readonly offset: number } | undefined {
  return viewed.get(buffer);
}

/**
 * Memory outside JavaScript's heap: an aligned allocation, or a file mapped for reading. Sizes are numbers up to 2^53.
 * Freed by `dispose` (or `using`); what still works on it, a view made earlier or a plan, keeps the bytes alive.
 */
export class Memory {
  readonly bytes: number;
  /** True for a mapped file: kernels never write to it. */
  readonly readonly: boolean;
  #handle: MemoryHandle | undefined;
  #whole: ArrayBuffer | undefined;

  /** Use `allocate` or `mapFile`. */
  constructor(handle: MemoryHandle, readonly: boolean) {
    this.#handle = handle;
    this.readonly = readonly;
    this.bytes = native().memoryBytes(handle);
  }

  /** What the addon takes. @throws DisposedError */
  get handle(): MemoryHandle {
    if (this.#handle === undefined) throw new DisposedError('native memory');
    return this.#handle;
  }

  get disposed(): boolean {
    return this.#handle === undefined;
  }

  /**
   * An ArrayBuffer over [offset, offset + length), without a copy. A view of a mapped file may be written: the pages
   * written become private copies, the file stays as it is.
   */
  view(offset = 0, length: number = this.bytes - offset): ArrayBuffer {
    const whole = offset === 0 && length === this.bytes;
    if (whole && this.#whole !== undefined) return this.#whole;
    const buffer = nativeCall('view of native memory', () => native().memoryView(this.handle, offset, length));
    viewed.set(buffer, { memory: this, offset });
    if (whole) this.#whole = buffer;
    return buffer;
  }

  /** A copy of [offset, offset + length). */
  read(offset: number, length: number): ArrayBuffer {
    return nativeCall('read of native memory', () => native().memoryRead(this.handle, offset, length));
  }

  /** Copies all of `source` to `offset`. */
  write(offset: number, source: ArrayBuffer | NodeJS.TypedArray): void {
    nativeCall('write to native memory', () => native().memoryWrite(this.handle, offset, source));
  }

  /** Tells the operating system how a part of a mapped file will be used. */
  advise(advice: Advice, offset = 0, length: number = this.bytes - offset): void {
    const code = advices.indexOf(advice);
    if (code < 0) throw new ArgumentError(`advice must be one of ${advices.join(', ')}, got '${String(advice)}'`);
    nativeCall('advice on native memory', () => native().memoryAdvise(this.handle, offset, length, code));
  }

  /** Frees the memory; the view of the whole of it, if one was made, is detached. Harmless when repeated. */
  dispose(): void {
    if (this.#handle === undefined) return;
    native().memoryFree(this.#handle, this.#whole ?? null);
    this.#handle = undefined;
    this.#whole = undefined;
  }

  /** Frees the memory at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Zeroed memory, 64-byte aligned; from 4 MB on in pages of its own, huge ones where the system has them.
 *
 * @throws OutOfMemoryError
 */
export function allocate(bytes: number): Memory {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new ArgumentError(`bytes must be a non-negative integer, got ${bytes}`);
  let handle: MemoryHandle;
  try {
    handle = native().memoryAlloc(bytes);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'QUERN_E_MEMORY') throw error;
    throw new OutOfMemoryError(`${bytes} bytes of memory were refused`, bytes, { cause: error });
  }
  return new Memory(handle, false);
}

/**
 * Maps a whole file for reading. Nothing is read until it is touched, and several processes share the pages. If another
 * program shortens the file meanwhile, touching what is gone ends this process (SIGBUS), as with every mapped file.
 *
 * @throws FileError when the file cannot be opened or is not a regular file.
 */
export function mapFile(path: string): Memory {
  return new Memory(nativeCall('mapping a file', () => native().memoryMap(path)), true);
}
