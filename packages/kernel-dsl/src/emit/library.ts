import type { KernelIR } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { requireVerified } from '../verify/index.ts';
import { assembleFileC, emitKernelC, emitLibraryIndexC } from './c/index.ts';
import type { LibraryEntry } from './c/index.ts';
import { libraryGypi } from './gyp.ts';
import { sha256 } from './sha256.ts';

/** A kernel of a library: how it is built, lowered, for each target. */
export interface LibraryKernel {
  readonly name: string;
  /** The kernel for a target, scheduled and lowered. Its own name gives way to `name`. */
  readonly build: (t: Target) => KernelIR;
}

/** A text file of a generated library. */
export interface LibraryFile {
  readonly path: string;
  readonly text: string;
}

/**
 * The C sources of a kernel library: `lib_<isa>.c` for each target, `index.c` with the table of entries, and `manifest.json`, which says
 * with which flags to compile each file and how to call each kernel. The same kernels give the same bytes, everywhere.
 * @throws DslError KD-V-…: a kernel that {@link requireVerified} refuses.
 */
export function libraryFiles(kernels: readonly LibraryKernel[], targets: readonly Target[], o: { readonly name: string }): LibraryFile[] {
  const entries: LibraryEntry[] = [], files: LibraryFile[] = [], sources: { path: string; isa: string; cflags: readonly string[] }[] = [];
  for (const t of targets) {
    const emitted = kernels.map((k) => {
      const built = k.build(t);
      requireVerified(built);
      const e = emitKernelC({ ...built, name: k.name }, t);
      entries.push({ name: k.name, isa: t.isa, meta: e.meta });
      return e;
    });
    const path = `lib_${t.isa.replaceAll('-', '_')}.c`;
    files.push({ path, text: assembleFileC(emitted, t) });
    sources.push({ path, isa: t.isa, cflags: t.cflags });
  }
  const hash = sha256([o.name, ...files.map((x) => `${x.path}\n${x.text}`), JSON.stringify(sources)].join('\0'));
  files.push({ path: 'index.c', text: emitLibraryIndexC(entries, hash) });
  const common = targets[0]?.cflags.filter((x) => targets.every((t) => t.cflags.includes(x))) ?? [];
  const all = [...sources, { path: 'index.c', cflags: common }];
  files.push({ path: 'library.gypi', text: libraryGypi(o.name, all) });
  const manifest = {
    name: o.name, hash,
    sources: all,
    kernels: entries.map((e) => ({ isa: e.isa, ...e.meta })),
  };
  files.push({ path: 'manifest.json', text: `${JSON.stringify(manifest, null, 2)}\n` });
  return files;
}
