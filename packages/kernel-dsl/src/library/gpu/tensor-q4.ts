import { mmaQ4 } from '../../instructions/index.ts';
import type { Axis } from '../../lang/index.ts';
import type { Schedule } from '../../schedule/index.ts';
import { keepBusy, warpTiles } from './tensor.ts';
import type { TensorGemm } from './tensor.ts';

/** The loops of a product with 4-bit weights: k as tiles of two blocks, blocks, halves of one, and 16 elements. */
export interface TensorQ4Axes { readonly i: Axis; readonly j: Axis; readonly tile: Axis; readonly block: Axis; readonly half: Axis; readonly e: Axis }

/**
 * A product of f16 with weights in blocks of Q4_0 on tensor cores: `acc += X[i, k] q4_0(W[j, byte], half, scale)` with k = ((tile 2 + block) 2 + half) 16 + e, and the block's
 * 18 bytes at (tile 2 + block) 18 of row j. Lanes copy the bytes as they are; warps make f16 of them in registers.
 *
 * @example schedule(gemm, target('cuda-sm80'), (s, ax) => tensorQ4(s, ax, { X: 'X', W: 'W', acc: 'acc' }, { tile: [16, 128], warp: [16, 32] }))
 * @throws DslError where the kernel is of another form
 */
export function tensorQ4(s: Schedule, { i, j, tile, block, half, e }: TensorQ4Axes, names: { readonly X: string; readonly W: string; readonly acc: string }, o: Omit<TensorGemm, 'step'> = {}): void {
  const [m, n] = o.warp ?? [64, 32], { bm, bn, wy, wx, row, col } = warpTiles(s, { i, j }, names.acc, o.tile ?? [128, 128], [m, n]);
  s.reorder(tile, wy, wx, block, row, col, half, e);
  s.unroll(block);
  s.bind({ 'team.warp.y': wy, 'team.warp.x': wx });
  s.bulk(names.X, tile);
  s.bulk(names.W, tile);
  s.tensorize(mmaQ4(m, n), row, col, half, e);
  keepBusy(s, tile, [bm, bn], o);
}
