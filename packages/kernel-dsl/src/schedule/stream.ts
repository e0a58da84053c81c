import { DslError } from '../errors/index.ts';
import { add, binary, block, compare, constant, isConst, load, mapExprs, min, mul, newBuffer, newVar, renew, select, sub, substitute, usesVar, visitStmt } from '../ir/index.ts';
import type { Alloc, Buffer, Expr, For, LoopKind, Stmt, Var } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { accesses } from './access.ts';
import { dependence } from './depend.ts';
import { resolvePads } from './pads.ts';
import { findLoop, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

const div = (a: Expr, b: Expr): Expr => binary('div', a, b), mod = (a: Expr, b: Expr): Expr => binary('mod', a, b), max = (a: Expr, b: Expr): Expr => binary('max', a, b), natural = (e: Expr): Expr => max(e, constant(0)); // as it is, and so that proofs need not know why

/**
 * Tiles that do not fill a wave of workgroups are shared by all of them, each of which takes as many steps of the sum as any other (Osama et al., "Stream-K", 2023): so
 * it takes the end of one tile and the beginning of the next. What they have summed up lies in memory until a last launch adds it, in the order of the steps, and does
 * what is done with a tile. The order of the sum changes.
 */
export function stream(st: State, outer: Axis, inner: Axis, sum: Axis, o: { readonly workgroups: number }, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-STREAM', { outer: outer.name, inner: inner.name, sum: sum.name, why }, at); };
  resolvePads(st, at); // of loops, while there are such over tiles
  const a = findLoop(st, outer, at).loop, b = findLoop(st, inner, at).loop, l = findLoop(st, sum, at).loop, W = o.workgroups, origin = { loc: at.loc, step: at.step };
  if (!Number.isInteger(W) || W < 2) return refuse(`workgroups is ${W}`);
  if (a.body !== b) return refuse(`${inner.name} is not directly inside of ${outer.name}`);
  if (!a.loop.startsWith('block.') || !b.loop.startsWith('block.')) return refuse('the first two are not bound to workgroups');
  if (a.persistent) return refuse('their workgroups stay already');
  if (usesVar(b.extent, a.v) || usesVar(l.extent, a.v) || usesVar(l.extent, b.v)) return refuse('tiles are not all of one kind: an extent depends on the tile');
  const { acc, before, after } = summed(b, l, refuse), cols = max(b.extent, constant(1)), depth = l.extent, tiles = mul(a.extent, b.extent), whole = named('whole', natural(mul(div(tiles, constant(W)), constant(W))), at), rest = named('rest', mod(tiles, constant(W)), at);
  const done = named('done', div(whole.v, cols), at), steps = named('steps', natural(mul(rest.v, depth)), at), sharers = named('sharers', min(steps.v, constant(W)), at);
  const parts = newBuffer({ name: `${acc.name}_parts`, dtype: acc.dtype, space: 'pack', shape: [constant(W), constant(2), ...acc.shape], loc: at.loc });
  const over = (v: Var, extent: Expr, loop: LoopKind, body: readonly Stmt[]): For => ({ kind: 'for', v, extent, loop, body: block(body), ...origin });
  const tile = (n: Expr): Stmt[] => [{ kind: 'let', v: a.v, value: div(n, cols), ...origin }, { kind: 'let', v: b.v, value: mod(n, cols), ...origin }], tileOf = add(mul(a.v, cols), b.v);
  const own = (s: Stmt): Stmt => { const r = renew(s); for (const [id, buf] of r.buffers) if (st.filled.has(id)) st.filled.add(buf.id); return r.stmt; };

  // Whole waves: a tile for each workgroup, in rows of tiles, the last of which may be whole in part.
  const waves: Stmt = { ...a, extent: div(add(whole.v, sub(cols, constant(1))), cols), body: { ...b, body: { kind: 'if', cond: compare('lt', tileOf, whole.v), then: b.body, ...origin } } };

  // A share begins at step w * steps / sharers, in one tile, and may end in the next one.
  const w = newVar('share'), piece = newVar('piece'), first = (x: Expr): Expr => div(mul(x, steps.v), max(sharers.v, constant(1)));
  const low = named('low', natural(first(w)), at), high = named('high', natural(first(add(w, constant(1)))), at), number = named('tile', add(div(low.v, max(depth, constant(1))), piece), at);
  const from = named('from', natural(sub(low.v, mul(number.v, depth))), at), to = named('to', min(sub(high.v, mul(number.v, depth)), depth), at), x = newVar(l.v.name);
  const part: Stmt = { ...l, v: x, extent: sub(to.v, from.v), body: substitute(l.body, new Map([[l.v.id, add(from.v, x)]])) };
  const shares = over(w, sharers.v, 'block.x', [low.let, high.let, over(piece, constant(2), 'seq', [
    number.let, ...tile(add(whole.v, number.v)), from.let, to.let,
    { kind: 'if', cond: compare('lt', from.v, to.v), then: block([...before, part, ...after.kept(parts, [w, piece])]), ...origin },
  ])]);

  // The steps of a tile were those of some shares in a row. The first of them has it as its second tile where it begins earlier.
  const r = newVar('row'), begin = named('begin', mul(natural(sub(tileOf, whole.v)), depth), at), ahead = (step: Expr): Expr => natural(sub(mul(add(step, constant(1)), sharers.v), constant(1)));
  const shareOf = (step: Expr): Expr => div(ahead(step), max(steps.v, constant(1))), one = named('first_share', shareOf(begin.v), at), last = named('last_share', shareOf(natural(sub(add(begin.v, depth), constant(1)))), at);
  const late = named('late', select(compare('lt', mod(ahead(begin.v), max(steps.v, constant(1))), sharers.v), constant(0), constant(1)), at);
  const there = compare('ge', tileOf, whole.v), join = over(r, natural(sub(a.extent, done.v)), 'block.y', [substitute({
    ...b, body: block([begin.let, one.let, last.let, late.let, after.joined(there, (each) => {
      const s = newVar('share'), which = [min(add(one.v, s), constant(W - 1)), select(compare('eq', s, constant(0)), late.v, constant(0))];
      return over(s, select(compare('gt', depth, constant(0)), add(sub(last.v, one.v), constant(1)), constant(0)), 'seq', [each(({ index, into, at: u }) => ({ kind: 'accum', fn: 'add', buf: into, index: [u], value: load(parts, [...which, ...index]), ...origin }))]);
    })]),
  }, new Map([[a.v.id, add(done.v, r)]]))]);
  const nests = [waves, own(shares), own(join)];
  for (const n of nests) visitStmt(n, (x) => {
    const why = x.kind === 'for' && x.loop.startsWith('block.') ? dependence(x) : undefined;
    if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'stream', axis: (x as For).v.name, why }, at);
  });
  setBody(st, replaceStmt(st.ir.body, a, block([{ kind: 'alloc', buf: parts, ...origin }, whole.let, rest.let, done.let, steps.let, sharers.let, ...nests])));
  for (const gone of [outer, inner]) st.consumed.set(gone.v.id, `${at.step} made launches of it`);
  st.reassociates = true;
}

