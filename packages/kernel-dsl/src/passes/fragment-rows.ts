import { add, binary, bitcast, block, cast, compare, constant, identity, isConst, load, mapExprs, mapStmt, mul, newBuffer, newVar, printStmt, reduceOp, substitute, visitExprs, visitStmt } from '../ir/index.ts';
import type { Accum, Buffer, Expr, For, If, Stmt, Store, Var } from '../ir/index.ts';
import { colOf, distribute, isOwn, rowOf } from './fragments.ts';
import type { Fragment, Team } from './fragments.ts';
import { noTeam } from './team.ts';

/** The one statement of a nest over a tile, and its loops and guards. */
interface Nest { readonly row: For; readonly col: For | undefined; readonly guards: readonly If[]; readonly leaf: Stmt }

/** Takes a nest apart where it is loops and guards around one statement; a loop over rows comes first. */
function nestOf(s: Stmt): Nest | undefined {
  const loops: For[] = [], guards: If[] = [];
  let x = s;
  while (x.kind === 'for' || (x.kind === 'if' && !x.else) || x.kind === 'region' || (x.kind === 'block' && x.body.length === 1)) {
    if (x.kind === 'for') loops.push(x);
    if (x.kind === 'if') guards.push(x);
    x = x.kind === 'if' ? x.then : x.kind === 'block' ? x.body[0]! : x.body;
  }
  return loops.length === 1 || loops.length === 2 ? { row: loops[0]!, col: loops[1], guards, leaf: x } : undefined;
}

/**
 * Work of a team on its registers, dealt out over its lanes: whole tiles (see {@link distribute}), values of rows, sums and maxima over the columns of a tile, and tiles
 * of 16-bit floats, two of which lie in a register. The four lanes that share a row compute its values alike; what one of them adds up over its own
 * columns is joined by exchanges, so that sums are added in another order.
 * @throws DslError KD-L-TEAM
 */
export function dealOut(nest: Stmt, fragments: ReadonlyMap<number, Fragment>, team: Team, lane: Expr): Stmt {
  const n = nestOf(nest), target = n && (n.leaf.kind === 'store' || n.leaf.kind === 'accum') ? fragments.get(n.leaf.buf.id) : undefined;
  visitExprs(nest, (e, s) => { if (e.kind === 'load' && fragments.get(e.buf.id)?.form === 'words') noTeam(`${e.buf.name} holds two numbers in a register: only products read it`, s); });
  if (n && !n.col) return ofRows(n, fragments, team, lane);
  if (n?.col && target?.form === 'rows') return n.leaf.kind === 'accum' ? overColumns(n, n.leaf, target, fragments, team, lane) : noTeam(`${target.whole.name} has one value a row, which each column would set anew`, n.leaf);
  if (n?.col && target?.form === 'words') return n.leaf.kind === 'store' && n.guards.length === 0 ? inPairs(n, n.leaf, target, fragments, team, lane) : noTeam(`${target.whole.name} holds two numbers in a register: they are stored together, without a condition`, n.leaf);
  return distribute(nest, fragments, team, lane);
}

/** Statements at one place of a tile: in half h of a row's two, and in pair j, its element b. */
function placer(n: Nest, fragments: ReadonlyMap<number, Fragment>, team: Team, lane: Expr, h: Expr): (s: Stmt, j: Expr, b: Expr) => Stmt {
  if (!isConst(n.row.extent, team.rows)) return noTeam(`the loop over rows ${n.row.v.name} does not go over the ${team.rows} of one product`, n.row);
  const slot = (f: Fragment, index: readonly Expr[], s: Stmt, j: Expr, b: Expr): Expr => {
    const [r, c] = f.form === 'rows' ? [index.at(-1), undefined] : index.slice(-2), is = (e: Expr | undefined, v: Var | undefined): boolean => e?.kind === 'var' && e.id === v?.id;
    if (!isOwn(index, team) || index.length !== team.vars.length + (f.form === 'rows' ? 1 : 2) || !is(r, n.row.v) || (f.form !== 'rows' && !is(c, n.col?.v))) return noTeam(`'${printStmt(s).trim()}' does not reach ${f.whole.name} by loops over whole tiles of the team itself`, s);
    return f.form === 'rows' ? h : add(add(mul(j, constant(4)), mul(h, constant(2))), b);
  };
  return (s, j, b) => {
    const reads = mapExprs(s, (e) => { const f = e.kind === 'load' ? fragments.get(e.buf.id) : undefined; return e.kind === 'load' && f ? load(f.own, [slot(f, e.index, s, j, b)], { loc: e.loc }) : e; });
    const writes = mapStmt(reads, (x) => { const f = x.kind === 'store' || x.kind === 'accum' ? fragments.get(x.buf.id) : undefined; return (x.kind === 'store' || x.kind === 'accum') && f && f.form === 'rows' ? { ...x, buf: f.own, index: [slot(f, x.index, x, j, b)] } : x; })!;
    return substitute(writes, new Map<number, Expr>([[n.row.v.id, rowOf(team, lane, constant(0), h)], ...(n.col ? [[n.col.v.id, colOf(lane, j, b)] as const] : [])]));
  };
}

const loopOf = (v: Var, extent: number, body: Stmt, s: Stmt): For => ({ kind: 'for', v, extent: constant(extent), loop: 'seq', unrolled: true, body, loc: s.loc, step: s.step });
const around = (guards: readonly If[], s: Stmt): Stmt => guards.reduceRight<Stmt>((b, g) => ({ ...g, then: b }), s);

