import { addConst, combineForms, formOf, newSpace, proves, scope } from '../affine/index.ts';
import type { Form } from '../affine/index.ts';
import { affine, constant, mul, operands, sub } from '../ir/index.ts';
import type { Expr, For } from '../ir/index.ts';

/** A use of memory: its index, and the loops around it that the other use does not share. */
export interface Ranging { readonly index: readonly Expr[]; readonly loops: readonly For[] }

/**
 * Does one of two uses lie wholly below the other in some dimension, whatever the iterations of their own loops? The rest of a loop begins where its whole rounds
 * end. Everything that is no loop of theirs has one value in both, which `fixed` says of an expression.
 */
export function liesBelow(a: Ranging, b: Ranging, fixed: (e: Expr) => boolean): boolean {
  const space = newSpace(() => false), nothing = scope(undefined, []);
  const end = (x: Ranging, d: number, greatest: boolean): Form | undefined => {
    const ids = new Set(x.loops.map((l) => l.v.id)), f = affine(x.index[d]!, ids), free = (e: Expr): boolean => fixed(e) && !mentions(e, ids);
    if (!f || !free(f.rest)) return undefined;
    let sum = addConst(formOf(space, f.rest), f.offset);
    for (const { v, coef } of f.terms.values()) {
      if (coef > 0 !== greatest) continue; // its first iteration, which is 0
      const { extent } = x.loops.find((l) => l.v.id === v.id)!;
      if (!free(extent)) return undefined;
      sum = combineForms(sum, formOf(space, mul(sub(extent, constant(1)), constant(coef))), 1);
    }
    return sum;
  };
  const below = (x: Ranging, y: Ranging, d: number): boolean => {
    const top = end(x, d, true), bottom = end(y, d, false);
    if (!top || !bottom) return false;
    return proves(space, addConst(combineForms(bottom, top, -1), -1), nothing, { effort: 8 });
  };
  return a.index.some((_, d) => below(a, b, d) || below(b, a, d));
}

const mentions = (e: Expr, ids: ReadonlySet<number>): boolean => (e.kind === 'var' ? ids.has(e.id) : operands(e).some((x) => mentions(x, ids)));
