// y = exp(x - max) / sum exp(x - max) of each row: three loops over a row, the first two of them reductions, rows on threads.
import { axes, exp, kernel, reg, tensor } from '@quern/kernel-dsl';
import type { Axis, InterpretArg, Schedule } from '@quern/kernel-dsl';

export const algorithm = kernel('softmax', { x: tensor('f32', 'T', 'D'), y: tensor('f32', 'T', 'D').out() }, ({ x, y, T, D }) => {
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
});

export const cpu = (s: Schedule, { t, m, e, i }: typeof algorithm.axes): void => {
  // A schedule is a function: what is done to several loops is written once.
  const vectors = (axis: Axis, sum?: string): void => {
    const [, lanes] = s.split(axis, s.vec('f32'), { tail: 'peel' });
    if (sum !== undefined) s.rfactor(sum, lanes);
    s.vectorize(lanes);
  };
  vectors(m, 'top');
  vectors(e, 'sum');
  vectors(i);
  s.parallel(t);
};

export const sample = (): Record<string, InterpretArg> => {
  const shape = [5, 77];
  return { x: { data: Float32Array.from({ length: 5 * 77 }, (_, i) => 9 * Math.sin(i)), shape }, y: { data: new Float32Array(5 * 77), shape } };
};
