import type { Expr } from '../../ir/index.ts';
import { add, binary, bitcast, cast, compare, constant, dot4, fma, load, mul, select, unary } from '../../ir/index.ts';

/**
 * One lane of a vector expression as a scalar expression, for accesses that no vector instruction serves.
 * `pick` names a lane of something held in a register: a vector variable or a vector read from a reg buffer.
 */
export function laneOf(e: Expr, i: number, pick: (held: Expr, i: number) => Expr): Expr {
  const l = (x: Expr): Expr => laneOf(x, i, pick);
  if (e.lanes === 1) return e;
  switch (e.kind) {
    case 'broadcast': return e.x;
    case 'ramp': return add(e.base, mul(e.stride, constant(i, e.dtype)));
    case 'var': return pick(e, i);
    case 'load':
      if (e.buf.space === 'reg') return pick(e, i);
      if (e.index.some((x) => x.lanes > 1)) return load(e.buf, e.index.map(l), { ...(e.as && { as: e.as }) });
      return load(e.buf, e.index.map((x, d) => (d === e.index.length - 1 ? add(x, constant(i)) : x)), { ...(e.as && { as: e.as }) });
    case 'shuffle': return e.pick[i]! < e.a.lanes ? laneOf(e.a, e.pick[i]!, pick) : laneOf(e.b, e.pick[i]! - e.a.lanes, pick);
    case 'cast': return cast(l(e.x), e.dtype);
    case 'bitcast': return bitcast(l(e.x), e.dtype);
    case 'unary': return unary(e.fn, l(e.x));
    case 'binary': return binary(e.fn, l(e.a), l(e.b));
    case 'cmp': return compare(e.fn, l(e.a), l(e.b));
    case 'fma': return fma(l(e.a), l(e.b), l(e.c));
    case 'select': return select(l(e.cond), l(e.a), l(e.b));
    case 'dot4': return dot4(l(e.acc), l(e.a), l(e.b));
    default: return { ...e, lanes: 1 };
  }
}
