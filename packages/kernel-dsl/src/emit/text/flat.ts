import type { Buffer, Expr } from '../../ir/index.ts';
import { add, constant, isConst, mul, sub } from '../../ir/index.ts';

/** The distance of neighbours along a dimension: from the launch for a param, from the shape for everything else. */
export function strideOf(buf: Buffer, dim: number): Expr {
  if (buf.space === 'param') return dim === buf.shape.length - 1 && !buf.strided ? constant(1) : { kind: 'stride', dtype: 'i64', lanes: 1, buf, dim };
  return buf.shape.slice(dim + 1).reduce((n: Expr, d) => mul(n, d), constant(1));
}

/** A sum of terms with constant factors; constants gather at the end. */
interface Sum { readonly terms: { x: Expr; times: number }[]; rest: number }

function collect(e: Expr, times: number, into: Sum): void {
  if (e.kind === 'const') into.rest += e.value * times;
  else if (e.kind === 'binary' && e.fn === 'add') { collect(e.a, times, into); collect(e.b, times, into); }
  else if (e.kind === 'binary' && e.fn === 'sub') { collect(e.a, times, into); collect(e.b, -times, into); }
  else if (e.kind === 'binary' && e.fn === 'mul' && e.b.kind === 'const') collect(e.a, times * e.b.value, into);
  else if (e.kind === 'binary' && e.fn === 'mul' && e.a.kind === 'const') collect(e.b, times * e.a.value, into);
  else {
    const same = into.terms.find((t) => t.x === e || (t.x.kind === 'var' && e.kind === 'var' && t.x.id === e.id));
    if (same) same.times += times; else into.terms.push({ x: e, times });
  }
}

function total(s: Sum): Expr {
  const live = s.terms.filter((t) => t.times !== 0);
  const first = live.findIndex((t) => t.times > 0);
  const ordered = first > 0 ? [live[first]!, ...live.filter((_, i) => i !== first)] : live;
  let e: Expr | undefined;
  for (const { x, times } of ordered) {
    if (!e) e = mul(x, constant(times));
    else e = times < 0 ? sub(e, mul(x, constant(-times))) : add(e, mul(x, constant(times)));
  }
  if (!e) return constant(s.rest);
  return s.rest < 0 ? sub(e, constant(-s.rest)) : add(e, constant(s.rest));
}

/** Offset of an element from the start of its buffer, in elements. `index` is scalar. */
export function flatIndex(buf: Buffer, index: readonly Expr[]): Expr {
  const sum: Sum = { terms: [], rest: 0 };
  index.forEach((e, dim) => {
    const stride = strideOf(buf, dim);
    if (stride.kind === 'const') collect(e, stride.value, sum);
    else if (!isConst(e, 0)) sum.terms.push({ x: mul(e, stride), times: 1 });
  });
  return total(sum);
}

/**
 * An offset in two parts: what varies, and constants times strides. Accesses that differ in the second part alone share a pointer to the first.
 */
export function splitIndex(buf: Buffer, index: readonly Expr[]): { base: Expr; rest: Expr } {
  const base: Sum = { terms: [], rest: 0 };
  let rest: Expr = constant(0);
  index.forEach((e, dim) => {
    const stride = strideOf(buf, dim), own: Sum = { terms: [], rest: 0 };
    collect(e, 1, own);
    rest = add(rest, mul(constant(own.rest), stride));
    own.rest = 0;
    const moving = total(own);
    if (stride.kind === 'const') collect(moving, stride.value, base);
    else if (!isConst(moving, 0)) base.terms.push({ x: mul(moving, stride), times: 1 });
  });
  return { base: total(base), rest };
}

/** Where lanes lie: the index of the first one, and the distance to the next in elements. Undefined when the distance varies. */
export function rampOf(buf: Buffer, index: readonly Expr[]): { first: readonly Expr[]; step: Expr } | undefined {
  const first: Expr[] = [];
  let step: Expr = constant(0);
  for (const [dim, e] of index.entries()) {
    if (e.lanes === 1) first.push(e);
    else if (e.kind === 'broadcast') first.push(e.x);
    else if (e.kind === 'ramp') { first.push(e.base); step = add(step, mul(e.stride, strideOf(buf, dim))); } else return undefined;
  }
  return { first, step };
}
