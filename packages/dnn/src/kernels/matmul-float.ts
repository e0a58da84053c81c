import { axes, kernel, reg, rowReduction, tensor } from '@quern/kernel-dsl';
import type { Target } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

/** Rows of weights that one thread takes at a time: they stay in its L2 cache while the tokens pass. */
const ROWS_PER_TASK = 16;

/** The register tile: rows x tokens, a vector of partial sums each. Both operands lie along the sum, so nothing is packed. */
const tile = (t: Target): { readonly rows: number; readonly tokens: number } =>
  t.vectorRegisters === 32 ? { rows: 4, tokens: 6 } : t.fma ? { rows: 4, tokens: 2 } : { rows: 2, tokens: 2 };

/** y[t, r] = sum_k x[t, k] * W[r, k], or y += that; f16 weights are widened as they are loaded. */
function matmul(dtype: 'f16' | 'f32', accumulate: boolean): DnnKernel {
  const out = tensor('f32', 'T', 'R');
  return define(
    `matmul_${dtype}${accumulate ? '_acc' : ''}`,
    (name) => kernel(name, { W: tensor(dtype, 'R', 'D'), x: tensor('f32', 'T', 'D'), y: accumulate ? out.inout() : out.out() }, ({ W, x, y, R, T, D }) => {
      const ax = axes({ t: T, r: R, k: D });
      for (const t of ax.t) for (const r of ax.r) {
        const acc = reg('f32', 0);
        for (const k of ax.k) acc.addAssign(x.at(t, k).mul(W.at(r, k).to('f32')));
        if (accumulate) y.at(t, r).addAssign(acc);
        else y.at(t, r).set(acc);
      }
      return ax;
    }),
    (s, { t, r, k }) => {
      const { rows, tokens } = tile(s.target);
      rowReduction(s, k, 'acc');
      const [task, r1] = s.split(r, ROWS_PER_TASK);
      s.reorder(task, t, r1);
      s.parallel(task);
      const [, ri] = s.split(r1, rows, { tail: 'peel' });
      s.jam(ri);
      const [, ti] = s.split(t, tokens, { tail: 'peel' });
      s.jam(ti);
    },
  );
}

export const MATMUL_FLOAT: readonly DnnKernel[] = [matmul('f32', false), matmul('f32', true), matmul('f16', false), matmul('f16', true)];