const named = (name: string, value: Expr, at: At): { readonly v: Var; readonly let: Stmt } => { const v = newVar(name, 'i64', 1, at.loc); return { v, let: { kind: 'let', v, value, loc: at.loc, step: at.step } }; };

/** Where an element of a sum is read, and what it is added to. */
interface Place { readonly index: readonly Expr[]; readonly into: Buffer; readonly at: Expr }
/** Rows of a tile that a lane joins at once. */
const ROWS = 8;
/** What follows a sum: its elements left in memory instead, or done by lanes, one for each element, with what `join` adds up. */
interface After { kept(to: Buffer, at: readonly Expr[]): readonly Stmt[]; joined(where: Expr, join: (each: (body: (p: Place) => Stmt) => Stmt) => Stmt): Stmt }

/** Takes the program of a tile apart: a register of sums that is set to zero, the loop that adds to it, and one statement for each of its elements. */
function summed(tile: For, l: For, refuse: (why: string) => never): { readonly acc: Buffer; readonly before: readonly Stmt[]; readonly after: After } {
  const list = tile.body.kind === 'block' ? tile.body.body : [tile.body], at = list.indexOf(l), before = list.slice(0, at), [rest, ...more] = list.slice(at + 1), alloc = before.find((s): s is Alloc => s.kind === 'alloc');
  if (at < 0 || !alloc || before.length !== 2 || !rest || more.length > 0) return refuse(`a tile is not a register that is set to zero, ${l.v.name}, and one statement that uses what it has added up`);
  const acc = alloc.buf, zero = accesses(before[1]!, acc), added = accesses(l, acc), loops: For[] = [];
  if (zero.length !== 1 || zero[0]!.kind !== 'store' || zero[0]!.stmt.kind !== 'store' || !isConst(zero[0]!.stmt.value, 0)) return refuse(`${acc.name} is not set to zero before ${l.v.name}`);
  if (zero[0]!.guards.length > 0) return refuse(`${acc.name} is set to zero under a condition`);
  if (added.length === 0 || added.some((u) => u.stmt.kind !== 'accum' || u.kind !== 'accum' || u.stmt.fn !== 'add')) return refuse(`${l.v.name} does more with ${acc.name} than to add to it`);
  let leaf: Stmt = rest;
  for (; leaf.kind === 'for'; leaf = leaf.body) loops.push(leaf);
  const uses = accesses(rest, acc), names = loops.map((f) => f.v.id), same = uses.every((u) => u.kind === 'load' && u.index.length === loops.length && u.index.every((e, d) => e.kind === 'var' && e.id === names[d]));
  if (uses.length === 0 || !same || loops.length !== 3 || loops.some((f, d) => !isConst(f.extent) || !isConst(acc.shape[d]!, f.extent.value))) return refuse(`what follows ${l.v.name} is not loops over the elements of ${acc.name}, a team's rows and columns`);
  let other = false;
  visitStmt(leaf, (s) => { other ||= s.kind === 'for' || s.kind === 'alloc'; });
  if (other) return refuse(`what follows ${l.v.name} is more than one statement`);
  const origin = { loc: rest.loc, step: rest.step }, around = (body: Stmt): Stmt => loops.reduceRight<Stmt>((s, f) => ({ ...f, body: s }), body), [team, row, col] = loops as [For, For, For];
  return {
    acc, before,
    after: {
      kept: (to, first) => [around({ kind: 'store', buf: to, index: [...first, ...loops.map((f) => f.v)], value: load(acc, loops.map((f) => f.v)), ...origin })],
      joined: (where, join) => {
        // Several rows a lane, so that as many loads are on their way.
        const n = isConst(row.extent) && row.extent.value % ROWS === 0 ? ROWS : 1, into = newBuffer({ name: acc.name, dtype: acc.dtype, space: 'reg', shape: [constant(n)], loc: acc.loc }), group = newVar(`${row.v.name}o`);
        const each = (f: (u: Var) => Stmt): Stmt => { const u = newVar(`${row.v.name}i`); return { kind: 'for', v: u, extent: constant(n), loop: 'unroll', body: substitute(f(u), new Map([[row.v.id, add(mul(group, constant(n)), u)]])), ...origin }; };
        const one = block([
          { kind: 'alloc', buf: into, ...origin }, each((u) => ({ kind: 'store', buf: into, index: [u], value: constant(0, acc.dtype), ...origin })),
          join((body) => each((u) => body({ index: loops.map((f) => f.v), into, at: u }))),
          each((u) => mapExprs(leaf, (e) => (e.kind === 'load' && e.buf.id === acc.id ? load(into, [u]) : e))),
        ]);
        return { ...row, v: group, extent: constant((isConst(row.extent) ? row.extent.value : n) / n), loop: 'block.z', body: { ...team, loop: 'lane.y', body: { ...col, loop: 'lane.x', body: { kind: 'if', cond: where, then: one, ...origin } } } };
      },
    },
  };
}