/** A statement about rows alone: every lane has two of them. Memory is written by one of the four that share one. */
function ofRows(n: Nest, fragments: ReadonlyMap<number, Fragment>, team: Team, lane: Expr): Stmt {
  const h = newVar('h'), at = placer(n, fragments, team, lane, h), all = around(n.guards, n.leaf);
  let memory = false, known = true;
  visitStmt(all, (s) => {
    if (s.kind === 'store' || s.kind === 'accum') { if (!fragments.has(s.buf.id)) memory = true; } else known &&= s.kind === 'if' || s.kind === 'block';
  });
  if (!known) return noTeam(`'${printStmt(n.leaf).trim().split('\n')[0]}' is no work on registers`, n.leaf);
  const one = at(all, constant(0), constant(0));
  return loopOf(h, 2, memory ? { kind: 'if', cond: compare('eq', binary('mod', lane, constant(4)), constant(0)), then: one, loc: n.leaf.loc, step: n.leaf.step } : one, n.row);
}

/** A sum or maximum over the columns of a tile: over a lane's own first, in two halves, then over the four lanes of a row. */
function overColumns(n: Nest, leaf: Accum, f: Fragment, fragments: ReadonlyMap<number, Fragment>, team: Team, lane: Expr): Stmt {
  const cols = columnsOf(n), origin = { loc: leaf.loc, step: leaf.step }, t = f.whole.dtype, fn = leaf.fn, v = (name: string): Var => newVar(name), name = (stem: string): Var => newVar(stem, t, 1, leaf.loc);
  const part: Buffer = newBuffer({ name: `${f.whole.name}_own`, dtype: t, space: 'local', shape: [constant(4)], loc: leaf.loc });
  const slot = (h: Expr, b: Expr): readonly Expr[] => [add(mul(h, constant(2)), b)];
  const h0 = v('h'), b0 = v('b'), j = v('j'), h1 = v('h'), b1 = v('b'), h2 = v('h');
  const value = (s: Stmt): Expr => (s as Extract<Stmt, { kind: 'accum' }>).value;
  const placed = placer(n, fragments, team, lane, h1), read = placed({ ...leaf, buf: part, index: [] }, j, b1);
  const guarded = placed(around(n.guards, { kind: 'block', body: [] }), j, b1), wrap = (s: Stmt): Stmt => replaceInner(guarded, s);
  const first = name('own'), second = name('pair'), both = name('both'), other = name('quad');
  const op = (a: Expr, b: Expr): Expr => binary(reduceOp(fn), a, b), exchange = (x: Expr, by: number): Expr => ({ kind: 'subgroup', fn: 'shuffleXor', dtype: t, lanes: 1, x, lane: constant(by) });
  placer(n, fragments, team, lane, h2)(leaf, constant(0), constant(0)); // the register itself must be a row's own
  return block([
    { kind: 'alloc', buf: part, ...origin },
    loopOf(h0, 2, loopOf(b0, 2, { kind: 'store', buf: part, index: slot(h0, b0), value: identity(fn, t), ...origin }, leaf), leaf),
    loopOf(j, cols / 8, loopOf(h1, 2, loopOf(b1, 2, wrap({ kind: 'accum', fn, buf: part, index: slot(h1, b1), value: value(read), ...origin }), leaf), leaf), leaf),
    loopOf(h2, 2, block([
      { kind: 'let', v: first, value: op(load(part, slot(h2, constant(0))), load(part, slot(h2, constant(1)))), ...origin },
      { kind: 'let', v: second, value: exchange(first, 1), ...origin },
      { kind: 'let', v: both, value: op(first, second), ...origin },
      { kind: 'let', v: other, value: exchange(both, 2), ...origin },
      { kind: 'accum', fn, buf: f.own, index: [h2], value: op(both, other), ...origin },
    ]), leaf),
  ]);
}

/** Guards with another statement inside. */
const replaceInner = (guards: Stmt, s: Stmt): Stmt => (guards.kind === 'if' ? { ...guards, then: replaceInner(guards.then, s) } : s);

const columnsOf = (n: Nest): number => (n.col && isConst(n.col.extent) && n.col.extent.value % 8 === 0 ? n.col.extent.value : noTeam('the loop over columns has no constant extent of a multiple of 8', n.leaf));

/** A tile of 16-bit floats: two neighbours at a time become a register. */
function inPairs(n: Nest, leaf: Store, f: Fragment, fragments: ReadonlyMap<number, Fragment>, team: Team, lane: Expr): Stmt {
  const cols = columnsOf(n), j = newVar('j'), h = newVar('h'), placed = placer(n, fragments, team, lane, h), origin = { loc: leaf.loc, step: leaf.step };
  placed({ kind: 'assume', cond: compare('eq', load(leaf.buf, leaf.index), load(leaf.buf, leaf.index)), text: '' }, j, constant(0)); // it must be the team's own tile
  const half = (b: number): Expr => cast(bitcast((placed(leaf, j, constant(b)) as Store).value, 'u16'), 'u32');
  const word = binary('or', half(0), binary('shl', half(1), constant(16, 'u32')));
  return loopOf(j, cols / 8, loopOf(h, 2, { kind: 'store', buf: f.own, index: [add(mul(j, constant(2)), h)], value: word, ...origin }, leaf), leaf);
}
