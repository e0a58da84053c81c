/** What ptxas says of a module for compute capability 9.0: registers, spills, and products that it could not let overlap. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function ptxas(source: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'quern-ptxas-')), file = join(dir, 'k.cu');
  try {
    writeFileSync(file, source);
    return execFileSync('sh', ['-c', `nvcc -gencode=arch=compute_90a,code=sm_90a -std=c++17 --fmad=false -Xptxas -v -cubin -o ${join(dir, 'k.cubin')} ${file} 2>&1`], { encoding: 'utf8' });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
