import { DslError } from '../errors/index.ts';
import { affine, block, boundBy, constant, exprKey, load, mapExprs, mapOperands, newBuffer, operands, printExpr, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For } from '../ir/index.ts';
import { Axis } from '../lang/index.ts';
import { accesses, foldable } from './access.ts';
import type { Access } from './access.ts';
import { cooperativeCopy } from './cooperate.ts';
import { differs, isLane, laneNest, lanesOwn } from './lane-nest.ts';
import { conjuncts } from './mark.ts';
import type { StageOptions } from './stage-options.ts';
import { findLoop, findVar, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';
import { tileOf } from './tile.ts';
import type { Tile, TileCondition } from './tile.ts';

/**
 * Copies what all lanes of the workgroup use of a tensor in one iteration of a loop into shared memory. The copy is a tile of the tensor: in each
 * dimension the range that the lanes and the loops inside reach. The elements are dealt out over all lanes, neighbours to neighbours, in pieces of
 * `vector` elements; what lies outside of the tensor or is padding becomes zero. Lanes meet before they use it: barriers are placed when the schedule
 * ends. Needs a loop inside of the lane nest that all lanes walk alike, and uses whose indices are sums of multiples of loops.
 */
export function stageShared(st: State, src: Buffer, axis: Axis, o: StageOptions, at: At): Readonly<Record<string, Axis>> {
  const name = src.name;
  const refuse = (why: string): never => { throw new DslError('KD-S-SHARED', { name, axis: axis.name, why }, at); };
  const { loop, path } = findLoop(st, axis, at), around = [...path, loop], lanes = around.filter(isLane), top = lanes[0];
  if (!top) return refuse('no loop around it is bound to lanes');
  const nest = laneNest(top), own = lanesOwn(nest);
  if (nest.loops.length > lanes.length) return refuse(`the lane loop ${nest.loops.at(-1)!.v.name} lies inside of it`);
  if (nest.loops.length < lanes.length) return refuse(`the lane loop ${lanes[nest.loops.length]!.v.name} does not lie directly in the others`);
  visitStmt(nest.body, (s) => { if (s.kind === 'alloc' && s.buf.id === src.id) refuse('each lane has its own'); });
  for (const s of around.slice(around.indexOf(lanes.at(-1)!) + 1)) {
    if (s.kind === 'for' && differs(s.extent, own)) refuse(`the extent ${printExpr(s.extent)} of ${s.v.name} may differ from lane to lane`);
    if (s.kind === 'if' && differs(s.cond, own)) refuse(`the condition ${printExpr(s.cond)} around it may differ from lane to lane`);
    if (s.kind === 'while' || s.kind === 'instr') refuse(`it lies inside of ${s.kind === 'while' ? 'a while' : `the instruction ${s.def.name}`}`);
  }
  const uses = accesses(loop.body, src);
  if (uses.length === 0) throw new DslError('KD-S-STAGE-WHERE', { name, axis: axis.name }, at);
  const writer = uses.find((u) => u.kind !== 'load');
  if (writer) return refuse('it is written there');
  if (uses.some((u) => u.chain[0]!.kind === 'load' && u.chain[0].as)) return refuse('its bytes are read as another dtype');

  const inner = new Map<number, For>(lanes.map((l) => [l.v.id, l])), names = new Set<number>();
  visitStmt(loop.body, (s) => { const v = boundBy(s); if (s.kind === 'for') inner.set(s.v.id, s); else if (v) names.add(v.id); });
  const tile = tileOf(src, uses, inner, (why) => refuse(why), (l) => { throw new DslError('KD-S-BOUND', { verb: `stage(${name})`, axis: l.v.name }, at); });
  const stray = (e: Expr): boolean => (e.kind === 'var' && names.has(e.id)) || operands(e).some(stray);
  for (const d of tile.dims) {
    if (stray(d.origin)) refuse(`${printExpr(d.origin)} is computed inside of ${axis.name}`);
    if (differs(d.origin, own)) refuse(`${printExpr(d.origin)} may differ from lane to lane`);
  }
  const layout = layoutOf(tile, uses, inner, o, name, at), across = o.turned ? layout.at(-1)! : tile.dims.length - 1, rows = layout.map((d) => tile.dims[d]!.n);
  const vector = o.vector ?? 1;
  if (!Number.isInteger(vector) || vector < 1 || tile.dims[across]!.n % vector !== 0) return refuse(`pieces of ${vector} do not fill its rows of ${tile.dims[across]!.n} elements`);
  if (vector > 1 && src.packed) return refuse('two of its elements share a byte: pieces have one element');
  if (o.fold && new Set(uses.map((u) => u.index.map(exprKey).join())).size > 1) return refuse('what is folded into the copy differs from use to use');
  const value = o.fold ? foldable(uses[0]!.chain) : load(src, uses[0]!.index), folded = exprKey(value);
  const buf = newBuffer({ name: o.name ?? `${name}_shared`, dtype: value.dtype, space: 'shared', shape: rows.map((n, i) => constant(i === rows.length - 1 ? n + (o.pad ?? 0) : n)), loc: at.loc });

  const slot = (index: readonly Expr[]): readonly Expr[] => layout.map((d) => tile.dims[d]!.within(index[d]!));
  const from = (e: Expr): readonly Expr[] | undefined => (o.fold ? (exprKey(e) === folded ? uses[0]!.index : undefined) : e.kind === 'load' && e.buf.id === src.id ? e.index : undefined);
  const body = mapExprs(loop.body, (e) => { const index = from(e); return index ? load(buf, slot(index), { loc: e.loc }) : e; });
  const pads = padsOf(uses, tile, inner, name, at);
  const copy = cooperativeCopy(st, { src, buf, tile, layout, nest, path: around, vector, across, pads, value: (index) => valueAt(value, src, index) }, at);
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, body: block([copy.stmt, body]) }));
  const now = findVar(st.ir.body, top.v.id)!.loop;
  st.filled.add(buf.id);
  setBody(st, replaceStmt(st.ir.body, now, block([{ kind: 'alloc', buf, loc: at.loc, step: at.step }, now])));
  return Object.fromEntries(copy.axes.map((l) => [l.v.name, new Axis(l.v.name, l.extent, l.v, at.loc)]));
}

