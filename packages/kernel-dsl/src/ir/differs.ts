import type { Expr, Var } from './expr.ts';
import type { For, Stmt } from './stmt.ts';
import { usesVar, visitExprs, visitStmt } from './walk.ts';

/** The variables of loops, and the names inside of the innermost that are made of them. */
function madeOf(loop: For, body: Stmt): readonly Var[] {
  const vars = [loop.v];
  visitStmt(body, (s) => { if (s.kind === 'let' && vars.some((v) => usesVar(s.value, v))) vars.push(s.v); });
  return vars;
}

/** Does a value inside of a loop depend on the loop's iteration, as far as names and loop variables tell? */
export const dependsOn = (e: Expr, loop: For): boolean => madeOf(loop, loop.body).some((v) => usesVar(e, v));

/** Does what a statement inside of a loop computes or touches depend on the loop's iteration, as far as names and loop variables tell? */
export function differs(s: Stmt, loop: For): boolean {
  const vars = madeOf(loop, loop.body);
  let found = false;
  visitExprs(s, (e) => { found ||= e.kind === 'var' && vars.some((v) => v.id === e.id); });
  return found;
}
