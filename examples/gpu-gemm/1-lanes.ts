// Rung 1: a lane for each element of C. Neighbouring lanes have neighbouring columns, so that they read B and write C in whole lines; A and B come from memory,
// or its caches, once for each product that they are in.
import type { Schedule } from '@quern/kernel-dsl';
import type { ProductAxes } from './product.ts';

export { product as algorithm, sample } from './product.ts';

export const gpu = (s: Schedule, { i, j }: ProductAxes): void => {
  const [bi, ti] = s.split(i, 8, { tail: 'mask' }), [bj, tj] = s.split(j, 32, { tail: 'mask' });
  s.reorder(bi, bj, ti, tj);
  s.bind({ 'block.y': bi, 'block.x': bj, 'lane.y': ti, 'lane.x': tj });
};
