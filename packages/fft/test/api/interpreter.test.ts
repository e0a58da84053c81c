import { describe, expect, it } from 'vitest';
import { FULL } from '../../../../tools/test/spread.ts';
import { planFft } from '../../src/index.ts';
import { bound, random, reference, relativeError } from '../support/reference.ts';
import { sameNumbers } from '../../../../tools/test/often.ts';

describe('the kernels, as the interpreter runs them', () => {
  // Every vector length there is, so every geometry that a plan can have: 128, 256 and 512 bits.
  for (const [v, isa] of ['x86-64', 'x86-64-v3', 'x86-64-v4'].entries()) {
    for (const [d, dtype] of (['f32', 'f64'] as const).entries()) {
      it(`transform ${dtype} with vectors as on ${isa}`, () => {
        for (const bits of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...(dtype === 'f32' ? [13] : [11])]) {
          const n = 2 ** bits, x = random(dtype, 2 * n, bits + 1);
          // One direction in turn, unless QUERN_FULL.
          for (const sign of bits > 10 ? [1] as const : FULL ? [-1, 1] as const : (bits + v + d) % 2 === 0 ? [-1] as const : [1] as const) {
            const plan = planFft({ n, dtype, sign, norm: 'none' }, { backend: 'interpreter', isa });
            expect(plan.backend).toBe('interpreter');
            const y = plan.run(x.slice(), x);
            expect(relativeError(y, reference(x, sign)), plan.describe()).toBeLessThanOrEqual(bound(n, dtype));
          }
        }
      });
    }
  }
  it('transform batches, in place too, as one transform after another', () => {
    for (const isa of ['x86-64', 'x86-64-v4']) {
      for (const [n, batch] of [[4, 5], [32, 3], [64, 9], [512, 2], [1024, 2], ...(isa === 'x86-64' ? [] : [[8192, 2]])] as const) {
        const x = random('f32', 2 * n * batch, n + batch), want = new Float32Array(x.length);
        const one = planFft({ n, dtype: 'f32', sign: 1 }, { backend: 'interpreter', isa });
        for (let b = 0; b < batch; b++) one.run(want.subarray(2 * n * b, 2 * n * (b + 1)), x.subarray(2 * n * b, 2 * n * (b + 1)));
        const plan = planFft({ n, dtype: 'f32', sign: 1, batch }, { backend: 'interpreter', isa }), before = x.slice();
        sameNumbers(plan.run(new Float32Array(x.length), x), want, plan.describe());
        sameNumbers(x, before);
        sameNumbers(plan.run(x, x), want, plan.describe());
      }
    }
  });
});
