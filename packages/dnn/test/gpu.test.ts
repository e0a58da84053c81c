/** The kernels of this package on the GPUs of this machine: scheduled for them, proved, and held to their definition. */
import { conformOn } from '@quern/conformance';
import type { ConformReport } from '@quern/conformance';
import { emitGpu, lower, target } from '@quern/kernel-dsl';
import { device, listDevices } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { kernelNamed } from '../src/kernels/index.ts';
import { FULL } from '../../../tools/test/spread.ts';
import { FORMS, SETTINGS } from './gpu-forms.ts';

const CHOSEN = FORMS.filter((f) => FULL || !f.wider);

describe('schedules that are found', () => {
  it.each(CHOSEN)('$name: proved, and printed for every language', ({ name }) => {
    for (const t of name.startsWith('attention') ? [target('cuda-sm80')] : [target('cuda-sm80'), target('opencl'), target('wgsl')]) {
      const s = kernelNamed(name).gpu(t);
      expect(s.steps.map((x) => x.call).join()).toMatch(/bind\(lane\.x|deal\(/);
      expect(emitGpu(lower(s.ir, t), t).source).toContain(name);
    }
  });
});

for (const { id, kind } of (await listDevices()).devices) {
  if (kind !== 'opencl' && kind !== 'cuda') continue;
  describe(id, () => {
    const on = device(id, { fallback: 'none' });
    // PoCL takes minutes to compile loops with the many barriers of attention.
    it.each(CHOSEN.filter((f) => kind === 'cuda' || !f.name.startsWith('attention')))('$name', async ({ name, o }) => {
      const k = kernelNamed(name), r: ConformReport = await conformOn(await on, { name, ir: k.algorithm(), schedule: k.gpu }, { ...SETTINGS, runs: 2, ...o }), got = r.backends.find((b) => b.backend === 'device')!;
      expect(got.exact + got.bounded).toBeGreaterThan(50);
    });
  });
}
