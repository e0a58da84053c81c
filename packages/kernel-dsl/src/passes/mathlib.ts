import { block, exprKey, mapExpr, mapOwnExprs, mapStmt, newVar } from '../ir/index.ts';
import type { Expr, KernelIR, Stmt, Unary } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { FORMULAS, parts } from './math/index.ts';

/**
 * Replaces exp, exp2, log, tanh and erf of f32, scalar or vector, by arithmetic (see math/). The intermediate values are bound by Lets in front of
 * the statement that asked. Results are within the ulps that each formula states; they depend on whether the target fuses multiply and add.
 */
export const mathlib = (k: KernelIR, target: Target): KernelIR => ({ ...k, body: mapStmt(k.body, (s) => expand(s, target.fma))! });

function expand(s: Stmt, fused: boolean): Stmt {
  const before: Stmt[] = [], known = new Map<string, Expr>();
  const call = (e: Unary): Expr => {
    const formula = e.dtype === 'f32' ? FORMULAS[e.fn] : undefined;
    if (!formula) return e;
    const key = exprKey(e), same = known.get(key);
    if (same) return same;
    const name = (stem: string, value: Expr): Expr => {
      if (value.kind === 'const' || value.kind === 'var') return value;
      const v = newVar(stem, value.dtype, value.lanes, e.loc);
      before.push({ kind: 'let', v, value, loc: e.loc ?? s.loc, step: s.step });
      return v;
    };
    const y = name(`${e.fn}_v`, formula(name(`${e.fn}_x`, e.x), parts(fused, name)));
    known.set(key, y);
    return y;
  };
  const own = mapOwnExprs(s, (e) => mapExpr(e, (x) => (x.kind === 'unary' ? call(x) : x)));
  return before.length > 0 ? block([...before, own]) : s;
}
