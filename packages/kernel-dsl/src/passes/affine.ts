import { add, binary, broadcast, constant, exprKey, isConst, mapOperands, mul, sub, unary } from '../ir/index.ts';
import type { Cmp, Expr, Ramp } from '../ir/index.ts';
import { addRange, rangeOf, scaleRange } from './range.ts';
import type { Range } from './range.ts';

/** What is known about the variables of an expression. */
export interface Facts {
  /** Bounds of a variable. */
  range(id: number): Range | undefined;
  /** Expressions that the variable is always below (the extent of its loop). */
  below(id: number): readonly Expr[];
  /** The expression that a variable stands for, if it is to be replaced. */
  value(id: number): Expr | undefined;
  /** Conditions known to hold here, by `exprKey`. */
  holds(key: string): boolean;
}
const NOTHING: Facts = { range: () => undefined, below: () => [], value: () => undefined, holds: () => false };

/** c + sum of coef * atom; atoms are whatever index arithmetic cannot take apart. */
interface Linear { readonly terms: ReadonlyMap<string, { readonly atom: Expr; readonly coef: number }>; readonly c: number }

const linearConst = (c: number): Linear => ({ terms: new Map(), c });
const single = (atom: Expr): Linear => ({ terms: new Map([[exprKey(atom), { atom, coef: 1 }]]), c: 0 });

/** a + k * b */
function combine(a: Linear, b: Linear, k: number): Linear {
  const terms = new Map(a.terms);
  for (const [key, { atom, coef }] of b.terms) {
    const sum = (terms.get(key)?.coef ?? 0) + k * coef;
    if (sum === 0) terms.delete(key);
    else terms.set(key, { atom, coef: sum });
  }
  return { terms, c: a.c + k * b.c };
}
const scale = (a: Linear, k: number): Linear => (k === 0 ? linearConst(0) : combine(linearConst(0), a, k));

/** The terms as the author would write them: a positive one first, the constant last. */
function rebuild(l: Linear): Expr {
  const all = [...l.terms.values()], first = all.findIndex((t) => t.coef > 0);
  const ordered = first > 0 ? [all[first]!, ...all.slice(0, first), ...all.slice(first + 1)] : all;
  let e: Expr | undefined = first < 0 && l.c > 0 ? constant(l.c) : undefined;
  const c = e ? 0 : l.c;
  for (const { atom, coef } of ordered) {
    if (e) e = coef < 0 ? sub(e, mul(atom, constant(-coef))) : add(e, mul(atom, constant(coef)));
    else e = mul(atom, constant(coef));
  }
  if (!e) return constant(c);
  return c < 0 ? sub(e, constant(-c)) : add(e, constant(c));
}

function linearRange(l: Linear, facts: Facts): Range {
  let r: Range = { lo: l.c, hi: l.c };
  for (const { atom, coef } of l.terms.values()) r = addRange(r, scaleRange(rangeOf(atom, (id) => facts.range(id)), coef));
  return r;
}

