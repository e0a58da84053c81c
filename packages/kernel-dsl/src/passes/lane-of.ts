import { add, binary, bitcast, bytesOf, cast, constant, load, mapOperands, mul } from '../ir/index.ts';
import type { Bitcast, DType, Expr, Load, Reduce, Var } from '../ir/index.ts';
import { simplifyExpr } from './affine.ts';

/** The lanes that a vector variable has been taken apart into. */
export type Known = (v: Var) => readonly Expr[] | undefined;

/** Lane i of e as a scalar expression without vectors in it; of a scalar, that itself. */
export function laneOf(e: Expr, i: number, known: Known): Expr {
  const lane = (x: Expr, n = i): Expr => laneOf(x, n, known);
  switch (e.kind) {
    case 'reduce': return halved(e, known);
    case 'shuffle': { const from = e.pick[i]!; return from < e.a.lanes ? lane(e.a, from) : lane(e.b, from - e.a.lanes); }
    case 'bitcast': return e.x.lanes === e.lanes ? bitcast(lane(e.x), e.dtype, e.loc) : otherLanes(e, i, known);
    case 'join': return lane(e.parts[i]!, 0);
    case 'broadcast': return lane(e.x, 0);
    case 'ramp': return simplifyExpr(add(lane(e.base, 0), mul(lane(e.stride, 0), constant(i, e.dtype))));
    case 'var': return e.lanes === 1 ? e : known(e)?.[i] ?? { kind: 'shuffle', dtype: e.dtype, lanes: 1, a: e, b: e, pick: [i], loc: e.loc };
    case 'const': return e.lanes === 1 ? e : constant(e.value, e.dtype, e.loc);
    case 'load': return e.lanes === 1 ? mapOperands(e, (x) => lane(x, 0)) : element(e, i, known);
    default: { const x = mapOperands(e, (y) => lane(y)); return x.lanes === 1 ? x : { ...x, lanes: 1 }; }
  }
}

function element(e: Load, i: number, known: Known): Expr {
  const gather = e.index.some((x) => x.lanes > 1), step = e.as ? bytesOf(e.as) : 1;
  const index = e.index.map((x, d) => (gather ? laneOf(x, i, known) : d === e.index.length - 1 ? simplifyExpr(add(laneOf(x, 0, known), constant(i * step))) : laneOf(x, 0, known)));
  return load(e.buf, index, { ...(e.as && { as: e.as }), loc: e.loc });
}

/** All lanes combined by halving, as Reduce defines it; of bools, min and max are `and` and `or`. */
function halved(e: Reduce, known: Known): Expr {
  const fn = e.dtype !== 'bool' ? e.fn : e.fn === 'min' ? 'and' : 'or';
  let lanes = Array.from({ length: e.x.lanes }, (_, i) => laneOf(e.x, i, known));
  while (lanes.length > 1) {
    const h = lanes.length / 2;
    lanes = lanes.slice(0, h).map((x, i) => binary(fn, x, lanes[i + h]!, e.loc));
  }
  return lanes[0]!;
}

const unsignedOf = (t: DType): DType => (bytesOf(t) === 8 ? 'i64' : `u${bytesOf(t) * 8}` as DType);

/** A lane of a reinterpretation in which lanes change their size: bytes that lie in memory are read as what they become, others are shifted. */
function otherLanes(e: Bitcast, i: number, known: Known): Expr {
  const { x } = e, from = bytesOf(x.dtype), to = bytesOf(e.dtype);
  if (x.kind === 'load' && x.buf.dtype === 'u8' && !x.buf.packed && !x.buf.strided && x.buf.space !== 'reg' && x.index.every((y) => y.lanes === 1)) {
    const index = x.index.map((y, d) => (d === x.index.length - 1 ? simplifyExpr(add(laneOf(y, 0, known), constant(i * to))) : laneOf(y, 0, known)));
    return load(x.buf, index, { as: e.dtype, loc: e.loc });
  }
  const word = to === 8 || from === 8 ? 'i64' : 'u32', bits = (y: Expr): Expr => bitcast(y, unsignedOf(y.dtype), e.loc);
  const widened = (y: Expr): Expr => cast(bits(y), word, e.loc);
  if (to > from) {
    const n = to / from, parts = Array.from({ length: n }, (_, k) => binary('shl', widened(laneOf(x, i * n + k, known)), constant(8 * from * k, word)));
    return bitcast(cast(parts.reduce((a, b) => binary('or', a, b)), unsignedOf(e.dtype)), e.dtype, e.loc);
  }
  const n = from / to, part = binary('shr', widened(laneOf(x, Math.floor(i / n), known)), constant(8 * to * (i % n), word));
  return bitcast(cast(part, unsignedOf(e.dtype), e.loc), e.dtype, e.loc);
}
