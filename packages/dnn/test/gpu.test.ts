/** The kernels of this package on the GPUs of this machine: scheduled for them, proved, and held to their definition. */
import { conformOn } from '@quern/conformance';
import type { ConformReport, DeviceOptions } from '@quern/conformance';
import { emitGpu, lower, target } from '@quern/kernel-dsl';
import { device, listDevices } from '@quern/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelNamed } from '../src/kernels/index.ts';

/** Blocks of 32 weights: a scale of ordinary size as f16, then random bytes. */
const blocks = (bytes: number) => ({ shape, random }: { readonly shape: readonly number[]; readonly random: () => number }): number[] =>
  Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i % bytes === 1 ? 0x2c + Math.floor(random() * 8) : Math.floor(random() * 256)));

/** Each form of work once: maps, rows with one sum and with three, exchanges of neighbours, tables, blocks of weights, products, attention. */
const FORMS: readonly { readonly name: string; readonly o?: DeviceOptions }[] = [
  { name: 'silu_mul' }, { name: 'rms_norm' }, { name: 'softmax' }, { name: 'kv_append_f16', o: { args: { pos: fc.constant(1) }, sizes: { C: { min: 40 }, T: { max: 20 } } } },
  { name: 'quantize_q8' }, { name: 'matvec_q4_0', o: { args: { W: blocks(18) }, sizes: { NB: { max: 8 } } } }, { name: 'matvec_q8_0_acc', o: { args: { W: blocks(34) }, sizes: { NB: { max: 8 } } } },
  { name: 'matmul_f32' }, { name: 'attention_f32', o: { args: { pos: fc.constant(3) }, sizes: { C: { min: 40, max: 44 }, T: { max: 20 }, E: { max: 20 } } } },
];

describe('schedules that are found', () => {
  it.each(FORMS)('$name: proved, and printed for every language', ({ name }) => {
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
    it.each(FORMS.filter((f) => kind === 'cuda' || !f.name.startsWith('attention')))('$name', async ({ name, o }) => {
      const k = kernelNamed(name), r: ConformReport = await conformOn(await on, { name, ir: k.algorithm(), schedule: k.gpu }, { runs: 4, work: 600, checked: false, interpret: false, ...o }), got = r.backends.find((b) => b.backend === 'device')!;
      expect(got.exact + got.bounded).toBeGreaterThan(50);
    });
  });
}
