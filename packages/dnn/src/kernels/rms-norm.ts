import { axes, kernel, reg, rowReduction, rsqrt, scalar, streamingMap, tensor } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

/** y[t, i] = x[t, i] / sqrt(mean_j x[t, j]^2 + eps) * w[i]   (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019). */
export const RMS_NORM: DnnKernel = define(
  'rms_norm',
  (name) => kernel(name, { x: tensor('f32', 'T', 'D'), w: tensor('f32', 'D'), eps: scalar('f32'), y: tensor('f32', 'T', 'D').out() }, ({ x, w, eps, y, T, D }) => {
    const ax = axes({ t: T, j: D, i: D });
    for (const t of ax.t) {
      const squares = reg('f32', 0, 'squares');
      for (const j of ax.j) squares.addAssign(x.at(t, j).mul(x.at(t, j)));
      const scale = reg('f32', rsqrt(squares.div(D.to('f32')).add(eps)), 'scale');
      for (const i of ax.i) y.at(t, i).set(x.at(t, i).mul(scale).mul(w.at(i)));
    }
    return ax;
  }),
  (s, { t, j, i }) => {
    rowReduction(s, j, 'squares', { vectors: 4 });
    streamingMap(s, i);
    s.parallel(t);
  },
);
