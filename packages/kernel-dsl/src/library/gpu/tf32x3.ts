import { tf32, wgmmaNamed } from '../../instructions/index.ts';
import { axes, kernel, reg, select, tensor, value, when } from '../../lang/index.ts';
import type { Axis, Kernel, Val } from '../../lang/index.ts';
import type { Schedule } from '../../schedule/index.ts';
import { gridMap, gridTranspose } from './grid.ts';

/** What {@link tf32x3} computes, and how its schedule cuts it. */
export interface Tf32x3 {
  /** Does the second factor lie in rows along k, [N, K], so that C = A Bᵀ? Without it, it is [K, N], and C = A B. */
  readonly transposed?: boolean;
  /** Rows and columns of C that a workgroup computes: 128 or 192, a warpgroup for each 64 of them; and 64, 96, 128 or 192. 128 x 128 where nothing is said. */
  readonly tile?: readonly [number, number];
  /** Tiles of each of the four that may be on their way or in use at once: 3 where nothing is said. */
  readonly stages?: number;
  /** Workgroups that stay and share all tiles, in bands of `group` rows of tiles; without it each tile has a workgroup. */
  readonly persistent?: { readonly workgroups: number; readonly group: number };
}

/** Loops of the kernel that {@link tf32x3} makes: over both factors, to split them, and of the product. */
export type Tf32x3Axes = Readonly<Record<'ai' | 'ak' | 'bj' | 'bk' | 'i' | 'j' | 'block' | 'x' | 'y' | 'z', Axis>>;

/** Elements of k whose products tensor cores add up before they join the sum: a tile of 128 bytes. */
const DEEP = 32;

/**
 * What `tf32(x)` leaves of a float32, rounded to 11 significant bits: tf32(x) + tf32Rest(x) is x within 2^-22 |x| + 2^-136 (from 2^127 on 2^-21 |x|), and finite. Where nothing is left of a number it is
 * 2^-136 with its sign, and of an infinity the same infinity, so that a product of an infinity with it is what that with x is. NaN stays.
 */
export function tf32Rest(x: Val<'f32'>): Val<'f32'> {
  const size = x.abs(), half = select(size.lt(2 ** 127), value('u32', 0x1000), value('u32', 0)); // rounded up, the rest of the largest numbers would lead beyond them
  const rest = x.sub(tf32(x)).bits('u32').add(half).and(0xffffe000).bits('f32'), least = x.bits('u32').and(0x80000000).or(0x2000).bits('f32');
  return select(size.gt(0).and(size.lt(Infinity)), select(rest.eq(0), least, rest), x.add(x));
}

type At = (row: Val<'i64'>, k: Val<'i64'>) => Val<'f32'>;

/**
 * A product of float32 on tensor cores, as an algorithm: each factor is tf32 and what that leaves of it, and of the four products of these all but the smallest are added up, small
 * ones first ("3xTF32": Ootomo and Yokota, 2022). Tensor cores round sums toward zero: they add up 32 of k, and float32 the rest. Where sums are rounded to nearest, the
 * error of an element is at most 2^-24 (K / 32 + 60) |A| |B|, but for factors below 2^-112, which count within 2^-136. C: [M, N]; A: [M, K]; memory for the rests: A_rest [M, K] and
 * B_rest [N, K]; where B is [K, N], B_rows [N, K] too.
 */
