import { axes, gemv, kernel, reg, tensor } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

/** Rows that are computed side by side, sharing the loads of x: each from another part of the matrix, so that memory is read in long runs. */
const STREAMS = 4;

/** y[r] = sum_k W[r, k] * x[k], or y += that; f16 weights are widened as they are loaded. */
function matvec(dtype: 'f16' | 'f32', accumulate: boolean): DnnKernel {
  const out = tensor('f32', 'R');
  return define(
    `matvec_${dtype}${accumulate ? '_acc' : ''}`,
    (name) => kernel(name, { W: tensor(dtype, 'R', 'D'), x: tensor('f32', 'D'), y: accumulate ? out.inout() : out.out() }, ({ W, x, y, R, D }) => {
      const ax = axes({ r: R, k: D });
      for (const r of ax.r) {
        const acc = reg('f32', 0);
        for (const k of ax.k) acc.addAssign(W.at(r, k).to('f32').mul(x.at(k)));
        if (accumulate) y.at(r).addAssign(acc);
        else y.at(r).set(acc);
      }
      return ax;
    }),
    (s, ax) => gemv(s, ax, 'acc', { vectors: 2, streams: STREAMS }),
  );
}

export const MATVEC_FLOAT: readonly DnnKernel[] = [matvec('f32', false), matvec('f32', true), matvec('f16', false), matvec('f16', true)];
