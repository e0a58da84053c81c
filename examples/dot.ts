// s = sum of x y: a sum has one order, so it must be told that it may have another. rfactor makes a partial sum for each lane.
import { axes, kernel, reg, tensor } from '@quern/kernel-dsl';
import type { InterpretArg, Schedule } from '@quern/kernel-dsl';

export const algorithm = kernel('dot', { x: tensor('f32', 'N'), y: tensor('f32', 'N'), s: tensor('f32', 1).out() }, ({ x, y, s, N }) => {
  const ax = axes({ i: N });
  const acc = reg('f32', 0);
  for (const i of ax.i) acc.addAssign(x.at(i).mul(y.at(i)));
  s.at(0).set(acc);
  return ax;
});

export const cpu = (s: Schedule, { i }: typeof algorithm.axes): void => {
  // Four registers of partial sums: an addition takes about four cycles, and a new one can start in each.
  const [, lanes] = s.split(i, 4 * s.vec('f32'), { tail: 'peel' });
  s.rfactor('acc', lanes);
  s.vectorize(lanes);
};

export const sample = (): Record<string, InterpretArg> => {
  const n = 1003, wave = (f: (x: number) => number): Float32Array => Float32Array.from({ length: n }, (_, i) => f(i));
  return { x: { data: wave(Math.sin), shape: [n] }, y: { data: wave(Math.cos), shape: [n] }, s: { data: new Float32Array(1), shape: [1] } };
};
