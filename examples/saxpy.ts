// y = a x + y: one loop, its vectors, its threads.
import { axes, kernel, scalar, tensor } from '@quern/kernel-dsl';
import type { Schedule } from '@quern/kernel-dsl';

export const algorithm = kernel('saxpy', { a: scalar('f32'), x: tensor('f32', 'N'), y: tensor('f32', 'N').inout() }, ({ a, x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).addAssign(a.mul(x.at(i)));
  return ax;
});

export const cpu = (s: Schedule, { i }: typeof algorithm.axes): void => {
  const [blocks, lanes] = s.split(i, 4 * s.vec('f32'), { tail: 'peel' });
  s.vectorize(lanes);
  s.parallel(blocks);
};

/** On a GPU: workgroups of 64 lanes, each of which takes four neighbours in one access. */
export const gpu = (s: Schedule, { i }: typeof algorithm.axes): void => {
  const [group, rest] = s.split(i, 256, { tail: 'mask' }), [lane, four] = s.split(rest, 4);
  s.vectorize(four);
  s.bind({ 'block.x': group, 'lane.x': lane });
};

export const sample = (): Record<string, number | { data: Float32Array; shape: number[] }> => {
  const n = 1003;
  return {
    a: 0.5,
    x: { data: Float32Array.from({ length: n }, (_, i) => Math.sin(i)), shape: [n] },
    y: { data: Float32Array.from({ length: n }, (_, i) => Math.cos(i)), shape: [n] },
  };
};
