import { ISAS } from '../../targets/index.ts';
import type { KernelMeta } from '../meta.ts';
import { sizeCount } from '../meta.ts';
import { symbolOf } from './kernel.ts';

/** One kernel of a library on one instruction set. */
export interface LibraryEntry {
  readonly name: string;
  readonly isa: string;
  readonly meta: KernelMeta;
  /** The instruction set whose function it is, where that is not its own. */
  readonly from?: string | undefined;
}

const rank = (isa: string): number => {
  const i = ISAS.indexOf(isa);
  return i < 0 ? ISAS.length : i;
};

/** The table of a library: declarations, an entry per kernel and instruction set (best first), and the one symbol that it exports. */
export function emitLibraryIndexC(list: readonly LibraryEntry[], hash: string): string {
  const entries = [...list].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : rank(a.isa) - rank(b.isa)));
  const count = (e: LibraryEntry, kind: 'tensor' | 'scalar'): number => e.meta.params.filter((p) => p.kind === kind).length;
  const declare = (e: LibraryEntry): string =>
    `int32_t ${symbolOf(e.name, e.isa)}(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar);`;
  const row = (e: LibraryEntry): string =>
    `  {"${e.name}", "${e.isa}", ${symbolOf(e.name, e.from ?? e.isa)}, ${count(e, 'tensor')}, ${sizeCount(e.meta)}, ${count(e, 'scalar')}, ${e.meta.scratchBytes}, ${e.meta.sharedBytes}},`;
  return `// Made by Quern; do not edit. The kernels of this library, by name, best instruction set first.
#include <stdint.h>
#include "quern.h"

${entries.filter((e) => e.from === undefined).map(declare).join('\n')}

// name, isa, function, buffers, sizes, scalars, bytes of scratch, bytes of shared memory
static const quern_entry entries[] = {
${entries.map(row).join('\n')}
};

static const quern_library library = {QUERN_ABI, ${entries.length}, "${hash}", entries};

__attribute__((visibility("default"))) const quern_library *quern_library_get(void);
__attribute__((visibility("default"))) const quern_library *quern_library_get(void) {
  return &library;
}
`;
}