/** Is l < 0 (or, with limit 1, l <= 0) whatever the variables are? Loop variables are also bounded by their extents, which may cancel sizes. */
function isBelow(l: Linear, limit: number, facts: Facts, depth = 3): boolean {
  if (linearRange(l, facts).hi < limit) return true;
  if (depth === 0) return false;
  for (const { atom, coef } of l.terms.values()) {
    if (atom.kind !== 'var' || coef < 0) continue;
    for (const bound of facts.below(atom.id)) {
      const top = combine(linear(bound, facts), linearConst(1), -1);
      if (isBelow(combine(combine(l, single(atom), -coef), top, coef), limit, facts, depth - 1)) return true;
    }
  }
  return false;
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** floor(a / n) and a mod n for a constant n > 0: multiples of n leave the division, what is left may be known. */
function divMod(fn: 'div' | 'mod', a: Linear, n: number, facts: Facts): Linear {
  let whole = linearConst(0), rest = linearConst(a.c);
  for (const { atom, coef } of a.terms.values()) {
    if (coef % n === 0) whole = combine(whole, single(atom), coef / n);
    else rest = combine(rest, single(atom), coef);
  }
  const { lo, hi } = linearRange(rest, facts), m = Math.floor(lo / n);
  if (m === Math.floor(hi / n)) return fn === 'div' ? combine(whole, linearConst(m), 1) : combine(rest, linearConst(m * n), -1);
  const k = Math.floor(rest.c / n);
  const left = combine(rest, linearConst(k * n), -1);
  if (fn === 'mod') return single(binary('mod', rebuild(left), constant(n)));
  const g = [...left.terms.values()].reduce((x, t) => gcd(x, t.coef), n);
  let num: Linear = { terms: scale({ terms: left.terms, c: 0 }, 1 / g).terms, c: Math.floor(left.c / g) }, den = n / g;
  const only = [...num.terms.values()][0];
  if (num.terms.size === 1 && num.c === 0 && only!.coef === 1 && only!.atom.kind === 'binary' && only!.atom.fn === 'div' && isConst(only!.atom.b) && only!.atom.b.value > 0) {
    den *= only!.atom.b.value;
    num = linear(only!.atom.a, facts);
  }
  return combine(combine(whole, linearConst(k), 1), den === 1 ? num : single(binary('div', rebuild(num), constant(den))), 1);
}

/** Index arithmetic (i64, scalar) as a sum of terms. */
function linear(e: Expr, facts: Facts): Linear {
  if (e.kind === 'const') return linearConst(e.value);
  if (e.kind === 'var') { const v = facts.value(e.id); return v ? linear(v, facts) : single(e); }
  if (e.kind !== 'binary') return single(mapOperands(e, (x) => simplifyExpr(x, facts)));
  const a = linear(e.a, facts), b = linear(e.b, facts);
  switch (e.fn) {
    case 'add': return combine(a, b, 1);
    case 'sub': return combine(a, b, -1);
    case 'mul': {
      if (b.terms.size === 0) return scale(a, b.c);
      if (a.terms.size === 0) return scale(b, a.c);
      break;
    }
    case 'div': case 'mod': {
      if (b.terms.size === 0 && b.c > 0) return divMod(e.fn, a, b.c, facts);
      break;
    }
    case 'min': case 'max': {
      const d = combine(a, b, -1);
      if (isBelow(d, 1, facts)) return e.fn === 'min' ? a : b;
      if (isBelow(scale(d, -1), 1, facts)) return e.fn === 'min' ? b : a;
      break;
    }
    default: break;
  }
  const folded = binary(e.fn, rebuild(a), rebuild(b), e.loc);
  return folded.kind === 'const' ? linearConst(folded.value) : single(folded);
}

/** A comparison of index arithmetic that always has one outcome. */
function decide(e: Cmp, facts: Facts): boolean | undefined {
  const d = combine(linear(e.a, facts), linear(e.b, facts), -1), minus = scale(d, -1);
  switch (e.fn) {
    case 'lt': return isBelow(d, 0, facts) ? true : isBelow(minus, 1, facts) ? false : undefined;
    case 'le': return isBelow(d, 1, facts) ? true : isBelow(minus, 0, facts) ? false : undefined;
    case 'gt': return isBelow(minus, 0, facts) ? true : isBelow(d, 1, facts) ? false : undefined;
    case 'ge': return isBelow(minus, 1, facts) ? true : isBelow(d, 0, facts) ? false : undefined;
    case 'eq': case 'ne': {
      const equal = d.terms.size === 0 ? d.c === 0 : isBelow(d, 0, facts) || isBelow(minus, 0, facts) ? false : undefined;
      return equal === undefined ? undefined : equal === (e.fn === 'eq');
    }
  }
}

/** Sums of a ramp and a value that is the same in every lane are ramps again. */
function rampSum(e: Expr): Expr {
  if (e.kind !== 'binary' || e.dtype !== 'i64' || e.lanes === 1) return e;
  const { a, b } = e;
  if (e.fn === 'add' && a.kind === 'ramp' && b.kind === 'broadcast') return { ...a, base: add(a.base, b.x) } satisfies Ramp;
  if (e.fn === 'add' && b.kind === 'ramp' && a.kind === 'broadcast') return { ...b, base: add(a.x, b.base) } satisfies Ramp;
  if (e.fn === 'sub' && a.kind === 'ramp' && b.kind === 'broadcast') return { ...a, base: sub(a.base, b.x) } satisfies Ramp;
  if (e.fn === 'mul' && a.kind === 'ramp' && b.kind === 'broadcast') return { ...a, base: mul(a.base, b.x), stride: mul(a.stride, b.x) } satisfies Ramp;
  return e;
}

/**
 * The same value, simpler: index arithmetic as a sum of collected terms, divisions and minima that are known, comparisons that are decided,
 * work that is the same in every lane done once. Floating-point operations keep their order and number.
 */
export function simplifyExpr(e: Expr, facts: Facts = NOTHING): Expr {
  if (e.dtype === 'i64' && e.lanes === 1) return rebuild(linear(e, facts));
  if (e.kind === 'var') return facts.value(e.id) ?? e;
  const x = mapOperands(e, (y) => simplifyExpr(y, facts));
  if (x.lanes !== e.lanes) return broadcast(x, e.lanes);
  switch (x.kind) {
    case 'cmp': {
      if (x.lanes > 1 || x.a.dtype !== 'i64') return x;
      const known = facts.holds(exprKey(x)) ? true : decide(x, facts);
      return known === undefined ? x : constant(known ? 1 : 0, 'bool', x.loc);
    }
    case 'binary': {
      if (x.dtype === 'bool') return simplifyBool(x);
      if (x.a.kind === 'broadcast' && x.b.kind === 'broadcast') return broadcast(binary(x.fn, x.a.x, x.b.x, x.loc), x.lanes);
      return rampSum(x);
    }
    case 'unary': {
      if (x.fn === 'not' && isConst(x.x) && x.dtype === 'bool') return constant(x.x.value ? 0 : 1, 'bool', x.loc);
      if (x.fn === 'neg' && x.x.kind === 'unary' && x.x.fn === 'neg') return x.x.x;
      return x.x.kind === 'broadcast' ? broadcast(unary(x.fn, x.x.x, x.loc), x.lanes) : x;
    }
    default: return x;
  }
}

function simplifyBool(x: Expr & { kind: 'binary' }): Expr {
  const { a, b } = x;
  if (x.fn === 'and') return isConst(a) ? (a.value ? b : a) : isConst(b) ? (b.value ? a : b) : x;
  if (x.fn === 'or') return isConst(a) ? (a.value ? a : b) : isConst(b) ? (b.value ? b : a) : x;
  return x;
}
