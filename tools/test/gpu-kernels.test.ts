import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { emitGpu } from '../../packages/kernel-dsl/src/gpu.ts';
import { lower, target } from '../../packages/kernel-dsl/src/index.ts';
import type { Kernel, KernelIR, Target } from '../../packages/kernel-dsl/src/index.ts';
import { blasKernels } from '../../packages/blas/src/kernels/index.ts';
import { KERNELS } from '../../packages/dnn/src/kernels/index.ts';
import { fftKernels } from '../../packages/fft/src/kernels/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'quern-cuda-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const NVCC = (() => { try { execFileSync('nvcc', ['--version'], { stdio: 'ignore' }); return true; } catch { return false; } })();
/** The wider tests take every architecture, and kernels scheduled for CPUs too: their vectors, panels and named registers. */
const WIDE = process.env['QUERN_GPU_ALL'] !== undefined;

/** Every kernel that the packages and examples ship. */
async function shipped(t: Target): Promise<readonly (readonly [string, KernelIR])[]> {
  const examples = fileURLToPath(new URL('../../examples', import.meta.url)), out: [string, KernelIR][] = KERNELS.map((k) => [k.name, k.algorithm()]);
  for (const f of readdirSync(examples).filter((x) => x.endsWith('.ts'))) {
    const m = await import(pathToFileURL(join(examples, f)).href) as { algorithm?: Kernel };
    if (m.algorithm) out.push([`example_${m.algorithm.name}`, m.algorithm.ir]);
  }
  if (WIDE) {
    out.push(...KERNELS.map((k): [string, KernelIR] => [`${k.name}_scheduled`, k.schedule(t).ir]), ...fftKernels().map((k): [string, KernelIR] => [`fft_${k.name}`, k.build(t)]));
    out.push(...blasKernels().filter((k) => !k.name.includes('i8')).map((k): [string, KernelIR] => [`blas_${k.name}`, k.build(t)]));
  }
  return out;
}

describe.skipIf(!NVCC)(NVCC ? 'every shipped kernel is CUDA that nvcc compiles without a warning' : 'nvcc is not on PATH: no shipped kernel was compiled for GPUs', () => {
  it.each(WIDE ? ['cuda-sm75', 'cuda-sm80', 'cuda-sm90a'] : ['cuda-sm80'])('%s', async (isa) => {
    const t = target(isa), all = await shipped(t), path = join(folder, `${isa}.cu`);
    expect(all.length).toBeGreaterThan(60);
    writeFileSync(path, all.map(([name, ir], i) => `namespace m${i} {\n${emitGpu(lower({ ...ir, name }, t), t).source}}\n`).join('\n'));
    execFileSync('nvcc', ['-ptx', ...t.cflags, '-Werror', 'all-warnings', path, '-o', `${path}.ptx`], { stdio: ['ignore', 'pipe', 'inherit'] });
    expect(readFileSync(`${path}.ptx`, 'utf8').match(/\.entry/g)!.length).toBeGreaterThanOrEqual(all.length);
  }, 300_000);
});
