import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kernelOf, type Manifest, parseManifest } from '../compile/index.ts';
import { ProviderLoadError, type Reason } from '../errors/index.ts';
import type { Kernel } from '../kernel/index.ts';
import { type KernelLibrary, loadLibrary } from '../library/index.ts';

/** The generated kernels of one npm package. Nothing is loaded before the first use. */
export interface KernelPackage {
  /** A kernel by name, for the best instruction set of this CPU or for the one named. @throws ProviderLoadError, ArgumentError */
  kernel(name: string, isa?: string): Kernel;
  /** The library in use. @throws ProviderLoadError with a reason for each place looked at */
  library(): KernelLibrary;
  /** Names of all kernels, in the order of the manifest. */
  readonly names: readonly string[];
}

/**
 * The kernels that a package generated: their descriptions from `native/gen/manifest.json`, their code from the library
 * beside it. A library that was not built from these very sources is refused.
 *
 * @param name the library's file name without ending, such as `quern_blas`
 * @param root the package's folder
 */
export function kernelPackage(name: string, root: URL): KernelPackage {
  const file = fileURLToPath(new URL('native/gen/manifest.json', root.href.endsWith('/') ? root : `${root.href}/`));
  let manifest: Manifest | undefined;
  let library: KernelLibrary | undefined;
  const read = (): Manifest => {
    if (manifest === undefined && !existsSync(file)) {
      const reason: Reason = { candidate: file, verdict: 'unavailable', code: 'not-found', detail: 'no such file', fix: 'generate and build the kernels: `npm run build`' };
      throw new ProviderLoadError(`the kernels of ${name} have not been generated`, [reason]);
    }
    manifest ??= parseManifest(readFileSync(file, 'utf8'));
    return manifest;
  };
  const open = (): KernelLibrary => {
    library ??= loadLibrary({ name, root, hash: read().hash });
    return library;
  };
  const bound = new Map<string, Kernel>();
  return {
    library: open,
    get names() {
      return [...new Set(read().kernels.map((k) => k.name))];
    },
    kernel(kernel, isa) {
      const key = `${kernel} ${isa ?? ''}`;
      const k = bound.get(key) ?? kernelOf(open(), read(), kernel, isa);
      bound.set(key, k);
      return k;
    },
  };
}
