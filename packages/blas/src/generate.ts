import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { targetsFor } from '@quern/kernel-dsl';
import { libraryFiles } from '@quern/kernel-dsl/c';
import { blasKernels } from './kernels/index.ts';

/** Writes the package's C sources into `outDir`, for this machine's kind of processor. The build calls it; it is no part of the public API. */
export async function generate(outDir: string): Promise<void> {
  const targets = targetsFor(process.arch, []);
  for (const f of libraryFiles(blasKernels(), targets, { name: 'blas' })) await writeFile(join(outDir, f.path), f.text);
}
