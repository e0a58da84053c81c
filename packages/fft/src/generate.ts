import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { targetsFor } from '@quern/kernel-dsl';
import { libraryFiles } from '@quern/kernel-dsl/c';
import { fftKernels } from './kernels/index.ts';

/** Writes the package's C sources into `outDir`, for this machine's kind of processor. The build calls it; it is no part of the public API. */
export async function generate(outDir: string): Promise<void> {
  // Nothing here multiplies bytes: VNNI would add nothing.
  const targets = targetsFor(process.arch, []);
  for (const f of libraryFiles(fftKernels(), targets, { name: 'fft' })) await writeFile(join(outDir, f.path), f.text);
}
