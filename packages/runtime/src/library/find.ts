import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ProviderLoadError, type Reason } from '../errors/index.ts';
import { native, platformTag } from '../native/index.ts';
import { type KernelLibrary, type LibraryTier, openLibrary } from './library.ts';

/** Where a package keeps its kernel library. */
export interface LibrarySource {
  /** File name without ending: `quern_blas`. QUERN_BLAS_LIBRARY then names a file that is taken instead. */
  readonly name: string;
  /** The package's folder. */
  readonly root: URL;
  /** The hash that the package's generated manifest states; a library with another one is stale and refused. */
  readonly hash?: string;
}

/** A loaded library, or none, with a reason for each file looked at. */
export interface LibrarySearch {
  readonly library: KernelLibrary | undefined;
  readonly reasons: readonly Reason[];
}

/** The variable that overrides where a library is looked for: `quern_blas` -> `QUERN_BLAS_LIBRARY`. */
export function libraryVariable(name: string): string {
  return `${name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}_LIBRARY`;
}

function candidates({ name, root }: LibrarySource): { path: string; tier: LibraryTier }[] {
  const file = (relative: string): string => fileURLToPath(new URL(relative, root.href.endsWith('/') ? root : `${root.href}/`));
  const list: { path: string; tier: LibraryTier }[] = [];
  const override = process.env[libraryVariable(name)];
  if (override) list.push({ path: override, tier: 'env' });
  const build = ['so', 'node', 'dylib'].map((ending) => file(`native/build/Release/${name}.${ending}`));
  list.push({ path: build.find((p) => existsSync(p)) ?? build[0] ?? '', tier: 'build' });
  list.push({ path: file(`prebuilds/${platformTag()}/${name}.so`), tier: 'prebuilt' });
  return list;
}

/** Looks for a package's kernel library: the variable's file, this checkout's build, the shipped build. Never throws for what it finds. */
export function findLibrary(source: LibrarySource): LibrarySearch {
  // Without the addon nothing can be loaded: that is the error to show.
  native();
  const reasons: Reason[] = [];
  for (const { path, tier } of candidates(source)) {
    const { library, reason } = tryOpen(path, tier, source.hash);
    reasons.push(reason);
    if (library !== undefined) return { library, reasons };
  }
  return { library: undefined, reasons };
}

function tryOpen(path: string, tier: LibraryTier, hash: string | undefined): { library?: KernelLibrary; reason: Reason } {
  if (!existsSync(path)) return { reason: { candidate: path, verdict: 'unavailable', code: 'not-found', detail: 'no such file' } };
  let library: KernelLibrary;
  try {
    library = openLibrary(path, tier);
  } catch (error) {
    return { reason: { candidate: path, verdict: 'rejected', code: 'load', detail: error instanceof Error ? error.message : String(error) } };
  }
  if (hash !== undefined && library.hash !== hash) {
    library.close();
    const short = (h: string): string => (h === '' ? 'none' : h.slice(0, 12));
    return {
      reason: {
        candidate: path, verdict: 'rejected', code: 'stale', fix: 'rebuild it: `npm run build`',
        detail: `stale: it was built from kernels with hash ${short(library.hash)}, the package's manifest says ${short(hash)}`,
      },
    };
  }
  return { library, reason: { candidate: path, verdict: 'chosen', code: tier, detail: 'loaded' } };
}

/**
 * A package's kernel library.
 *
 * @throws ProviderLoadError with a reason for each file, when there is none that can be used.
 */
export function loadLibrary(source: LibrarySource): KernelLibrary {
  const { library, reasons } = findLibrary(source);
  if (library !== undefined) return library;
  throw new ProviderLoadError(`no kernel library '${source.name}' can be used`, reasons, {
    fix: `build it with \`npm run build\`, or set ${libraryVariable(source.name)} to a built file`,
  });
}
