import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lower, targetsFor } from '@quern/kernel-dsl';
import { libraryFiles } from '@quern/kernel-dsl/c';
import { KERNELS } from './kernels/index.ts';

/** Writes the C sources of this package's kernels into `outDir`, for this machine's kind of processor: a file per instruction set, the table of entries, the manifest. */
export async function generate(outDir: string): Promise<void> {
  for (const f of libraryFiles(KERNELS.map((k) => ({ name: k.name, build: (t) => lower(k.schedule(t).ir, t) })), targetsFor(process.arch, ['avx512_vnni', 'i8mm']), { name: 'dnn' })) await writeFile(join(outDir, f.path), f.text);
}
