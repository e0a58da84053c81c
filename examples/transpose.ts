// y[j, i] = x[i, j]: no arithmetic, all memory. In blocks, every line of cache that is fetched is used up before it is evicted.
import { axes, kernel, tensor } from '@quern/kernel-dsl';
import type { InterpretArg, Schedule } from '@quern/kernel-dsl';

export const algorithm = kernel('transpose', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'N', 'M').out() }, ({ x, y, M, N }) => {
  const ax = axes({ i: M, j: N });
  for (const i of ax.i) for (const j of ax.j) y.at(j, i).set(x.at(i, j));
  return ax;
});

export const cpu = (s: Schedule, { i, j }: typeof algorithm.axes): void => {
  const [ib, i1] = s.split(i, 16), [jb, j1] = s.split(j, 16);
  s.reorder(ib, jb, j1, i1);
  s.parallel(ib);
};

export const sample = (): Record<string, InterpretArg> => ({
  x: { data: Float32Array.from({ length: 37 * 53 }, (_, i) => i), shape: [37, 53] }, y: { data: new Float32Array(37 * 53), shape: [53, 37] },
});
