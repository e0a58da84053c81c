import { newBuffer, newVar } from './build.ts';
import type { Buffer, Expr, Var } from './expr.ts';
import type { InstrArg, Stmt } from './stmt.ts';
import { boundBy, mapChildren, mapExpr, mapOwnExprs, visitStmt } from './walk.ts';

/** A copy of statements in which everything bound inside is new, with what became of the variables and buffers, by their old ids. */
export interface Renewed { readonly stmt: Stmt; readonly vars: ReadonlyMap<number, Var>; readonly buffers: ReadonlyMap<number, Buffer> }

/**
 * Copies statements so that the copy may stand beside the original. `nameOf` gives each new buffer its name; `place` moves accesses to buffers that
 * are not bound inside; `leaf` replaces any other expression, after its operands.
 */
export function renew(s: Stmt, o: {
  readonly nameOf?: (b: Buffer) => string;
  readonly place?: (b: Buffer, index: readonly Expr[]) => { readonly buf: Buffer; readonly index: readonly Expr[] } | undefined;
  readonly leaf?: (e: Expr) => Expr;
} = {}): Renewed {
  const vars = new Map<number, Var>(), buffers = new Map<number, Buffer>();
  visitStmt(s, (x) => {
    const v = boundBy(x);
    if (v) vars.set(v.id, newVar(v.name, v.dtype, v.lanes, v.loc));
    if (x.kind === 'alloc') buffers.set(x.buf.id, newBuffer({ ...x.buf, name: o.nameOf?.(x.buf) ?? x.buf.name }));
  });
  const at = (b: Buffer, index: readonly Expr[]): { readonly buf: Buffer; readonly index: readonly Expr[] } => {
    const own = buffers.get(b.id);
    return own ? { buf: own, index } : o.place?.(b, index) ?? { buf: b, index };
  };
  const expr = (e: Expr): Expr => mapExpr(e, (x) => (x.kind === 'var' && vars.has(x.id) ? vars.get(x.id)! : x.kind === 'load' ? { ...x, ...at(x.buf, x.index) } : o.leaf?.(x) ?? x));
  const go = (x: Stmt): Stmt => {
    const y = mapOwnExprs(mapChildren(x, go), expr);
    switch (y.kind) {
      case 'for': case 'while': case 'let': return { ...y, v: vars.get(y.v.id)! } as Stmt;
      case 'alloc': return { ...y, buf: { ...buffers.get(y.buf.id)!, shape: y.buf.shape.map(expr) } };
      case 'store': case 'accum': return { ...y, ...at(y.buf, y.index) };
      case 'atomic': return { ...y, ...at(y.buf, y.index), ...(y.old && { old: vars.get(y.old.id)! }) };
      case 'instr': return { ...y, args: y.args.map((a): InstrArg => (a.kind === 'place' ? { ...a, ...at(a.buf, a.index) } : a)) };
      default: return y;
    }
  };
  return { stmt: go(s), vars, buffers };
}
