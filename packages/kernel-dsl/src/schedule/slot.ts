import { mapChildren, mapExpr, mapOwnExprs } from '../ir/index.ts';
import type { Buffer, Expr, Stmt } from '../ir/index.ts';

/** Every use of the buffers goes to one slot of their ring. */
export function inSlot(s: Stmt, wide: ReadonlyMap<number, Buffer>, slot: Expr): Stmt {
  const expr = (e: Expr): Expr => mapExpr(e, (x) => { const b = x.kind === 'load' ? wide.get(x.buf.id) : undefined; return x.kind === 'load' && b ? { ...x, buf: b, index: [slot, ...x.index] } : x; });
  const go = (x: Stmt): Stmt => {
    const y = mapOwnExprs(mapChildren(x, go), expr), b = y.kind === 'store' || y.kind === 'accum' ? wide.get(y.buf.id) : undefined;
    return (y.kind === 'store' || y.kind === 'accum') && b ? { ...y, buf: b, index: [slot, ...y.index] } : y;
  };
  return go(s);
}
