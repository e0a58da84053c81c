// Rung 7: as many workgroups as there are multiprocessors stay, and share all tiles, in bands of 16 rows of tiles, so that what is in the second-level cache is used by
// many. While one tile's results are written, copies for the next are on their way.
import type { Schedule } from '@quern/kernel-dsl';
import { tiles } from './6-copy-engine.ts';
import type { ProductAxes } from './half-product.ts';

export { product as algorithm, sample } from './half-product.ts';
export { isa } from './6-copy-engine.ts';

export const gpu = (s: Schedule, { i, j, k }: ProductAxes): void => {
  const [bm, bn] = tiles(s, i, j, k);
  s.persistent(bm, bn, { workgroups: 132, group: 16 });
};
