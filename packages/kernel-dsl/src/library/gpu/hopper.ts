import { bytesOf } from '../../ir/index.ts';
import type { DType } from '../../ir/index.ts';
import { wgmmaNamed } from '../../instructions/index.ts';
import { Axis } from '../../lang/index.ts';
import type { Schedule } from '../../schedule/index.ts';
import type { TensorAxes } from './tensor.ts';

/** How {@link hopperGemm} cuts a matrix product. */
export interface HopperGemm {
  /** Rows and columns of C that a workgroup computes: 128, 192 or 256, a warpgroup for each 64 of them; and 64, 96, 128, 192 or 256. */
  readonly tile?: readonly [number, number];
  /** Tiles of A and of B that may be on their way or in use at once. */
  readonly stages?: number;
  /** Workgroups side by side that bring tiles together: [2, 1] are two along the rows of C, which share tiles of B, [1, 2] two along its columns. One of both numbers is 1. */
  readonly cluster?: readonly [number, number];
  /** So many workgroups share the steps of k of those tiles that do not fill a wave, each the same number: for shapes with few tiles, or a few more than whole waves. */
  readonly stream?: { readonly workgroups: number };
  /** Workgroups that stay and share all tiles, as many as there are multiprocessors (clusters, where there are such), in bands of `group` rows of tiles; without it each tile has a workgroup. */
  readonly persistent?: { readonly workgroups: number; readonly group: number };
}

/**
 * A matrix product for compute capability 9.0: `for i, j { acc = 0; for k { acc += A[i, k] B[j, k] }; C[i, j] = f(acc) }`, both factors with dense rows along k.
 * The copy engine brings tiles of both, 128 bytes of k at a time, into a ring; warpgroups multiply them; what is done with `acc` happens in registers. The
 * names are those of the tensors and of the register; `dtype` is that of both factors, or 'tf32' where the kernel multiplies `tf32(A)` by `tf32(B)`, both float32.
 *
 * @example schedule(gemm, target('cuda-sm90a'), (s, ax) => hopperGemm(s, ax, { A: 'A', B: 'B', acc: 'acc', dtype: 'bf16' }))
 * @throws DslError where the kernel is of another form
 */
export function hopperGemm(s: Schedule, { i, j, k, batch }: TensorAxes, names: { readonly A: string; readonly B: string; readonly acc: string; readonly dtype: DType | 'tf32' }, o: HopperGemm = {}): void {
  const [rows, cols] = o.tile ?? [128, 256], bytes = names.dtype === 'tf32' ? 4 : bytesOf(names.dtype), deep = 128 / bytes, step = 32 / bytes;
  const [down, across] = o.cluster ?? [1, 1], [bm, iw] = s.split(i, rows * down, { tail: 'pad' }), [bn, jw] = s.split(j, cols * across, { tail: 'pad' });
  const [ci, im] = down > 1 ? s.split(iw, rows) : [undefined, iw], [cj, jn] = across > 1 ? s.split(jw, cols) : [undefined, jw], [team, row] = s.split(im, 64), side = ci ?? cj;
  s.reorder(bm, bn, ...(side ? [side] : []), team, row, jn);
  if (batch) s.bind({ 'block.z': batch });
  s.bind({ 'block.y': bm, 'block.x': bn, ...(side && { 'block.z': side }) });
  s.expand(names.acc, team, row, jn);
  const [ko, ki] = k instanceof Axis ? s.split(k, deep, { tail: 'pad' }) : k, [kk, kx] = s.split(ki, step);
  s.reorder(ko, team, kk, row, jn, kx);
  s.unroll(kk);
  s.bind({ 'team.warpgroup': team });
  s.bulk(names.A, ko);
  s.bulk(names.B, ko);
  s.tensorize(wgmmaNamed(`wgmma_m64n${cols}k${step}_${names.dtype}`), row, jn, kx);
  s.ring(ko, o.stages ?? 4);
  if (side) s.cluster(side);
  if (o.stream) s.stream(bm, bn, ko, o.stream);
  if (o.persistent) s.persistent(bm, bn, o.persistent);
}
