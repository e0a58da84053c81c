import { add, constant, mul } from './build.ts';
import type { Expr, Var } from './expr.ts';
import { operands } from './walk.ts';

/** An index as a sum: constant multiples of loop variables, a rest without any of them, and a constant offset. */
export interface Affine {
  readonly terms: ReadonlyMap<number, { readonly v: Var; readonly coef: number }>;
  readonly rest: Expr;
  readonly offset: number;
}

const mentionsVar = (e: Expr, vars: ReadonlySet<number>): boolean => (e.kind === 'var' ? vars.has(e.id) : operands(e).some((x) => mentionsVar(x, vars)));

/** Decomposes an i64 expression over the given variables; undefined where it is not affine in them. */
export function affine(e: Expr, vars: ReadonlySet<number>): Affine | undefined {
  const terms = new Map<number, { v: Var; coef: number }>();
  let rest: Expr = constant(0), offset = 0;
  const go = (x: Expr, k: number): boolean => {
    if (x.kind === 'var' && vars.has(x.id)) {
      const coef = (terms.get(x.id)?.coef ?? 0) + k;
      if (coef === 0) terms.delete(x.id);
      else terms.set(x.id, { v: x, coef });
      return true;
    }
    if (x.kind === 'const') {
      offset += x.value * k;
      return true;
    }
    if (!mentionsVar(x, vars) && !(x.kind === 'binary' && (x.fn === 'add' || x.fn === 'sub'))) {
      rest = add(rest, mul(x, constant(k)));
      return true;
    }
    if (x.kind !== 'binary') return false;
    if (x.fn === 'add') return go(x.a, k) && go(x.b, k);
    if (x.fn === 'sub') return go(x.a, k) && go(x.b, -k);
    if (x.fn === 'mul' && x.b.kind === 'const') return go(x.a, k * x.b.value);
    if (x.fn === 'mul' && x.a.kind === 'const') return go(x.b, k * x.a.value);
    return false;
  };
  return go(e, 1) ? { terms, rest, offset } : undefined;
}

/** A constant that an extent never exceeds, or undefined. Extents are made of constants, sizes, min, differences and ceiling divisions. */
export function upperBound(e: Expr): number | undefined {
  if (e.kind === 'const') return e.value;
  if (e.kind !== 'binary') return undefined;
  const a = upperBound(e.a), b = upperBound(e.b);
  switch (e.fn) {
    case 'min': return a === undefined ? b : b === undefined ? a : Math.min(a, b);
    case 'add': return a === undefined || b === undefined ? undefined : a + b;
    case 'div': return a === undefined || e.b.kind !== 'const' || e.b.value <= 0 ? undefined : Math.floor(a / e.b.value);
    default: return undefined;
  }
}
