import { ArgumentError } from '../errors/index.ts';
import { bindKernel, type Kernel, type KernelMeta } from '../kernel/index.ts';
import { cpuInfo } from '../machine/index.ts';
import type { KernelLibrary } from '../library/index.ts';
import { type Compiled, compileLibrary, type CompileOptions } from './compile.ts';

/** A file of a generated library: C, or `manifest.json`. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** `manifest.json`, as the emitters of the kernel language write it. */
export interface Manifest {
  readonly name: string;
  /** Of sources and flags; compiled into the library as well. */
  readonly hash: string;
  /** How to compile each file, and for which instruction set. */
  readonly sources: readonly { readonly path: string; readonly isa?: string; readonly cflags: readonly string[] }[];
  readonly kernels: readonly (KernelMeta & { readonly isa: string })[];
}

/** Reads a manifest. @throws ArgumentError when it is none. */
export function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ArgumentError('manifest.json is not JSON', { cause: error });
  }
  const m = value as Partial<Manifest> | null;
  if (typeof m?.name !== 'string' || typeof m.hash !== 'string' || !Array.isArray(m.sources) || !Array.isArray(m.kernels)) {
    throw new ArgumentError('manifest.json must have name, hash, sources and kernels', { fix: 'generate it again' });
  }
  return m as Manifest;
}

/**
 * A library's kernel with its description, for the best instruction set of this CPU or for the one named.
 *
 * @throws ProviderLoadError, ArgumentError when library or manifest do not have it.
 */
export function kernelOf(library: KernelLibrary, manifest: Manifest, name: string, isa?: string): Kernel {
  const native = library.kernel(name, isa);
  const meta = manifest.kernels.find((k) => k.name === name && k.isa === native.entry.isa);
  if (meta === undefined) throw new ArgumentError(`the manifest of '${manifest.name}' does not describe kernel '${name}' for ${native.entry.isa}`, { fix: 'rebuild the library: `npm run build`' });
  return bindKernel(meta, native);
}

/** A library compiled from generated files. */
export interface CompiledKernels {
  readonly library: KernelLibrary;
  readonly compiled: Compiled;
  readonly manifest: Manifest;
  /** A kernel by name. */
  kernel(name: string, isa?: string): Kernel;
}

/**
 * Compiles the files that the kernel language's `libraryFiles` made, now, on this machine. Instruction sets that this CPU
 * lacks are compiled too (the compiler does not need them) and left alone.
 *
 * @throws KernelCompileError, ArgumentError
 */
export function compileGenerated(files: readonly GeneratedFile[], options: Pick<CompileOptions, 'cacheDir' | 'version'> = {}): CompiledKernels {
  const text = files.find((f) => f.path === 'manifest.json')?.text;
  if (text === undefined) throw new ArgumentError('a generated library has a manifest.json; these files have none');
  const manifest = parseManifest(text);
  const sources = manifest.sources.map(({ path, cflags }) => {
    const file = files.find((f) => f.path === path);
    if (file === undefined) throw new ArgumentError(`the manifest of '${manifest.name}' names '${path}', which is not among the files`);
    return { path, text: file.text, flags: cflags };
  });
  // One set of flags: one call of the compiler instead of one for each file and a link.
  const isas = manifest.sources.filter((s) => s.isa !== undefined);
  const single = isas.length === 1 ? isas[0]?.cflags : undefined;
  const { library, compiled } = compileLibrary(
    single === undefined ? sources : sources.map(({ path, text: t }) => ({ path, text: t })),
    { ...options, name: manifest.name, isa: cpuInfo().isas[0] ?? 'generic', flags: single ?? [] },
  );
  return { library, compiled, manifest, kernel: (name, isa) => kernelOf(library, manifest, name, isa) };
}
