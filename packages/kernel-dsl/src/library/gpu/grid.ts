import { isConst } from '../../ir/index.ts';
import type { Axis } from '../../lang/index.ts';
import type { DealOptions, Schedule } from '../../schedule/index.ts';

/** How many lanes a workgroup has, and how many neighbours each of them takes at a time. */
export type GridOptions = DealOptions;

/**
 * Independent elements of one nest of loops (outermost first) on a GPU: workgroups of `lanes` (256) take runs of the innermost loop, the other loops are
 * workgroups. With `vector`, a lane takes so many neighbours at a time.
 * @example gridMap(s, [ax.i], { vector: 4 });
 */
export function gridMap(s: Schedule, axes: readonly Axis[], o: GridOptions = {}): void {
  const last = axes.at(-1)!, vector = o.vector ?? 1, rows = axes.slice(0, -1).reduce<Axis | undefined>((a, b) => (a ? s.fuse(a, b) : b), undefined);
  const [w, v] = vector > 1 ? s.split(last, vector, { tail: 'mask' }) : [last, undefined], [b, t] = s.split(w, o.lanes ?? 256, { tail: 'mask' });
  // Workgroups that follow each other take neighbours in memory.
  s.bind(rows ? { 'block.y': rows, 'block.x': b, 'lane.x': t } : { 'block.x': b, 'lane.x': t });
  if (v) s.vectorize(v);
}

/**
 * Rows on workgroups; the loops `over` inside of each row are dealt out over `lanes` (256) lanes, see {@link Schedule.deal}. Several loops that make up one row
 * are given outermost first. Returns the loops over rounds.
 * @example gridRows(s, [ax.t], [ax.max, ax.sum, ax.scale], { vector: 4 });
 */
export function gridRows(s: Schedule, rows: readonly Axis[], over: readonly Axis[], o: GridOptions = {}): Readonly<Record<string, Axis>> {
  const row = rows.reduce((a, b) => s.fuse(a, b));
  const rounds = s.deal(row, over, o);
  s.bind({ 'block.x': row });
  return rounds;
}

/**
 * Short rows: as many in a workgroup as fill 256 lanes, each on a subgroup (or `lanes`) of its own, so that they meet no barrier.
 * @example gridShortRows(s, ax.head, [ax.sum, ax.scale], { lanes: 32 });
 */
export function gridShortRows(s: Schedule, row: Axis, over: readonly Axis[], o: GridOptions = {}): Readonly<Record<string, Axis>> {
  const lanes = o.lanes ?? 32, [b, r] = s.split(row, Math.max(1, 256 / lanes), { tail: 'mask' });
  s.bind({ 'block.x': b, 'lane.y': r });
  return s.deal(r, over, { ...o, lanes });
}

/**
 * A transposition, Y[i, j] = f(X[j, i]), in tiles of 32 x 32 through shared memory, so that reads and writes both run along rows. `i` and `j` are the loops over
 * rows and columns of what is written, `name` the tensor that is read across. `rows` of what is written, a multiple of 8, make a tile where that is not 32.
 * @example gridTranspose(s, ax, 'X');
 */
export function gridTranspose(s: Schedule, ax: { readonly i: Axis; readonly j: Axis }, name: string, o: { readonly rows?: number } = {}): void {
  const [bi, i1] = s.split(ax.i, o.rows ?? 32, { tail: 'mask' }), [bj, j] = s.split(ax.j, 32, { tail: 'mask' }), [ir, i] = s.split(i1, 8), [b, once] = s.split(bj, 1);
  s.reorder(bi, b, i, j, once, ir);
  s.bind({ 'block.y': bi, 'block.x': b, 'lane.y': i, 'lane.x': j });
  s.stage(name, once, 'shared', { pad: 1 });
  s.unroll(ir);
}

/**
 * A sum (or another accumulation) over a whole loop into a register that stands outside of all loops: `parts` workgroups (264) take runs of the loop in turns, the lanes
 * of each join theirs, and what they leave in memory is joined in order.
 * @example gridReduce(s, ax.i, 'sum');
 */
export function gridReduce(s: Schedule, axis: Axis, register: string, o: GridOptions & { readonly parts?: number } = {}): void {
  const lanes = o.lanes ?? 256, vector = o.vector ?? 4, [run, i] = s.split(axis, 16 * lanes * vector, { tail: 'mask' }), [turn, part] = s.split(run, o.parts ?? 264, { tail: 'mask' });
  s.reorder(part, turn, i);
  s.partials(register, part);
  s.deal(part, [i], { lanes, vector });
  s.bind({ 'block.x': part });
}

/** Lanes for loops of this extent: a power of two, 32 at least, and as many as `most` where the extent is that large or not known. */
export const lanesFor = (axis: Pick<Axis, 'extent'>, most: number): number => {
  let n = 32;
  while (n < most && (!isConst(axis.extent) || n < axis.extent.value)) n *= 2;
  return n;
};
