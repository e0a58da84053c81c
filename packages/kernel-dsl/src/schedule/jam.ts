import { DslError } from '../errors/index.ts';
import { add, block, constant, exprKey, isConst, mapExpr, mapOwnExprs, mul, newBuffer, newVar, printExpr, sub, substitute, usesVar, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, Stmt } from '../ir/index.ts';
import { Axis } from '../lang/index.ts';
import { dependence } from './depend.ts';
import { findLoop, refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/** One iteration of a jammed loop: what its own variables and buffers are called. */
interface Copy { readonly n: number; readonly vars: Map<number, Expr>; readonly bufs: Map<number, Buffer> }

/** Padded tails are resolved at the end of a schedule, by the loops that their guards name: none of those may be gone by then. */
function noPads(loop: For, verb: string, axis: Axis, at: At): void {
  visitStmt(loop.body, (s) => { if (s.kind === 'if' && s.pad && usesVar(s.cond, loop.v)) throw new DslError('KD-S-PAD-COPIES', { verb, axis: axis.name }, at); });
}

/** A body is written out no more often than this: more is a mistake, and no memory holds 2^31 of them. */
const MOST_COPIES = 1024;
function few(verb: string, axis: Axis, parts: number, at: At): void {
  if (parts > MOST_COPIES) throw new DslError('KD-S-COPIES', { verb, axis: axis.name, parts, most: MOST_COPIES }, at);
}

/**
 * Unroll and jam (Allen and Cocke): the iterations of a loop run side by side, through shared copies of the loops inside of it.
 * What they read in common is then read once, and their accumulators are independent of each other.
 * Needs a constant extent and iterations that touch different elements.
 */
export function jam(st: State, axis: Axis, at: At): void {
  const { loop } = findLoop(st, axis, at);
  if (!isConst(loop.extent)) throw new DslError('KD-S-EXTENT', { verb: 'jam', axis: axis.name, extent: printExpr(loop.extent) }, at);
  few('jam', axis, loop.extent.value, at);
  const why = dependence(loop);
  if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'jam', axis: axis.name, why }, at);
  noPads(loop, 'jam', axis, at);
  const copies = Array.from({ length: loop.extent.value }, (_, n): Copy => ({ n, vars: new Map([[loop.v.id, constant(n)]]), bufs: new Map() }));
  setBody(st, replaceStmt(st.ir.body, loop, block(copies.length > 0 ? sideBySide(loop.body, copies) : [], { loc: loop.loc, step: at.step })));
  st.consumed.set(axis.v.id, `${at.step} unrolled it`);
}

/**
 * Cuts a loop into `parts` ranges of equal length and walks them side by side, jammed: iteration n does n, n + length, n + 2 length, … Where
 * each iteration reads a row of a large matrix, each part is then a long sequential stream, which memory delivers several times faster than
 * neighbouring rows in turns. Returns the loop over n and the loop over what is left at the end.
 */
export function interleave(st: State, axis: Axis, parts: number, at: At): readonly [Axis, Axis] {
  if (!Number.isInteger(parts) || parts < 1) throw new DslError('KD-S-FACTOR', { axis: axis.name, factor: parts }, at);
  few('interleave', axis, parts, at);
  const { loop } = findLoop(st, axis, at);
  const why = dependence(loop);
  if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'interleave', axis: axis.name, why }, at);
  noPads(loop, 'interleave', axis, at);
  const length: Expr = isConst(loop.extent) ? constant(Math.floor(loop.extent.value / parts)) : { kind: 'binary', fn: 'div', dtype: 'i64', lanes: 1, a: loop.extent, b: constant(parts) };
  const v = newVar(`${axis.name}n`, 'i64', 1, loop.loc), last = newVar(`${axis.name}_rest`, 'i64', 1, loop.loc), done = mul(length, constant(parts));
  const copies = Array.from({ length: parts }, (_, n): Copy => ({ n, vars: new Map([[loop.v.id, add(v, mul(constant(n), length))]]), bufs: new Map() }));
  const origin = { loc: loop.loc, step: at.step };
  const main: Stmt = { kind: 'for', v, extent: length, loop: loop.loop, body: block(sideBySide(loop.body, copies)), ...origin };
  const rest: Stmt = { kind: 'for', v: last, extent: sub(loop.extent, done), loop: 'seq', body: refresh(substitute(loop.body, new Map([[loop.v.id, add(done, last)]]))), ...origin };
  setBody(st, replaceStmt(st.ir.body, loop, block([main, rest])));
  st.consumed.set(axis.v.id, `${at.step} made ${v.name} and ${last.name} of it`);
  return [new Axis(v.name, length, v, loop.loc), new Axis(last.name, rest.extent, last, loop.loc)];
}

