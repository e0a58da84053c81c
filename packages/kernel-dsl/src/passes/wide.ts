import { add, binary, broadcast, bytesOf, constant, mapChildren, mapExpr, mapOperands, mapOwnExprs, mul, newVar, operands, shuffle } from '../ir/index.ts';
import type { Expr, Reduce, Stmt, Var } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { chunks, nativeLanes, widestValue } from './lanes.ts';
import type { Chunk } from './lanes.ts';

/** What is known while vectors are cut: how registers are cut already, and the pieces of names that were too wide. */
interface Scope {
  readonly target: Target;
  readonly registers: ReadonlyMap<number, number>;
  readonly pieces: Map<number, readonly (Chunk & { readonly v: Var })[]>;
}

/**
 * Cuts values that are wider than a vector register: statements into one a register, reductions into steps between registers
 * (the halving of Reduce, taken literally) and one reduction of the last register.
 * `registers`: lanes of the vectors that a register buffer is already used in, by buffer id.
 */
export const narrow = (s: Stmt, target: Target, registers: ReadonlyMap<number, number>): Stmt =>
  cut(s, { target, registers, pieces: new Map() });

function cut(s: Stmt, sc: Scope): Stmt {
  const x = mapOwnExprs(mapChildren(s, (c) => cut(c, sc)), (e) => cutReductions(e, sc));
  if ((x.kind !== 'store' && x.kind !== 'accum' && x.kind !== 'let') || x.value.lanes === 1) return x;
  const own = x.kind === 'let' ? undefined : sc.registers.get(x.buf.id);
  const bytes = x.kind === 'let' ? widestValue(x.value) : Math.max(bytesOf(x.buf.dtype), widestValue(x.value));
  const most = Math.min(limit(x.value, bytes, sc), own ?? Infinity);
  if (x.value.lanes <= most) return x;
  const parts = chunks(x.value.lanes, most);
  if (x.kind === 'let') {
    const named = parts.map((c, k) => ({ ...c, v: newVar(`${x.v.name}_${k}`, x.v.dtype, c.lanes, x.v.loc) }));
    sc.pieces.set(x.v.id, named);
    return { kind: 'block', body: named.map((c) => ({ ...x, v: c.v, value: slice(x.value, c, sc) })) };
  }
  const scatter = x.index.some((i) => i.lanes > 1);
  const at = (c: Chunk): readonly Expr[] => x.index.map((i, d) => (scatter ? slice(i, c, sc) : d === x.index.length - 1 ? add(i, constant(c.start * (x.buf.packed ? 2 : 1))) : i));
  return { kind: 'block', body: parts.map((c) => ({ ...x, index: at(c), value: slice(x.value, c, sc) })) };
}

/** The most lanes in which e can be computed. */
function limit(e: Expr, bytes: number, sc: Scope): number {
  let most = nativeLanes(sc.target, bytes);
  const visit = (x: Expr): void => {
    if (x.lanes === 1) return;
    if (x.kind === 'load') most = Math.min(most, sc.registers.get(x.buf.id) ?? most);
    if (x.kind === 'var') most = Math.min(most, ...(sc.pieces.get(x.id) ?? []).map((p) => p.lanes));
    operands(x).forEach(visit);
  };
  visit(e);
  return most;
}

const cutReductions = (e: Expr, sc: Scope): Expr => mapExpr(e, (x) => (x.kind === 'reduce' ? cutReduction(x, sc) : x));

function cutReduction(e: Reduce, sc: Scope): Expr {
  let parts = chunks(e.x.lanes, Math.min(e.x.lanes, limit(e.x, widestValue(e.x), sc))).map((c) => slice(e.x, c, sc));
  while (parts.length > 1) {
    const half = parts.length / 2;
    parts = parts.slice(0, half).map((x, i) => binary(e.fn, x, parts[i + half]!, e.loc));
  }
  return { ...e, x: parts[0]! };
}

/** The lanes of a chunk, out of a vector. */
function slice(e: Expr, c: Chunk, sc: Scope): Expr {
  if (e.lanes === 1 || (c.start === 0 && c.lanes === e.lanes)) return e;
  switch (e.kind) {
    case 'var': {
      const piece = sc.pieces.get(e.id)?.find((p) => p.start === c.start && p.lanes === c.lanes);
      if (!piece) throw new Error(`${e.name}: lanes ${c.start} to ${c.start + c.lanes - 1} are not a vector of their own`);
      return piece.v;
    }
    case 'load': {
      if (e.index.some((i) => i.lanes > 1)) return { ...e, lanes: c.lanes, index: e.index.map((i) => slice(i, c, sc)) };
      const step = c.start * (e.as ? bytesOf(e.as) : 1);
      return { ...e, lanes: c.lanes, index: e.index.map((i, d) => (d === e.index.length - 1 ? add(i, constant(step)) : i)) };
    }
    case 'broadcast': return broadcast(e.x, c.lanes);
    case 'shuffle': return shuffle(e.a, e.b, e.pick.slice(c.start, c.start + c.lanes));
    case 'ramp': { const base = add(e.base, mul(e.stride, constant(c.start))); return c.lanes === 1 ? base : { ...e, lanes: c.lanes, base }; }
    default: return mapOperands(e, (x) => slice(x, c, sc));
  }
}
