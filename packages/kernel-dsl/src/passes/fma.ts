import { binary, dot4, fma as fused, isConst, isFloat, load, mapExprs, mapStmt, unary } from '../ir/index.ts';
import type { Binary, Expr, KernelIR, Stmt } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';

/**
 * Makes multiply-add explicit. Every Accum becomes a Store of (what is there) op (value). Where the target has it, a product that is added or
 * subtracted becomes an Fma, so that IR and machine round alike; `acc + dot4(0, a, b)` becomes `dot4(acc, a, b)`, which is exact.
 */
export function fma(k: KernelIR, target: Target): KernelIR {
  const body = mapStmt(k.body, stored)!;
  return { ...k, body: mapExprs(body, (e) => (e.kind === 'binary' ? fuse(e, target) : e)) };
}

function stored(s: Stmt): Stmt {
  if (s.kind !== 'accum') return s;
  const { fn, ...rest } = s, old = load(s.buf, s.index, { lanes: s.value.lanes, loc: s.loc });
  return { ...rest, kind: 'store', value: binary(fn, old, s.value, s.loc) };
}

const isZero = (e: Expr): boolean => isConst(e, 0) || (e.kind === 'broadcast' && isZero(e.x));
const isProduct = (e: Expr): e is Binary => e.kind === 'binary' && e.fn === 'mul';
const negated = (e: Expr): Expr => (e.kind === 'unary' && e.fn === 'neg' ? e.x : unary('neg', e, e.loc));

function fuse(e: Binary, target: Target): Expr {
  const { a, b, loc } = e;
  if (e.fn === 'add' && e.dtype === 'i32') {
    if (b.kind === 'dot4' && isZero(b.acc)) return dot4(a, b.a, b.b, loc);
    if (a.kind === 'dot4' && isZero(a.acc)) return dot4(b, a.a, a.b, loc);
  }
  if (!target.fma || !isFloat(e.dtype)) return e;
  if (e.fn === 'add') return isProduct(b) ? fused(b.a, b.b, a, loc) : isProduct(a) ? fused(a.a, a.b, b, loc) : e;
  if (e.fn === 'sub') return isProduct(b) ? fused(negated(b.a), b.b, a, loc) : isProduct(a) ? fused(a.a, a.b, negated(b), loc) : e;
  return e;
}
