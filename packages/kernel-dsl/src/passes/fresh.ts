import { mapExpr, newBuffer, newVar, visitStmt } from '../ir/index.ts';
import type { Buffer, CallArg, Expr, InstrArg, Stmt, Var } from '../ir/index.ts';

/** What a rewrite puts in the place of variables and buffers, by their ids. */
export interface Renaming {
  readonly vars: ReadonlyMap<number, Expr>;
  readonly buffers: ReadonlyMap<number, Buffer>;
}

/** Applies a renaming to an expression. */
export const renameExpr = (e: Expr, r: Renaming): Expr =>
  mapExpr(e, (x) => {
    if (x.kind === 'var') return r.vars.get(x.id) ?? x;
    if (x.kind === 'load') { const buf = r.buffers.get(x.buf.id); return buf ? { ...x, buf } : x; }
    return x;
  });

/** Applies a renaming to a statement, its binders (loops, Lets, Allocs) included. */
export function rename(s: Stmt, r: Renaming): Stmt {
  const e = (x: Expr): Expr => renameExpr(x, r);
  const v = (x: Var): Var => { const y = r.vars.get(x.id); return y?.kind === 'var' ? y : x; };
  const b = (x: Buffer): Buffer => r.buffers.get(x.id) ?? x;
  switch (s.kind) {
    case 'block': return { ...s, body: s.body.map((x) => rename(x, r)) };
    case 'for': return { ...s, v: v(s.v), extent: e(s.extent), body: rename(s.body, r) };
    case 'if': return { ...s, cond: e(s.cond), then: rename(s.then, r), else: s.else && rename(s.else, r) };
    case 'while': return { ...s, v: v(s.v), max: e(s.max), cond: e(s.cond), body: rename(s.body, r) };
    case 'let': return { ...s, v: v(s.v), value: e(s.value) };
    case 'atomic': return { ...s, buf: b(s.buf), index: s.index.map(e), value: e(s.value), ...(s.old && { old: v(s.old) }) };
    case 'print': return { ...s, values: s.values.map(e) };
    case 'alloc': return { ...s, buf: b(s.buf) };
    case 'store': case 'accum': return { ...s, buf: b(s.buf), index: s.index.map(e), value: e(s.value) };
    case 'assume': return { ...s, cond: e(s.cond) };
    case 'region': return { ...s, body: rename(s.body, r) };
    case 'instr': return { ...s, ...(s.body && { body: rename(s.body, r) }), args: s.args.map((a): InstrArg => (a.kind === 'value' ? { ...a, value: e(a.value) } : { ...a, buf: b(a.buf), index: a.index.map(e) })) };
    case 'barrier': return s;
    case 'call': return { ...s, ...(s.meaning && { meaning: rename(s.meaning, r) }), args: s.args.map((a): CallArg => (a.kind === 'value' ? { ...a, value: e(a.value) } : a.kind === 'place' ? { ...a, buf: b(a.buf), index: a.index.map(e) } : { ...a, buf: b(a.buf) })) };
  }
}

/**
 * A copy of a statement in which everything that it binds is new, so that the copy may stand beside the original.
 * Names of values and buffers get `suffix`; loop variables keep theirs. `vars` are replaced on the way.
 */
export function freshCopy(s: Stmt, suffix: string, vars: ReadonlyMap<number, Expr> = new Map()): Stmt {
  const r = { vars: new Map(vars), buffers: new Map<number, Buffer>() };
  visitStmt(s, (x) => {
    if (x.kind === 'for' || x.kind === 'while') r.vars.set(x.v.id, newVar(x.v.name, x.v.dtype, x.v.lanes, x.v.loc));
    if (x.kind === 'let') r.vars.set(x.v.id, newVar(x.v.name + suffix, x.v.dtype, x.v.lanes, x.v.loc));
    if (x.kind === 'atomic' && x.old) r.vars.set(x.old.id, newVar(x.old.name + suffix, x.old.dtype, x.old.lanes, x.old.loc));
    if (x.kind === 'alloc') {
      const { id: _, ...facts } = x.buf;
      r.buffers.set(x.buf.id, newBuffer({ ...facts, name: x.buf.name + suffix }));
    }
  });
  return rename(s, r);
}
