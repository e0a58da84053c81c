/** The kernels of this package on the GPUs of this machine: scheduled for them, proved, and held to their definition. */
import { conformOn } from '@quern/conformance';
import type { ConformReport } from '@quern/conformance';
import { lower, target } from '@quern/kernel-dsl';
import { emitGpu } from '@quern/kernel-dsl/gpu';
import { device, listDevices } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import '../../runtime/test/support/webgpu.ts';
import { KERNELS, kernelNamed } from '../src/kernels/index.ts';
import { FULL } from '../../../tools/test/spread.ts';
import { FORMS, SETTINGS } from './gpu-forms.ts';

/** Bytes of the arrays of a module's functions, by its text. */
const ownBytes = (wgsl: string): number => [...wgsl.matchAll(/^ +var \w+(?:: array<(\w+), (\d+)>| = array<(\w+), (\d+)>)/gm)].reduce((n, m) => n + 4 * Number(m[2] ?? m[4]), 0);

const CHOSEN = FORMS.filter((f) => FULL || !f.wider);

describe('schedules that are found', () => {
  it.each(CHOSEN)('$name: proved, and printed for every language', ({ name }) => {
    for (const t of name.startsWith('attention') ? [target('cuda-sm80'), target('wgsl')] : [target('cuda-sm80'), target('opencl'), target('wgsl')]) {
      const s = kernelNamed(name).gpu(t);
      expect(s.steps.map((x) => x.call).join()).toMatch(/bind\(lane\.x|deal\(/);
      const { source } = emitGpu(lower(s.ir, t), t);
      expect(source).toContain(name);
      if (t.isa === 'wgsl') expect(ownBytes(source)).toBeLessThanOrEqual(8192);
    }
  });

  it.runIf(FULL)('no lane has more memory of its own in any kernel than every WebGPU device has', () => {
    const t = target('wgsl'), all = KERNELS.filter((k) => !k.name.includes('f64'));
    expect(all.length).toBeGreaterThan(40);
    for (const k of all) expect(ownBytes(emitGpu(lower(k.gpu(t).ir, t), t).source), k.name).toBeLessThanOrEqual(8192);
  });
});

for (const { id, kind } of (await listDevices()).devices) {
  if (kind !== 'opencl' && kind !== 'cuda' && !(kind === 'webgpu' && FULL)) continue;
  describe(id, () => {
    const on = device(id, { fallback: 'none' });
    // PoCL takes minutes to compile loops with the many barriers of attention.
    it.each(CHOSEN.filter((f) => kind !== 'opencl' || !f.name.startsWith('attention')))('$name', async ({ name, o }) => {
      const k = kernelNamed(name), r: ConformReport = await conformOn(await on, { name, ir: k.algorithm(), schedule: k.gpu }, { ...SETTINGS, runs: 2, ...o }), got = r.backends.find((b) => b.backend === 'device')!;
      expect(got.exact + got.bounded).toBeGreaterThan(50);
    });
  });
}
