import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { libraryFiles, target } from '@quern/kernel-dsl';
import { fftKernels } from './kernels/index.ts';

/** Writes the package's C sources into `outDir`. The build calls it; it is no part of the public API. */
export async function generate(outDir: string): Promise<void> {
  const targets = ['x86-64-v4', 'x86-64-v3', 'x86-64'].map(target);
  for (const f of libraryFiles(fftKernels(), targets, { name: 'fft' })) await writeFile(join(outDir, f.path), f.text);
}
