import { add, block, buffersOf, bytesOf, constant, exprKey, isConst, join, mapChildren, mapExpr, mapOwnExprs, newVar, pickLane, visitExpr } from '../ir/index.ts';
import type { Expr, KernelIR, Let, Load, Stmt, Store, Var } from '../ir/index.ts';
import { simplifyExpr } from './affine.ts';
import { laneOf } from './lane-of.ts';

/**
 * Takes vectors apart for machines whose lanes are threads. What is left of them are whole loads (`let v: f32x4 = x[…]`), of which lanes are taken one by
 * one, and whole stores of joined scalars: accesses of 2 to 16 bytes, each one instruction. Accumulations are stores by now (see fma).
 */
export function scalarize(k: KernelIR): KernelIR {
  const names = new Set([...k.params.map((p) => p.name), ...k.sizes, ...[...buffersOf(k.body).values()].map(({ buf }) => buf.name)]);
  return { ...k, body: visit(k.body, { lanes: new Map(), names }) };
}

/** Lanes of the vectors that have names, by variable; names in use. */
interface Scope { readonly lanes: Map<number, readonly Expr[]>; readonly names: Set<string> }

const WIDTHS: readonly number[] = [2, 4, 8, 16];

/** Is it one access of a machine that reads up to 16 bytes at once? */
function isWhole(e: Pick<Load, 'buf' | 'index' | 'as' | 'lanes'>): boolean {
  const { buf } = e;
  return e.lanes > 1 && !buf.strided && !buf.packed && (buf.space === 'param' || buf.space === 'pack' || buf.space === 'shared') && e.index.every((x) => x.lanes === 1)
    && WIDTHS.includes(e.lanes * bytesOf(e.as ?? buf.dtype));
}

const unused = (wish: string, names: Set<string>): string => {
  let name = wish;
  for (let n = 2; names.has(name); n++) name = `${wish}_${n}`;
  names.add(name);
  return name;
};

function visit(s: Stmt, sc: Scope): Stmt {
  switch (s.kind) {
    case 'let': return block(letLanes(s, sc));
    case 'store': return s.value.lanes === 1 && s.index.every((x) => x.lanes === 1) ? block(named(s, sc)) : block(storeLanes(s, sc));
    case 'while': return { ...mapChildren(s, (x) => visit(x, sc)), cond: scalar(s.cond, sc) } as Stmt; // its condition is computed again and again
    default: return block(named(mapChildren(s, (x) => visit(x, sc)), sc));
  }
}

/** The scalar e without vectors in it. */
const scalar = (e: Expr, sc: Scope): Expr => laneOf(e, 0, (v) => sc.lanes.get(v.id));

/** The whole loads in an expression get names in front; their lanes are known by the result. */
function bindLoads(e: Expr, out: Stmt[], sc: Scope, at: Pick<Stmt, 'loc' | 'step'>): Expr {
  const known = new Map<string, Var>();
  return mapExpr(e, (x) => {
    if (x.kind !== 'load' || !isWhole(x)) return x;
    const key = exprKey(x), v = known.get(key) ?? newVar(unused(`${x.buf.name.toLowerCase()}${x.lanes}`, sc.names), x.dtype, x.lanes, x.loc);
    if (!known.has(key)) {
      known.set(key, v);
      sc.lanes.set(v.id, Array.from({ length: x.lanes }, (_, i) => pickLane(v, i)));
      out.push({ kind: 'let', v, value: { ...x, index: x.index.map((i) => scalar(i, sc)) }, loc: x.loc ?? at.loc, step: at.step });
    }
    return v;
  });
}

/** A statement with scalars alone, after what it needs names for. */
function named(s: Stmt, sc: Scope): readonly Stmt[] {
  const out: Stmt[] = [], own = mapOwnExprs(s, (e) => scalar(bindLoads(e, out, sc, s), sc));
  return [...out, own];
}

function letLanes(s: Let, sc: Scope): readonly Stmt[] {
  if (s.v.lanes === 1) return named(s, sc);
  if (s.value.kind === 'load' && isWhole(s.value)) {
    sc.lanes.set(s.v.id, Array.from({ length: s.v.lanes }, (_, i) => pickLane(s.v, i)));
    return [mapOwnExprs(s, (e) => (e.kind === 'load' ? { ...e, index: e.index.map((i) => scalar(i, sc)) } : e))];
  }
  const out: Stmt[] = [], value = bindLoads(s.value, out, sc, s);
  sc.lanes.set(s.v.id, Array.from({ length: s.v.lanes }, (_, i) => bindLane(s.v.name, i, laneOf(value, i, (v) => sc.lanes.get(v.id)), out, sc, s)));
  return out;
}

/** A name for one lane, unless it has one. */
function bindLane(stem: string, i: number, e: Expr, out: Stmt[], sc: Scope, at: Pick<Stmt, 'loc' | 'step'>): Expr {
  if (e.kind === 'const' || e.kind === 'var' || e.kind === 'size' || e.kind === 'scalar' || (e.kind === 'shuffle' && e.a.kind === 'var')) return e;
  const v = newVar(unused(`${stem}_${i}`, sc.names), e.dtype, 1, e.loc);
  out.push({ kind: 'let', v, value: e, loc: at.loc, step: at.step });
  return v;
}

function storeLanes(s: Store, sc: Scope): readonly Stmt[] {
  const { buf } = s, lanes = Math.max(s.value.lanes, ...s.index.map((x) => x.lanes)), out: Stmt[] = [], known = (v: Var): readonly Expr[] | undefined => sc.lanes.get(v.id);
  const value = bindLoads(s.value, out, sc, s), index = s.index.map((x) => bindLoads(x, out, sc, s));
  const parts = Array.from({ length: lanes }, (_, i) => laneOf(value, i, known));
  const whole = { buf, index, as: undefined, lanes };
  if (isWhole(whole)) return [...out, { ...s, index: index.map((x) => scalar(x, sc)), value: join(parts, s.value.loc) }];
  const scatter = index.some((x) => x.lanes > 1), last = index.length - 1;
  const places = parts.map((_, i) => index.map((x, d) => (scatter ? laneOf(x, i, known) : d === last ? plus(scalar(x, sc), i * (buf.packed ? 2 : 1)) : scalar(x, sc))));
  // All lanes are read before one is written.
  const meets = parts.some((e, i) => readsElsewhere(e, s, places[i]!)) || places.some((p) => p.some((x) => readsElsewhere(x, s, [])));
  const values = meets ? parts.map((e, i) => bindLane(`${buf.name.toLowerCase()}_new`, i, e, out, sc, s)) : parts;
  const targets = meets ? places.map((p) => p.map((x, d) => (isConst(x) ? x : bindLane(`${buf.name.toLowerCase()}_at${d}`, 0, x, out, sc, s)))) : places;
  return [...out, ...values.map((x, i): Stmt => ({ ...s, index: targets[i]!, value: x }))];
}

/** Does e read the buffer of a store anywhere but at this place? */
function readsElsewhere(e: Expr, s: Store, at: readonly Expr[]): boolean {
  let found = false;
  const here = at.map(exprKey).join();
  visitExpr(e, (x) => { found ||= x.kind === 'load' && x.buf.id === s.buf.id && x.index.map(exprKey).join() !== here; });
  return found;
}

const plus = (e: Expr, n: number): Expr => simplifyExpr(add(e, constant(n)));
