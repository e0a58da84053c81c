import { affine, isConst, operands } from '../ir/index.ts';
import type { Expr } from '../ir/index.ts';

/** Is every value of a sum of variables a multiple of n? */
export function multiple(e: Expr, n: number): boolean {
  const ids = new Set<number>(), see = (x: Expr): void => { if (x.kind === 'var') ids.add(x.id); else operands(x).forEach(see); };
  see(e);
  const a = affine(e, ids);
  return a !== undefined && isConst(a.rest, 0) && a.offset % n === 0 && [...a.terms.values()].every((t) => t.coef % n === 0);
}
