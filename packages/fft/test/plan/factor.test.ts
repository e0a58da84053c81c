import { describe, expect, it } from 'vitest';
import { kernelIds, kernelName } from '../../src/kernels/index.ts';
import { factor, launchPlan } from '../../src/plan/index.ts';

describe('the radices', () => {
  it('multiply to n, are as few as there can be, and their vectors fit', () => {
    for (const lanes of [2, 4, 8, 16]) {
      for (let bits = 6; bits <= 28; bits++) {
        const f = factor(bits, lanes), width = (i: number): number => (f[i]!.narrow ? Math.min(8, lanes) : lanes);
        expect(f.reduce((n, x) => n * x.radix, 1)).toBe(2 ** bits);
        expect(f).toHaveLength(Math.ceil(bits / 4));
        let l = 1;
        f.forEach((x, i) => {
          const run = 2 ** bits / l / x.radix;
          expect((i === f.length - 1 ? l : run) % width(i)).toBe(0);
          l *= x.radix;
        });
      }
    }
  });
  it('ask for no kernel that is not in the library', () => {
    const have = new Set(kernelIds().map(kernelName));
    for (const dtype of ['f32', 'f64'] as const) {
      for (const vecBytes of [16, 32, 64]) {
        for (let bits = 1; bits <= 22; bits++) {
          const { launches } = launchPlan({ n: 2 ** bits, dtype, sign: -1, batch: 1, norm: 'none' }, vecBytes, false);
          expect(launches.length).toBeGreaterThan(0);
          for (const l of launches) expect(have).toContain(kernelName(l.kernel));
        }
      }
    }
  });
});
