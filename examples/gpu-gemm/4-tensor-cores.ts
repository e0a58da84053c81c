// Rung 4: tensor cores. A warp has 64 x 64 elements of C, dealt out over the registers of its lanes as `mma.sync` takes and leaves them; four warps make a workgroup. `bulk`
// has all lanes bring a tile of A and one of B, swizzled as the products read them; then all of them multiply. It is the same for every NVIDIA GPU since compute capability
// 8.0 (bf16; f16 and int8 since 7.5).
import { mmaNamed } from '@quern/kernel-dsl';
import type { Schedule } from '@quern/kernel-dsl';
import type { ProductAxes } from './half-product.ts';

export { product as algorithm, sample } from './half-product.ts';

export const gpu = (s: Schedule, { i, j, k }: ProductAxes): void => { tiles(s, i, j, k); };

/** Tiles of 128 x 128, four warps each; returns the loop over tiles along k. */
export function tiles(s: Schedule, i: ProductAxes['i'], j: ProductAxes['j'], k: ProductAxes['k']): ProductAxes['k'] {
  const [bm, im] = s.split(i, 128, { tail: 'pad' }), [bn, jn] = s.split(j, 128, { tail: 'pad' }), [wy, row] = s.split(im, 64), [wx, col] = s.split(jn, 64);
  s.reorder(bm, bn, wy, wx, row, col);
  s.bind({ 'block.y': bm, 'block.x': bn });
  s.expand('acc', wy, wx, row, col);
  const [ko, ki] = s.split(k, 64, { tail: 'pad' }), [kk, kx] = s.split(ki, 16);
  s.reorder(ko, wy, wx, kk, row, col, kx);
  s.unroll(kk);
  s.bind({ 'team.warp.y': wy, 'team.warp.x': wx });
  s.bulk('A', ko);
  s.bulk('B', ko);
  s.tensorize(mmaNamed('mma_m64n64k16_bf16'), row, col, kx);
  return ko;
}
