import { readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lower, schedule, target, verify } from '../../packages/kernel-dsl/src/index.ts';
import type { Kernel, KernelIR, Schedule } from '../../packages/kernel-dsl/src/index.ts';
import { blasKernels } from '../../packages/blas/src/kernels/index.ts';
import { KERNELS } from '../../packages/dnn/src/kernels/index.ts';
import { fftKernels } from '../../packages/fft/src/kernels/index.ts';
import { FULL } from './spread.ts';

/** Nothing found, and nothing left open: every access in bounds, every parallel loop free of races. */
function proved(k: KernelIR): void {
  const v = verify(k);
  expect(v.findings.map((f) => f.message), k.name).toEqual([]);
  expect(v.accesses, k.name).toBeGreaterThan(0);
  expect([v.bounded, v.raceFree], k.name).toEqual([v.accesses, v.parallelLoops]);
}
const t = target('x86-64-v3'), examples = fileURLToPath(new URL('../../examples', import.meta.url));

// Libraries are built for every target, and a kernel that is not proved stops the build; here, one target stands for all, and of what the build has
// proved every fourth, unless QUERN_FULL.
const inTurn = <T>(all: readonly T[]): T[] => all.filter((_, i) => FULL || i % 4 === 0);
const lowered = new Set(inTurn(KERNELS));
describe('every shipped kernel is proved', () => {
  it.each(KERNELS.map((k) => [k.name, k] as const))('dnn %s', (_, k) => {
    proved(k.algorithm());
    if (lowered.has(k)) proved(lower(k.schedule(t).ir, t));
  });
  it.each(inTurn(blasKernels()).map((k) => [k.name, k] as const))('blas %s', (_, k) => { proved(k.build(t)); });
  it.each(inTurn(fftKernels()).map((k) => [k.name, k] as const))('fft %s', (_, k) => { proved(k.build(t)); });
  it.each(readdirSync(examples).filter((f) => f.endsWith('.ts')))('examples/%s', async (f) => {
    const m = await import(pathToFileURL(join(examples, f)).href) as { algorithm?: Kernel; cpu?: (s: Schedule, ax: Kernel['axes']) => void };
    if (!m.algorithm) return;
    proved(m.algorithm.ir);
    const s = schedule(m.algorithm, t, (x, ax) => m.cpu?.(x, ax));
    proved(s.ir);
    proved(lower(s.ir, t));
  });
});
