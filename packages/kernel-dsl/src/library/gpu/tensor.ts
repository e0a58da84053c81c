import { bytesOf } from '../../ir/index.ts';
import type { DType } from '../../ir/index.ts';
import { mmaNamed } from '../../instructions/index.ts';
import { Axis } from '../../lang/index.ts';
import type { Schedule } from '../../schedule/index.ts';

/**
 * The loops of a product. `batch`: one around them, over products of their own or over parts of k. `k`: where the kernel goes through parts, its loop over tiles of 128
 * bytes, and the one inside of a tile.
 */
export interface TensorAxes { readonly i: Axis; readonly j: Axis; readonly k: Axis | readonly [Axis, Axis]; readonly batch?: Axis }

/** How {@link tensorGemm} cuts a matrix product. */
export interface TensorGemm {
  /** Rows and columns of C that a workgroup computes: multiples of those of a warp, and of 8. */
  readonly tile?: readonly [number, number];
  /** Rows and columns of C that a warp computes, in registers: multiples of 16. A lane holds rows * cols / 32 sums. */
  readonly warp?: readonly [number, number];
  /** Tiles of A and of B that may be on their way or in use at once: 1 brings them and then multiplies. */
  readonly stages?: number;
  /** Elements of k that one product takes: those of 32 bytes, or for f64 8 or 16. */
  readonly step?: number;
  /** Workgroups that shall fit a multiprocessor at once. */
  readonly resident?: number;
  /** Workgroups that stay and share all tiles, in bands of `group` rows of tiles; without it each tile has a workgroup. */
  readonly persistent?: { readonly workgroups: number; readonly group: number };
}

/**
 * A matrix product on the tensor cores of any NVIDIA GPU since compute capability 7.5: `for i, j { acc = 0; for k { acc += A[i, k] B[j, k] }; C[i, j] = f(acc) }`, both
 * factors with dense rows along k. Lanes copy tiles of both, 128 bytes of k at a time, into a ring (asynchronously since 8.0); warps multiply them; what is done with
 * `acc` happens in registers. `dtype` is that of both factors: f16 and i8, and since 8.0 bf16, f64, and 'tf32' where the kernel multiplies `tf32(A)` by `tf32(B)`, both float32.
 *
 * @example schedule(gemm, target('cuda-sm80'), (s, ax) => tensorGemm(s, ax, { A: 'A', B: 'B', acc: 'acc', dtype: 'f16' }))
 * @throws DslError where the kernel is of another form
 */
export function tensorGemm(s: Schedule, { i, j, k, batch }: TensorAxes, names: { readonly A: string; readonly B: string; readonly acc: string; readonly dtype: DType | 'tf32' }, o: TensorGemm = {}): void {
  const bytes = names.dtype === 'tf32' ? 4 : bytesOf(names.dtype), doubles = names.dtype === 'f64', [rows, cols] = o.tile ?? (doubles ? [128, 64] : [128, 128]), [m, n] = o.warp ?? (doubles ? [32, 32] : [64, 64]);
  const deep = 128 / bytes, step = o.step ?? (doubles ? 8 : 32 / bytes);
  const { bm, bn, wy, wx, row, col } = warpTiles(s, { i, j, batch }, names.acc, [rows, cols], [m, n]);
  const [ko, ki] = k instanceof Axis ? s.split(k, deep, { tail: 'pad' }) : k, [kk, kx] = s.split(ki, step);
  s.reorder(ko, wy, wx, kk, row, col, kx);
  s.unroll(kk);
  s.bind({ 'team.warp.y': wy, 'team.warp.x': wx });
  s.bulk(names.A, ko);
  s.bulk(names.B, ko);
  s.tensorize(mmaNamed(`mma_m${m}n${n}k${step}_${names.dtype}`), row, col, kx);
  keepBusy(s, ko, [bm, bn], o);
}

/** Rows and columns of C as workgroups, warps, and what one of them sums up in registers. */
export function warpTiles(s: Schedule, { i, j, batch }: { readonly i: Axis; readonly j: Axis; readonly batch?: Axis | undefined }, acc: string, [rows, cols]: readonly [number, number], [m, n]: readonly [number, number]): Readonly<Record<'bm' | 'bn' | 'wy' | 'wx' | 'row' | 'col', Axis>> {
  const [bm, im] = s.split(i, rows, { tail: 'pad' }), [bn, jm] = s.split(j, cols, { tail: 'pad' }), [wy, row] = s.split(im, m), [wx, col] = s.split(jm, n);
  s.reorder(bm, bn, wy, wx, row, col);
  if (batch) s.bind({ 'block.z': batch });
  s.bind({ 'block.y': bm, 'block.x': bn });
  s.expand(acc, wy, wx, row, col);
  return { bm, bn, wy, wx, row, col };
}

/** How far the copies of a loop run ahead, and which workgroups there are. */
export function keepBusy(s: Schedule, loop: Axis, [bm, bn]: readonly [Axis, Axis], o: Pick<TensorGemm, 'stages' | 'resident' | 'persistent'>): void {
  const stages = o.stages ?? (s.target.features.includes('cp_async') ? 3 : 2);
  if (stages > 1) s.ring(loop, stages);
  if (o.resident) s.resident(o.resident);
  if (o.persistent) s.persistent(bm, bn, o.persistent);
}