export function tf32x3(o: Tf32x3 = {}): Kernel<Tf32x3Axes> {
  type Inner = Omit<Tf32x3Axes, 'ai' | 'ak' | 'bj' | 'bk' | 'i' | 'j'>;
  /** One element, and its loops. */
  const element = (i: Val<'i64'>, j: Val<'i64'>, K: Val<'i64'>, [a, aRest, b, bRest]: readonly [At, At, At, At], put: (sum: Val<'f32'>) => void): Inner => {
    const acc = reg('f32', 0, 'acc'), { block } = axes({ block: K.add(DEEP - 1).div(DEEP) });
    let inner!: Omit<Inner, 'block'>;
    for (const n of block) {
      const part = reg('f32', 0, 'part'), b3 = axes({ x: DEEP, y: DEEP, z: DEEP });
      inner = b3;
      const add = (axis: Axis, one: At, other: At): void => { for (const e of axis) { const k = n.mul(DEEP).add(e); when(k.lt(K), () => part.addAssign(tf32(one(i, k)).mul(tf32(other(j, k))))); } };
      add(b3.x, aRest, b);
      add(b3.y, a, bRest);
      add(b3.z, a, b);
      acc.addAssign(part);
    }
    put(acc);
    return { ...inner, block };
  };
  const f32 = 'f32', common = { A: tensor(f32, 'M', 'K'), C: tensor(f32, 'M', 'N').out(), A_rest: tensor(f32, 'M', 'K').inout(), B_rest: tensor(f32, 'N', 'K').inout() };
  return o.transposed
    ? kernel('gemm_tf32x3_transposed', { ...common, B: tensor(f32, 'N', 'K') }, ({ A, B, A_rest, B_rest, C, M, N, K }) => {
      const ax = axes({ ai: M, ak: K, bj: N, bk: K, i: M, j: N });
      let inner!: Inner;
      for (const i of ax.ai) for (const k of ax.ak) A_rest.at(i, k).set(tf32Rest(A.at(i, k)));
      for (const j of ax.bj) for (const k of ax.bk) B_rest.at(j, k).set(tf32Rest(B.at(j, k)));
      for (const i of ax.i) for (const j of ax.j) inner = element(i, j, K, [(r, k) => A.at(r, k), (r, k) => A_rest.at(r, k), (r, k) => B.at(r, k), (r, k) => B_rest.at(r, k)], (sum) => C.at(i, j).set(sum));
      return { ...ax, ...inner };
    })
    : kernel('gemm_tf32x3', { ...common, B: tensor(f32, 'K', 'N'), B_rows: tensor(f32, 'N', 'K').inout() }, ({ A, B, B_rows, A_rest, B_rest, C, M, N, K }) => {
      const ax = axes({ ai: M, ak: K, bj: N, bk: K, i: M, j: N });
      let inner!: Inner;
      for (const i of ax.ai) for (const k of ax.ak) A_rest.at(i, k).set(tf32Rest(A.at(i, k)));
      for (const j of ax.bj) for (const k of ax.bk) {
        B_rows.at(j, k).set(B.at(k, j));
        B_rest.at(j, k).set(tf32Rest(B.at(k, j)));
      }
      for (const i of ax.i) for (const j of ax.j) inner = element(i, j, K, [(r, k) => A.at(r, k), (r, k) => A_rest.at(r, k), (r, k) => B_rows.at(r, k), (r, k) => B_rest.at(r, k)], (sum) => C.at(i, j).set(sum));
      return { ...ax, ...inner };
    });
}

/**
 * A schedule of {@link tf32x3} for compute capability 9.0, with the same options: two launches split the factors; then the copy engine brings tiles of all four through a ring, so that each
 * serves all of its products, and warpgroups multiply. A lane holds rows * cols / 64 / warpgroups registers for the sums of a block, and as many for all.
 * @example schedule(tf32x3(o), target('cuda-sm90a'), (s, ax) => hopperTf32x3(s, ax, o))
 */
export function hopperTf32x3(s: Schedule, ax: Tf32x3Axes, o: Tf32x3 = {}): void {
  const [rows, cols] = o.tile ?? [128, 128];
  gridMap(s, [ax.ai, ax.ak], { vector: 4 });
  if (o.transposed) gridMap(s, [ax.bj, ax.bk], { vector: 4 });
  else gridTranspose(s, { i: ax.bj, j: ax.bk }, 'B');
  const [bm, im] = s.split(ax.i, rows, { tail: 'pad' }), [bn, jn] = s.split(ax.j, cols, { tail: 'pad' }), [team, row] = s.split(im, 64);
  s.reorder(bm, bn, team, row, jn);
  const around = s.distribute([team, row, jn], [ax.block]), products = [ax.x, ax.y, ax.z].map((k) => {
    const [t, r, j] = around[k.name] as [Axis, Axis, Axis], [kk, kx] = s.split(k, 8);
    s.reorder(t, kk, r, j, kx);
    s.unroll(kk);
    return [r, j, kx] as const;
  });
  s.bind({ 'block.y': bm, 'block.x': bn, 'team.warpgroup': team });
  for (const name of ['B_rest', 'A', o.transposed ? 'B' : 'B_rows', 'A_rest']) s.bulk(name, ax.block); // the last one is asked for first: it is needed first
  for (const p of products) s.tensorize(wgmmaNamed(`wgmma_m64n${cols}k8_tf32`), ...p);
  s.ring(ax.block, o.stages ?? 3);
  if (o.persistent) s.persistent(bm, bn, o.persistent);
}
