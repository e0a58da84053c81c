import { DslError } from '../errors/index.ts';
import { block, constant, exprKey, isConst, mapExpr, mapOwnExprs, newBuffer, newVar, printExpr } from '../ir/index.ts';
import type { Buffer, Expr, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { dependence } from './depend.ts';
import { findLoop, refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/** One iteration of a jammed loop: what its own variables and buffers are called. */
interface Copy { readonly n: number; readonly vars: Map<number, Expr>; readonly bufs: Map<number, Buffer> }

/**
 * Unroll and jam (Allen and Cocke): the iterations of a loop run side by side, through shared copies of the loops inside of it.
 * What they read in common is then read once, and their accumulators are independent of each other.
 * Needs a constant extent and iterations that touch different elements.
 */
export function jam(st: State, axis: Axis, at: At): void {
  const { loop } = findLoop(st, axis, at);
  if (!isConst(loop.extent)) throw new DslError('KD-S-EXTENT', { verb: 'jam', axis: axis.name, extent: printExpr(loop.extent) }, at);
  const why = dependence(loop);
  if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'jam', axis: axis.name, why }, at);
  const copies = Array.from({ length: loop.extent.value }, (_, n): Copy => ({ n, vars: new Map([[loop.v.id, constant(n)]]), bufs: new Map() }));
  setBody(st, replaceStmt(st.ir.body, loop, block(sideBySide(loop.body, copies), { loc: loop.loc, step: at.step })));
  st.consumed.set(axis.v.id, `${at.step} unrolled it`);
}

/** A statement for all copies: once where they agree on its control flow, else one after another. */
function sideBySide(s: Stmt, copies: readonly Copy[]): Stmt[] {
  const same = (e: Expr): boolean => copies.every((c) => exprKey(renamed(e, c)) === exprKey(renamed(e, copies[0]!)));
  const inside = (x: Stmt): Stmt => block(sideBySide(x, copies));
  switch (s.kind) {
    case 'block': return s.body.flatMap((x) => sideBySide(x, copies));
    case 'region': return [{ ...s, body: inside(s.body) }];
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
      case 'for': case 'region': return { ...y, body: outer(y.body) };
      case 'if': return { ...y, then: outer(y.then), else: y.else && outer(y.else) };
      case 'store': case 'accum': return { ...y, buf: c.bufs.get(y.buf.id) ?? y.buf };
      default: return y;
    }
  };
  return refresh(outer(s));
}
