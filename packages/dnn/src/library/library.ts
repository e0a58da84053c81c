import { readFileSync } from 'node:fs';
import { bindKernel, loadLibrary } from '@quern/runtime';
import type { Kernel, KernelLibrary, KernelMeta } from '@quern/runtime';

/** The package's folder: this file lies two folders below it, as source and as built file. */
const ROOT = new URL('../../', import.meta.url);

interface Manifest {
  readonly hash: string;
  readonly kernels: readonly (KernelMeta & { readonly isa: string })[];
}
let loaded: { readonly library: KernelLibrary; readonly manifest: Manifest } | undefined;
const kernels = new Map<string, Kernel>();

function load(): { readonly library: KernelLibrary; readonly manifest: Manifest } {
  if (loaded) return loaded;
  const manifest = JSON.parse(readFileSync(new URL('native/gen/manifest.json', ROOT), 'utf8')) as Manifest;
  return (loaded = { manifest, library: loadLibrary({ name: 'quern_dnn', root: ROOT, hash: manifest.hash }) });
}

/** The library of this package's native kernels: its path, how it was found, what it holds. @throws ProviderLoadError with a reason for each place looked at. */
export const dnnLibrary = (): KernelLibrary => load().library;

/**
 * A kernel of this package, for programs: the code for the best instruction set of this CPU, or for the one named.
 *
 * @throws ProviderLoadError when the native library cannot be loaded or has no such kernel.
 * @example dnnKernel('matvec_q4_0').run({ W, q, d, y })
 */
export function dnnKernel(name: string, isa?: string): Kernel {
  const key = `${name} ${isa ?? ''}`, known = kernels.get(key);
  if (known) return known;
  const { library, manifest } = load(), native = library.kernel(name, isa);
  const meta = manifest.kernels.find((k) => k.name === name && k.isa === native.entry.isa);
  if (!meta) throw new Error(`the manifest of @quern/dnn lacks ${name} for ${native.entry.isa}, which its library has: rebuild it with \`npm run build\``);
  const kernel = bindKernel(meta, native);
  kernels.set(key, kernel);
  return kernel;
}
