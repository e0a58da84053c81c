import type { Expr, Stmt } from '../../ir/index.ts';
import { exprsOf, load, visitExpr, visitStmt } from '../../ir/index.ts';

/** Names and registers whose values reach memory or control flow; the rest is not printed, so that compilers have nothing to warn of. */
export interface Live {
  readonly vars: ReadonlySet<number>;
  readonly regs: ReadonlySet<number>;
}

export function liveIn(body: Stmt): Live {
  const vars = new Set<number>(), regs = new Set<number>();
  const values = new Map<number, Expr[]>(), pending: Expr[] = [];
  const push = (id: number, es: readonly Expr[]): void => { values.set(id, [...(values.get(id) ?? []), ...es]); };
  visitStmt(body, (s) => {
    if (s.kind === 'let') push(s.v.id, [s.value]);
    else if ((s.kind === 'store' || s.kind === 'accum') && s.buf.space === 'reg') push(-s.buf.id, [s.value]);
    else pending.push(...exprsOf(s));
    if (s.kind === 'instr') for (const a of s.args) if (a.kind === 'place' && a.buf.space === 'reg') pending.push(load(a.buf, a.index));
  });
  const reach = (set: Set<number>, id: number, key: number): void => {
    if (set.has(id)) return;
    set.add(id);
    pending.push(...(values.get(key) ?? []));
  };
  for (let e = pending.pop(); e; e = pending.pop()) {
    visitExpr(e, (x) => {
      if (x.kind === 'var') reach(vars, x.id, x.id);
      if (x.kind === 'load' && x.buf.space === 'reg') reach(regs, x.buf.id, -x.buf.id);
    });
  }
  return { vars, regs };
}
