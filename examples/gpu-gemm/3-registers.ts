// Rung 3: a lane has 8 x 16 elements of C in registers. For each k it reads 24 numbers from shared memory and makes 128 products of them. Its rows and columns lie
// in runs of 4, far apart, so that neighbours read neighbours; the next tiles are fetched into registers while these are multiplied.
import type { Schedule } from '@quern/kernel-dsl';
import type { ProductAxes } from './product.ts';

export { product as algorithm, sample } from './product.ts';

export const gpu = (s: Schedule, { i, j, k }: ProductAxes): void => {
  const [bm, i1] = s.split(i, 256, { tail: 'pad' }), [bn, j1] = s.split(j, 128, { tail: 'pad' });
  const [ih, i2] = s.split(i1, 128), [ti, il] = s.split(i2, 4), [jh, j2] = s.split(j1, 32), [tg, j3] = s.split(j2, 16), [tj, jl] = s.split(j3, 4);
  s.reorder(bm, bn, tg, ti, tj, ih, il, jh, jl);
  s.bind({ 'block.y': bm, 'block.x': bn, 'lane.z': tg, 'lane.y': ti, 'lane.x': tj });
  s.expand('acc', ih, il, jh, jl);
  const [ko, ki] = s.split(k, 16, { tail: 'pad' });
  s.reorder(ko, ki, ih, il, jh, jl);
  s.stage('A', ko, 'shared', { vector: 4, panel: il, pad: 4 });
  s.stage('B', ko, 'shared', { vector: 4 });
  s.prefetch(ko);
  s.stage('A_shared', ki, 'reg');
  s.stage('B_shared', ki, 'reg');
  for (const a of [ih, il, jh]) s.unroll(a);
  s.vectorize(jl);
  s.unroll(ki);
};
