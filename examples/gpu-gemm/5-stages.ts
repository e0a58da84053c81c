// Rung 5: copies run ahead, into a ring of three tiles of each factor: `cp.async` brings them while products of others run, and a round waits for its own alone. Where copies
// are not asynchronous (7.5), the same ring is filled through registers.
import type { Schedule } from '@quern/kernel-dsl';
import { tiles } from './4-tensor-cores.ts';
import type { ProductAxes } from './half-product.ts';

export { product as algorithm, sample } from './half-product.ts';

export const gpu = (s: Schedule, { i, j, k }: ProductAxes): void => {
  s.ring(tiles(s, i, j, k), 3);
  s.resident(2);
};
