import type { KernelIR } from '../../ir/index.ts';
import type { Target } from '../../targets/index.ts';
import { requireVerified } from '../../verify/index.ts';
import { sha256 } from '../sha256.ts';
import { assembleFileC } from './file.ts';
import { libraryGypi } from './gyp.ts';
import { emitKernelC } from './kernel.ts';
import type { EmittedKernel } from './kernel.ts';
import { emitLibraryIndexC } from './library-index.ts';
import type { LibraryEntry } from './library-index.ts';

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
  const made = new Map<Target, readonly { readonly e: EmittedKernel; readonly isa: string }[]>();
  for (const [i, t] of [...targets.entries()].reverse()) {
    const base = targets.slice(i + 1).find((b) => b.arch === t.arch && b.features.every((f) => t.features.includes(f))), known = base && made.get(base);
    const emitted = kernels.map((k, at) => {
      const built = k.build(t), e = emitKernelC({ ...built, name: k.name }, t), same = known?.[at];
      // What a target adds is for kernels that ask for it: the others have the function of the target below.
      const isa = t.adds.length > 0 && same && sourceKey(e) === sourceKey(same.e) ? same.isa : t.isa;
      if (isa === t.isa) requireVerified(built);
      return { e, isa };
    });
    made.set(t, emitted);
    entries.unshift(...emitted.map(({ e, isa }, at): LibraryEntry => ({ name: kernels[at]!.name, isa: t.isa, meta: e.meta, from: isa === t.isa ? undefined : isa })));
    const path = `lib_${t.isa.replaceAll('-', '_')}.c`;
    files.unshift({ path, text: assembleFileC(emitted.filter((x) => x.isa === t.isa).map((x) => x.e), t) });
    sources.unshift({ path, isa: t.isa, cflags: t.cflags });
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

/** What a kernel's text is but for its own name. */
const sourceKey = (e: EmittedKernel): string => JSON.stringify([e.source, e.helpers, e.meta]).replaceAll(e.symbol, '@');
