import { readFileSync } from 'node:fs';
import { lower, interpret, target } from '@quern/kernel-dsl';
import type { InterpretArg } from '@quern/kernel-dsl';
import { bindKernel, loadLibrary, tensor } from '@quern/runtime';
import type { KernelMeta } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { FULL } from '../../../../tools/test/spread.ts';
import { planFft } from '../../src/index.ts';
import { kernelIds, kernelName, scheduled } from '../../src/kernels/index.ts';
import { bound, random, reference, relativeError } from '../support/reference.ts';

const library = loadLibrary({ name: 'quern_fft', root: new URL('../../', import.meta.url) });
const manifest = JSON.parse(readFileSync(new URL('../../native/gen/manifest.json', import.meta.url), 'utf8')) as { readonly kernels: readonly (KernelMeta & { readonly isa: string })[] };
/** Instruction sets of the library that this CPU has. */
const ISAS = ['x86-64-v4', 'x86-64-v3', 'x86-64'].filter((isa) => library.entries.some((e) => e.isa === isa && e.supported));

describe('the compiled kernels', () => {
  it('are there for this CPU, and chosen unless another instruction set is asked for', () => {
    expect(ISAS).toContain('x86-64');
    const plan = planFft({ n: 1024, dtype: 'f32' });
    expect([plan.backend, plan.isa]).toEqual(['native', ISAS[0]]);
    for (const isa of ISAS) {
      const forced = planFft({ n: 1024, dtype: 'f32' }, { isa });
      expect([forced.backend, forced.isa]).toEqual(['native', isa]);
      expect(forced.kernels).toEqual(['first8_f32', 'middle8_f32', 'last16_f32']);
    }
    expect(() => planFft({ n: 8, dtype: 'f32' }, { isa: 'x86-64-v9' })).toThrow(/x86-64-v9|small2_f32/);
  });

  it.each(ISAS)('give the bits of the interpreter on %s, each of them (on one instruction set, unless QUERN_FULL)', (isa) => {
    const t = target(isa);
    for (const id of kernelIds().filter((_, i) => FULL || i % ISAS.length === ISAS.indexOf(isa))) {
      const name = kernelName(id), ir = lower(scheduled(id, t), t), meta = manifest.kernels.find((k) => k.name === name && k.isa === isa)!;
      const kernel = bindKernel(meta, library.kernel(name, isa)), sizes: Record<string, number> = { P: 2, Q: 1, K: 2 };
      const theirs: Record<string, InterpretArg> = {}, ours: Record<string, ReturnType<typeof tensor> | number> = {};
      const results: [Float32Array | Float64Array, Float32Array | Float64Array][] = [];
      meta.params.forEach((p, i) => {
        if (p.kind === 'scalar') {
          theirs[p.name] = ours[p.name] = p.dtype === 'i32' ? 1 : 0.75;
          return;
        }
        const shape = p.shape.map((d) => (typeof d === 'string' ? sizes[d]! : d)), a = random(id.dtype, shape.reduce((x, y) => x * y, 1), i + 1), b = a.slice();
        theirs[p.name] = { data: a, shape };
        ours[p.name] = tensor(b, shape);
        if (p.access !== 'in') results.push([b, a]);
      });
      interpret(ir, theirs);
      kernel.run(ours);
      for (const [got, want] of results) expect(got, `${name} on ${isa}`).toEqual(want);
    }
  });
  it('give the bits of the interpreter in whole transforms, where nothing is fused', () => {
    for (const dtype of ['f32', 'f64'] as const) {
      for (const n of [2, 32, 64, 512, 2048]) {
        const spec = { n, dtype, sign: 1, batch: 2 } as const, x = random(dtype, 4 * n, n);
        const want = planFft(spec, { backend: 'interpreter', isa: 'x86-64' }).run(x.slice(), x);
        expect(planFft(spec, { isa: 'x86-64' }).run(x.slice(), x)).toEqual(want);
      }
    }
  });
});

describe('the accuracy', () => {
  const most = FULL ? 20 : 17;
  it(`is eps sqrt(log2 n) for every n from 2^0 to 2^${most}`, () => {
    for (let bits = 0; bits <= most; bits++) {
      const n = 2 ** bits, sign = bits % 2 === 0 ? -1 : 1, x = random('f32', 2 * n, bits + 1), wide = Float64Array.from(x);
      const exact = reference(x, sign), f64 = planFft({ n, dtype: 'f64', sign, norm: 'none' }), f32 = planFft({ n, dtype: 'f32', sign, norm: 'none' });
      expect(relativeError(f64.run(wide.slice(), wide), exact), f64.describe()).toBeLessThanOrEqual(bound(n, 'f64'));
      expect(relativeError(f32.run(x.slice(), x), exact), f32.describe()).toBeLessThanOrEqual(bound(n, 'f32'));
    }
  });
  it.each(ISAS)('holds on %s, both ways and with every norm', (isa) => {
    for (const bits of [1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]) {
      const n = 2 ** bits, x = random('f32', 2 * n, bits + 77), wide = Float64Array.from(x);
      for (const sign of [-1, 1] as const) {
        const exact = reference(x, sign);
        for (const [norm, factor] of [['none', 1], ['inverse', sign === 1 ? 1 / n : 1], ['ortho', 1 / Math.sqrt(n)]] as const) {
          const want = exact.map((v) => v * factor), f64 = planFft({ n, dtype: 'f64', sign, norm }, { isa }), f32 = planFft({ n, dtype: 'f32', sign, norm }, { isa });
          expect(relativeError(f64.run(wide.slice(), wide), want), f64.describe()).toBeLessThanOrEqual(bound(n, 'f64'));
          expect(relativeError(f32.run(x.slice(), x), want), f32.describe()).toBeLessThanOrEqual(bound(n, 'f32'));
        }
      }
    }
  });
});
