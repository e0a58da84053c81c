import { above, conditionCases, formOf, formTerm, meets, newSpace, rangeOfForm, scope, scopeOf, varTerm } from '../affine/index.ts';
import type { Scope, Space } from '../affine/index.ts';
import { visitStmt } from '../ir/index.ts';
import type { Expr, Stmt, Var } from '../ir/index.ts';

/** What is known at a place of the program: the ranges of the loops around it, the conditions that hold there, what the kernel assumes. */
export interface Known {
  /** Does a condition hold there? false: it does not, or that is not found out. */
  readonly holds: (cond: Expr) => boolean;
  /** The same, where a condition holds too, or a variable runs from 0 to an extent. */
  readonly and: (cond: Expr) => Known;
  readonly within: (v: Var, extent: Expr) => Known;
}

const bounds = (e: Expr): readonly Expr[] => (e.kind === 'binary' && e.fn === 'min' ? [...bounds(e.a), ...bounds(e.b)] : [e]);

function at(space: Space, here: Scope): Known {
  return {
    holds: (cond) => {
      const cases = conditionCases(space, cond, true);
      return cases.some((c) => c.every((x) => meets(space, x, here, { effort: 12, far: false })));
    },
    and: (cond) => at(space, scopeOf(here, conditionCases(space, cond, true))),
    within: (v, extent) => {
      const t = varTerm(space, v), limits = bounds(extent).map((e) => formOf(space, e));
      t.lo = 0;
      t.hi = Math.min(t.hi, ...limits.map((f) => rangeOfForm(space, f).hi - 1));
      return at(space, scope(here, limits.map((f) => above(f, formTerm(t.id)))));
    },
  };
}

/** What is known inside of the statements of a path, outermost first; `body` is the whole program. */
export function knownIn(body: Stmt, path: readonly Stmt[]): Known {
  const space = newSpace(() => false);
  visitStmt(body, (s) => { if (s.kind === 'let') space.lets.set(s.v.id, s.value); });
  let k = at(space, scope(undefined, []));
  const top = body.kind === 'block' ? body.body : [body];
  for (const s of top) if (s.kind === 'assume') k = k.and(s.cond);
  path.forEach((s, i) => {
    if (s.kind === 'for') k = k.within(s.v, s.extent);
    if (s.kind === 'if' && path[i + 1] === s.then) k = k.and(s.cond);
  });
  return k;
}
