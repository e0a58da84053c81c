// Rung 2: a workgroup copies tiles of A and B into memory that its lanes share, 32 of k at a time. What came from memory once is read 32 times from there. The
// barriers are not written: they are placed, and proved to be enough. A lane has four elements of C.
import type { Schedule } from '@quern/kernel-dsl';
import type { ProductAxes } from './product.ts';

export { product as algorithm, sample } from './product.ts';

export const gpu = (s: Schedule, { i, j, k }: ProductAxes): void => {
  const [bi, i1] = s.split(i, 32, { tail: 'pad' }), [bj, j1] = s.split(j, 32, { tail: 'pad' }), [ti, r] = s.split(i1, 4), [tj, c] = s.split(j1, 1);
  s.reorder(bi, bj, ti, tj, r, c);
  s.bind({ 'block.y': bi, 'block.x': bj, 'lane.y': ti, 'lane.x': tj });
  s.expand('acc', r, c);
  const [ko, ki] = s.split(k, 32, { tail: 'pad' });
  s.reorder(ko, ki, r, c);
  s.stage('A', ko, 'shared', { vector: 4 });
  s.stage('B', ko, 'shared', { vector: 4 });
  s.unroll(r);
  s.unroll(c);
};
