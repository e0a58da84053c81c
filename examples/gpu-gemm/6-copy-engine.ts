// Rung 6: a copy engine feeds the tensor cores (compute capability 9.0). Four warps act as one, a warpgroup, and multiply tiles from shared memory by one instruction each;
// the verbs are those of rung 5, but for the place that teams are bound to and the instruction: `bulk` now has the engine bring the tiles. That one warp asks for copies
// and the others multiply follows from this; nobody writes it.
import { wgmmaNamed } from '@quern/kernel-dsl';
import type { Schedule } from '@quern/kernel-dsl';
import type { ProductAxes } from './half-product.ts';

export { product as algorithm, sample } from './half-product.ts';
/** Only this target has the instructions. */
export const isa = 'cuda-sm90a';

export const gpu = (s: Schedule, { i, j, k }: ProductAxes): void => { tiles(s, i, j, k); };

/** Tiles of 128 x 256, two warpgroups each; returns the loops over tiles. */
export function tiles(s: Schedule, i: ProductAxes['i'], j: ProductAxes['j'], k: ProductAxes['k']): readonly [ProductAxes['i'], ProductAxes['j']] {
  const [bm, im] = s.split(i, 128, { tail: 'pad' }), [bn, jn] = s.split(j, 256, { tail: 'pad' }), [team, row] = s.split(im, 64);
  s.reorder(bm, bn, team, row, jn);
  s.bind({ 'block.y': bm, 'block.x': bn });
  s.expand('acc', team, row, jn);
  const [ko, ki] = s.split(k, 64, { tail: 'pad' }), [kk, kx] = s.split(ki, 16);
  s.reorder(ko, team, kk, row, jn, kx);
  s.unroll(kk);
  s.bind({ 'team.warpgroup': team });
  s.bulk('A', ko);
  s.bulk('B', ko);
  s.tensorize(wgmmaNamed('wgmma_m64n256k16_bf16'), row, jn, kx);
  s.ring(ko, 4);
  return [bm, bn];
}