/** A statement for all copies: once where they agree on its control flow, else one after another. */
function sideBySide(s: Stmt, copies: readonly Copy[]): Stmt[] {
  const same = (e: Expr): boolean => copies.every((c) => exprKey(renamed(e, c)) === exprKey(renamed(e, copies[0]!)));
  const inside = (x: Stmt): Stmt => block(sideBySide(x, copies));
  switch (s.kind) {
    case 'block': return s.body.flatMap((x) => sideBySide(x, copies));
    case 'region': return [{ ...s, body: inside(s.body) }];
    case 'instr': case 'call': return copies.map((c) => whole(s, c));
    case 'for': return same(s.extent) ? [{ ...s, extent: renamed(s.extent, copies[0]!), body: inside(s.body) }] : copies.map((c) => whole(s, c));
    case 'if': return same(s.cond) ? [{ ...s, cond: renamed(s.cond, copies[0]!), then: inside(s.then), else: s.else && inside(s.else) }] : copies.map((c) => whole(s, c));
    case 'alloc': return copies.map((c) => {
      const buf = newBuffer({ ...s.buf, name: `${s.buf.name}_${c.n}` });
      c.bufs.set(s.buf.id, buf);
      return { ...s, buf };
    });
    case 'let': return copies.map((c) => {
      const v = newVar(`${s.v.name}_${c.n}`, s.v.dtype, s.v.lanes, s.v.loc), value = renamed(s.value, c);
      c.vars.set(s.v.id, v);
      return { ...s, v, value };
    });
    case 'store': case 'accum': return copies.map((c) => ({ ...s, buf: c.bufs.get(s.buf.id) ?? s.buf, index: s.index.map((e) => renamed(e, c)), value: renamed(s.value, c) }));
    case 'assume': return copies.map((c) => ({ ...s, cond: renamed(s.cond, c) }));
    case 'atomic': return copies.map((c) => {
      const out: Stmt = { ...s, buf: c.bufs.get(s.buf.id) ?? s.buf, index: s.index.map((e) => renamed(e, c)), value: renamed(s.value, c) };
      if (!s.old) return out;
      const old = newVar(`${s.old.name}_${c.n}`, s.old.dtype, s.old.lanes, s.old.loc);
      c.vars.set(s.old.id, old);
      return { ...out, old };
    });
    case 'while': case 'print': return copies.map((c) => whole(s, c));
    case 'barrier': return [s];
  }
}

function renamed(e: Expr, c: Copy): Expr {
  return mapExpr(e, (x) => {
    if (x.kind === 'var') return c.vars.get(x.id) ?? x;
    if (x.kind === 'load') { const buf = c.bufs.get(x.buf.id); return buf ? { ...x, buf } : x; }
    return x;
  });
}

/** A statement as one copy sees it, with names of its own inside. */
function whole(s: Stmt, c: Copy): Stmt {
  const outer = (x: Stmt): Stmt => {
    const y = mapOwnExprs(x, (e) => renamed(e, c));
    switch (y.kind) {
      case 'block': return { ...y, body: y.body.map(outer) };
      case 'for': case 'while': case 'region': return { ...y, body: outer(y.body) };
      case 'instr': return y.body ? { ...y, body: outer(y.body) } : y;
      case 'if': return { ...y, then: outer(y.then), else: y.else && outer(y.else) };
      case 'store': case 'accum': case 'atomic': return { ...y, buf: c.bufs.get(y.buf.id) ?? y.buf };
      default: return y;
    }
  };
  return refresh(outer(s));
}