const valueAt = (value: Expr, src: Buffer, index: readonly Expr[]): Expr =>
  value.kind === 'load' && value.buf.id === src.id ? { ...value, index } : mapOperands(value, (x) => valueAt(x, src, index));

/** The dimensions of the tile that the copy has, outermost first: those of more than one element, the panel's last. */
function layoutOf(tile: Tile, uses: readonly Access[], inner: ReadonlyMap<number, For>, o: StageOptions, name: string, at: At): readonly number[] {
  const all = tile.dims.flatMap((d, i) => (d.n > 1 ? [i] : [])), kept = all.length > 0 ? all : [tile.dims.length - 1];
  if (!o.panel) return kept;
  const { id } = o.panel.v, panel = !inner.has(id) ? -1 : uses[0]!.index.findIndex((e) => (affine(e, new Set([id]))?.terms.size ?? 0) > 0);
  if (!kept.includes(panel)) throw new DslError('KD-S-PANEL', { name, axis: o.panel.name }, at);
  return [...kept.filter((d) => d !== panel), panel];
}

/**
 * Guards of padding as conditions on places in the tile. A guard whose loops are those behind one dimension (times a constant) speaks of that dimension;
 * one that has nothing to do with the tensor is left to those it concerns.
 */
function padsOf(uses: readonly Access[], tile: Tile, inner: ReadonlyMap<number, For>, name: string, at: At): readonly TileCondition[] {
  const out = new Map<string, TileCondition>();
  const ids = new Set(inner.keys());
  for (const u of uses) for (const c of u.pads.flatMap(conjuncts)) {
    const a = c.kind === 'cmp' && c.fn === 'lt' ? affine(c.a, ids) : undefined;
    const odd = (): never => { throw new DslError('KD-S-STAGE-GUARD', { name, a: printExpr(c), b: 'ties its elements to another loop' }, at); };
    if (!a || c.kind !== 'cmp') return odd();
    const mine = u.index.map((e) => affine(e, ids)!), common = mine.findIndex((m) => [...m.terms.keys()].some((id) => a.terms.has(id)));
    if (common < 0 && a.terms.size > 0) continue;
    const d = Math.max(0, common), m = mine[d]!, k = a.terms.size === 0 ? 0 : [...a.terms.values()][0]!.coef / m.terms.get([...a.terms.keys()][0]!)!.coef;
    if (!(k >= 0) || (k > 0 && (a.terms.size !== m.terms.size || [...a.terms].some(([id, t]) => m.terms.get(id)?.coef !== t.coef / k)))) return odd();
    out.set(`${exprKey(c)} ${d}`, { dim: d, k, rest: a.rest, offset: a.offset - k * (m.offset - tile.dims[d]!.lo), limit: c.b });
  }
  return [...out.values()];
}
