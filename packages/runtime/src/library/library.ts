import { DisposedError, nativeCall } from '../errors/index.ts';
import { type KernelHandle, native, type NativeEntry } from '../native/index.ts';

/** Where a kernel library came from: `env`, `build`, `prebuilt` as for the addon; `compiled` at run time; `file` for any other. */
export type LibraryTier = 'env' | 'build' | 'prebuilt' | 'compiled' | 'file';

/** A kernel's native code for one instruction set. */
export interface NativeKernel {
  readonly handle: KernelHandle;
  readonly entry: NativeEntry;
}

/** A loaded library of generated kernels. */
export interface KernelLibrary {
  readonly path: string;
  readonly tier: LibraryTier;
  /** What the library says of the sources it was made from. */
  readonly hash: string;
  /** All entries, those that this CPU cannot run included. */
  readonly entries: readonly NativeEntry[];
  readonly closed: boolean;
  /**
   * The native code of a kernel: for the best instruction set of this CPU, or for the one named.
   *
   * @throws ProviderLoadError when there is none. @throws DisposedError after close.
   */
  kernel(name: string, isa?: string): NativeKernel;
  /** Its kernels refuse to run from now on. */
  close(): void;
}

/**
 * Loads a kernel library from a file.
 *
 * @throws ProviderLoadError when it cannot be loaded, has another ABI, or its table is not sound.
 */
export function openLibrary(path: string, tier: LibraryTier = 'file'): KernelLibrary {
  const addon = native();
  const handle = nativeCall(`loading ${path}`, () => addon.libraryOpen(path));
  const { hash, entries } = addon.libraryEntries(handle);
  const found = new Map<string, NativeKernel>();
  let closed = false;
  return {
    path, tier, hash, entries,
    get closed() {
      return closed;
    },
    kernel(name, isa) {
      if (closed) throw new DisposedError(`the library ${path}`);
      const key = `${name} ${isa ?? ''}`;
      let kernel = found.get(key);
      if (kernel === undefined) {
        const { handle: kernelHandle, ...entry } = nativeCall(path, () => addon.libraryKernel(handle, name, isa ?? null));
        kernel = { handle: kernelHandle, entry };
        found.set(key, kernel);
      }
      return kernel;
    },
    close() {
      if (!closed) addon.libraryClose(handle);
      closed = true;
      found.clear();
    },
  };
}
