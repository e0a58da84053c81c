import { axes, exp, kernel, reg, rowReduction, streamingMap, tensor } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

/** y[t, i] = exp(x[t, i] - max_j x[t, j]) / sum_j exp(x[t, j] - max x[t]). A NaN or +Inf in a row makes the whole row NaN. */
export const SOFTMAX: DnnKernel = define(
  'softmax',
  (name) => kernel(name, { x: tensor('f32', 'T', 'D'), y: tensor('f32', 'T', 'D').out() }, ({ x, y, T, D }) => {
    const ax = axes({ t: T, m: D, e: D, i: D });
    for (const t of ax.t) {
      const top = reg('f32', -Infinity, 'top'), sum = reg('f32', 0, 'sum');
      for (const m of ax.m) top.maxAssign(x.at(t, m));
      for (const e of ax.e) {
        y.at(t, e).set(exp(x.at(t, e).sub(top)));
        sum.addAssign(y.at(t, e));
      }
      for (const i of ax.i) y.at(t, i).set(y.at(t, i).div(sum));
    }
    return ax;
  }),
  (s, { t, m, e, i }) => {
    rowReduction(s, m, 'top', { vectors: 2 });
    rowReduction(s, e, 'sum');
    streamingMap(s, i);
    s.parallel(t);
  },
);
