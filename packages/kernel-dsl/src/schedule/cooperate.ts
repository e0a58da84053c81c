import { add, and, binary, block, compare, constant, isConst, load, lt, mul, newBuffer, newVar } from '../ir/index.ts';
import type { Buffer, Expr, For, Stmt, Var } from '../ir/index.ts';
import { knownIn } from './known.ts';
import type { Known } from './known.ts';
import type { LaneNest } from './lane-nest.ts';
import type { At, State } from './state.ts';
import type { Tile, TileCondition } from './tile.ts';

/** A copy that all lanes of a workgroup make together. */
export interface Cooperation {
  readonly src: Buffer;
  readonly buf: Buffer;
  readonly tile: Tile;
  /** The dimensions of the tile that the copy has, outermost first. */
  readonly layout: readonly number[];
  readonly nest: LaneNest;
  /** What is around the copy, outermost first. */
  readonly path: readonly Stmt[];
  /** Elements that a lane copies at a time. */
  readonly vector: number;
  /** The dimension of the tile that they lie along. */
  readonly across: number;
  readonly pads: readonly TileCondition[];
  /** What is copied from a place of the tensor. */
  readonly value: (index: readonly Expr[]) => Expr;
}

/** Copies that a lane makes one after another are written out up to this number. */
const MOST_UNROLLED = 16;

/** The copy as statements of one lane: its pieces are number `lane`, `lane + lanes`, … of the tile, in the order of the tensor's memory. */
export function cooperativeCopy(st: State, c: Cooperation, at: At): { readonly stmt: Stmt; readonly axes: readonly For[] } {
  const origin = { loc: at.loc, step: at.step }, { dims } = c.tile, last = dims.length - 1, V = c.vector;
  const counts = dims.map((d, i) => (i === c.across ? d.n / V : d.n)), pieces = counts.reduce((a, b) => a * b, 1), rounds = Math.ceil(pieces / c.nest.size);
  const round = newVar('copy', 'i64', 1, at.loc), lane = newVar('lane', 'i64', 1, at.loc);
  const piece = rounds > 1 ? add(mul(round, constant(c.nest.size)), c.nest.number) : c.nest.number;
  // Names for the piece and its place in the tile, which every element of it needs.
  const lets: Stmt[] = [], named = (name: string, value: Expr): Expr => {
    if (value.kind === 'const' || value.kind === 'var') return value;
    const v = newVar(name, 'i64', 1, at.loc);
    lets.push({ kind: 'let', v, value, ...origin });
    return v;
  };
  const first = counts.findIndex((n) => n > 1), stem = c.src.name, place: Expr[] = counts.map(() => constant(0));
  let left = named(`${stem}_at`, piece);
  for (let d = last; d >= Math.max(0, first); d--) {
    if (counts[d] === 1) continue;
    place[d] = named(`${stem}_${d}`, d === first ? left : binary('mod', left, constant(counts[d]!)));
    if (d > first) left = binary('div', left, constant(counts[d]!));
  }
  const chunk = V > 1 ? mul(place[c.across]!, constant(V)) : place[c.across]!;
  const element = (v: Expr): readonly Expr[] => place.map((x, d) => (d === c.across ? add(chunk, v) : x));
  const copied = (v: Expr, guard: Expr | undefined): Stmt => {
    const r = element(v), to = (value: Expr): Stmt => ({ kind: 'store', buf: c.buf, index: c.layout.map((d) => r[d]!), value, ...origin });
    const value = c.value(dims.map((d, i) => add(d.origin, r[i]!)));
    return guard ? { kind: 'if', cond: guard, then: to(value), else: to(constant(0, c.buf.dtype)), ...origin } : to(value);
  };
  const open = openConditions(st, c, at);
  const all = (v: Expr, low: Expr): Expr => open.map((g) => g.of(element(g.lower ? low : v))).reduce<Expr>((a, b) => and(a, b), constant(1, 'bool'));
  const over = (loop: For['loop'], v: Var, body: Stmt): For => ({ kind: 'for', v, extent: constant(V), loop, body, ...origin });
  let body: Stmt;
  if (V === 1) body = copied(constant(0), open.length > 0 ? all(constant(0), constant(0)) : undefined);
  else {
    body = over('vector', lane, copied(lane, undefined));
    // A piece that exists whole or not at all is copied or zero.
    if (open.length > 0 && open.every((g) => g.whole)) {
      const zero = newVar('lane', 'i64', 1, at.loc);
      body = { kind: 'if', cond: all(constant(0), constant(0)), then: body, else: over('vector', zero, { kind: 'store', buf: c.buf, index: c.layout.map((d) => element(zero)[d]!), value: constant(0, c.buf.dtype), ...origin }), ...origin };
    } else if (open.length > 0) {
      // Where not all of a piece exists it is put together in registers, so that shared memory is written by whole pieces alone.
      const edge = newVar('lane', 'i64', 1, at.loc), whole = newVar('lane', 'i64', 1, at.loc), held = newBuffer({ name: `${stem}_piece`, dtype: c.buf.dtype, space: 'reg', shape: [constant(V)], loc: at.loc });
      const part = (value: Expr): Stmt => ({ kind: 'store', buf: held, index: [edge], value, ...origin }), r = element(edge);
      body = {
        kind: 'if', cond: all(constant(V - 1), constant(0)), then: body, ...origin,
        else: block([
          { kind: 'alloc', buf: held, ...origin },
          over('unroll', edge, { kind: 'if', cond: all(edge, edge), then: part(c.value(dims.map((d, i) => add(d.origin, r[i]!)))), else: part(constant(0, c.buf.dtype)), ...origin }),
          over('vector', whole, { kind: 'store', buf: c.buf, index: c.layout.map((d) => element(whole)[d]!), value: load(held, [whole]), ...origin }),
        ]),
      };
    }
  }
  if (pieces % c.nest.size !== 0) body = { kind: 'if', cond: lt(piece, constant(pieces)), then: block([...lets, body]), ...origin };
  else body = block([...lets, body]);
  if (rounds === 1) return { stmt: body, axes: [] };
  const loop: For = { kind: 'for', v: round, extent: constant(rounds), loop: rounds <= MOST_UNROLLED ? 'unroll' : 'seq', body, ...origin };
  return { stmt: loop, axes: [loop] };
}

