import { DslError } from '../errors/index.ts';
import { block, constant, isConst, mapChildren, printExpr } from '../ir/index.ts';
import type { Expr, For, KernelIR, Stmt } from '../ir/index.ts';
import { freshCopy } from './fresh.ts';
import { simplifyExpr } from './affine.ts';

/**
 * Replaces every `unroll` loop by copies of its body, the loop variable a constant in each. Outer loops go first, so that the extent of an
 * inner one may depend on them. Names bound inside are new in every copy: `t` becomes t_0, t_1, …
 * @throws DslError KD-L-UNROLL where an extent is not a constant.
 */
export const unroll = (k: KernelIR): KernelIR => ({ ...k, body: expand(k.body) });

function expand(s: Stmt): Stmt {
  return s.kind === 'for' && s.loop === 'unroll' ? block(copies(s), { loc: s.loc, step: s.step }) : mapChildren(s, expand);
}

function copies(s: For): Stmt[] {
  const extent = simplifyExpr(s.extent);
  if (!isConst(extent)) throw new DslError('KD-L-UNROLL', { axis: s.v.name, extent: printExpr(extent) }, s);
  return Array.from({ length: extent.value }, (_, i) => {
    const at = new Map<number, Expr>([[s.v.id, constant(i)]]);
    return expand(freshCopy(s.body, extent.value > 1 ? `_${i}` : '', at));
  });
}
