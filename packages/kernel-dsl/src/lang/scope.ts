import { DslError } from '../errors/index.ts';
import { boundBy, childrenOf, exprsOf, operands, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, Loc, Param, Stmt } from '../ir/index.ts';

/**
 * Every name is used where it exists: loop variables inside of their loops, named values and working memory after they are made, in the block that
 * makes them. Tracing runs JavaScript, whose variables live longer.
 * @throws DslError KD-SCOPE, KD-FOREIGN
 */
export function checkScopes(body: Stmt, params: readonly Param[]): void {
  const own = new Set<number>(), visible = new Set<number>();
  for (const p of params) if (p.kind === 'tensor') visible.add(p.buf.id);
  visitStmt(body, (s) => {
    const v = boundBy(s);
    if (v) own.add(v.id);
    if (s.kind === 'alloc') own.add(s.buf.id);
  });
  const need = (x: { readonly id: number; readonly name: string }, loc: Loc | undefined): void => {
    if (!visible.has(x.id)) throw new DslError(own.has(x.id) ? 'KD-SCOPE' : 'KD-FOREIGN', { name: x.name }, { loc });
  };
  const seen = new Set<Expr>();
  const look = (e: Expr, outer: Loc | undefined): void => {
    const loc = e.kind === 'load' ? e.loc ?? outer : outer;
    if (e.kind === 'load') need(e.buf, loc);
    if (e.kind === 'var') need(e, loc);
    if (seen.has(e)) return; // looked at in this statement
    seen.add(e);
    for (const x of operands(e)) look(x, loc);
  };
  const walk = (s: Stmt): void => {
    seen.clear();
    for (const e of exprsOf(s)) if (s.kind !== 'while') look(e, s.loc);
    if (s.kind === 'store' || s.kind === 'accum' || s.kind === 'atomic') need(s.buf as Buffer, s.loc);
    if (s.kind === 'alloc') visible.add(s.buf.id);
    if (s.kind === 'let') visible.add(s.v.id);
    if (s.kind === 'atomic' && s.old) visible.add(s.old.id);
    if (s.kind === 'block' || s.kind === 'region') { childrenOf(s).forEach(walk); return; }
    for (const c of childrenOf(s)) {
      const before = new Set(visible);
      if (s.kind === 'for' || s.kind === 'while') visible.add(s.v.id);
      walk(c);
      for (const id of visible) if (!before.has(id)) visible.delete(id);
    }
  };
  walk(body);
}