/** A condition on a place of the tile; `lower`: of neighbours, the first decides, else the last; `whole`: all elements of a piece agree. */
interface Condition { readonly lower: boolean; readonly whole: boolean; readonly of: (place: readonly Expr[]) => Expr }

/** The conditions under which an element of the tile is copied, less what is known. */
function openConditions(st: State, c: Cooperation, at: At): readonly Condition[] {
  const { dims } = c.tile, vars = dims.map((_, d) => newVar(`r${d}`, 'i64', 1, at.loc));
  let known: Known = dims.reduce((k, d, i) => k.within(vars[i]!, constant(d.n)), knownIn(st.ir.body, c.path));
  const out: Condition[] = [];
  const need = (lower: boolean, whole: boolean, of: Condition['of']): void => {
    const cond = of(vars);
    if (known.holds(cond)) return;
    known = known.and(cond);
    out.push({ lower, whole, of });
  };
  const last = c.across, pieces = (x: Expr): boolean => isConst(x) && x.value % c.vector === 0;
  for (const p of c.pads) need(false, p.dim !== last, (r) => lt(add(add(p.k === 0 ? constant(0) : mul(r[p.dim]!, constant(p.k)), p.rest), constant(p.offset)), p.limit));
  for (const [d, x] of dims.entries()) {
    const whole = d !== last || (pieces(x.origin) && pieces(c.src.shape[d]!));
    need(false, whole, (r) => lt(add(x.origin, r[d]!), c.src.shape[d]!));
    need(true, whole, (r) => compare('ge', add(x.origin, r[d]!), constant(0)));
  }
  return out;
}
