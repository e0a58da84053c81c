import { affine, boundBy, exprKey, isConst, operands, upperBound, visitStmt } from '../ir/index.ts';
import type { Expr, For } from '../ir/index.ts';
import { liesBelow } from './below.ts';
import type { Ranging } from './below.ts';
import type { LaneAccess } from './lane-access.ts';
import type { LaneNest } from './lane-nest.ts';

/**
 * How the iterations of two uses relate: they agree in the loops around both but those from `carried` on, the first of which went on from the earlier
 * use to the later one, by exactly one iteration where `adjacent`.
 */
export interface Relation { readonly carried: For | undefined; readonly adjacent: boolean }

/** More places than this are not looked at one by one; of one pair of uses, no more than `MOST_LOOKS` in all cases together. */
const MOST_PLACES = 1 << 21, MOST_CASES = 4096, MOST_LOOKS = 1 << 20;

/**
 * Tells whether two lanes may touch one element, the one in an earlier use and the other in a later one. Shared memory is looked at element by
 * element: lanes and loops have constant extents, and a counter whose remainder alone matters has few. Tensors, whose shapes are unknown, are told apart
 * where an index gives away the lane, or where one use lies below the other. What cannot be told may meet.
 */
export function meetings(nest: LaneNest): (a: LaneAccess, b: LaneAccess, rel: Relation) => boolean {
  const answers = new Map<LaneAccess, Map<LaneAccess, Map<string, boolean>>>(), touched = new Map<LaneAccess, Map<string, Touched | undefined>>();
  const around = new Set<number>(nest.loops.map((l) => l.v.id)), opaque = new Set<number>();
  visitStmt(nest.body, (s) => { const v = s.kind === 'for' ? undefined : boundBy(s); if (v) opaque.add(v.id); });
  let looks = 0; // of the pair of uses in question
  const placesOf = (a: LaneAccess, fixed: readonly Counter[]): Touched | undefined => {
    const used = variables([...a.index, ...a.guards]), mine = fixed.filter((c) => used.has(c.id)), key = mine.map((c) => `${c.id}=${c.value}`).join();
    const known = touched.get(a) ?? new Map<string, Touched | undefined>();
    touched.set(a, known);
    if (!known.has(key)) {
      const found = touch(nest, a, mine);
      looks += found?.looks ?? 0;
      known.set(key, found);
    }
    return known.get(key);
  };
  const overlap = (a: Touched, b: Touched): boolean => {
    const [few, { by }] = a.places.length <= b.places.length ? [a, b] : [b, a];
    return few.places.some((i) => by[i] !== NONE && (by[i] === MANY || few.by[i] === MANY || by[i] !== few.by[i]));
  };
  const decide = (a: LaneAccess, b: LaneAccess, rel: Relation): boolean => {
    const at = rel.carried ? a.loops.indexOf(rel.carried) : Infinity, common = a.loops.filter((l, i) => b.loops[i] === l && i < at), same = new Set(common.map((l) => l.v.id));
    if (nest.loops.every((_, i) => givesAway(nest, i, a, b, same, opaque))) return false;
    // A condition on a counter alone says how far it goes, too.
    const end = (l: For, x: LaneAccess): Expr | undefined => { for (const g of x.guards) if (g.kind === 'cmp' && g.fn === 'lt' && g.a === l.v) return g.b; return undefined; };
    const rangings = (x: LaneAccess): readonly Ranging[] => [false, true].map((less) => ({ index: x.index, loops: [...nest.loops, ...x.loops].filter((l) => !same.has(l.v.id)).map((l) => ({ ...l, extent: (less ? end(l, x) : undefined) ?? l.extent })) }));
    if (rangings(a).some((x) => rangings(b).some((y) => liesBelow(x, y, (e) => !changes(e, opaque))))) return false;
    if (a.buf.space !== 'shared') return true;
    const index = [...a.index, ...b.index], inside = new Set([...a.loops, ...b.loops].map((l) => l.v.id));
    // What is the same for both, and last the counter that went on.
    const ids = [...variables(index)].filter((id) => !around.has(id) && !opaque.has(id) && (!inside.has(id) || same.has(id))), goesOn = rel.carried && variables(index).has(rel.carried.v.id) ? rel.carried : undefined;
    const ranges = [...ids.map((id) => rangeOf(id, index, common.find((l) => l.v.id === id))), ...(goesOn ? [rangeOf(goesOn.v.id, index, goesOn)] : [])];
    if (ranges.some((r) => r === undefined) || ranges.reduce((n, r) => n * r!.n, 1) > MOST_CASES) return true;
    looks = 0;
    for (const values of product(ranges.map((r) => r!.n))) {
      const first = ids.map((id, i): Counter => ({ id, value: values[i]!, exact: ranges[i]!.exact }));
      const last = ranges.at(-1)!, from = values.at(-1)!, next = !goesOn ? [undefined] : rel.adjacent ? (last.exact && from + 1 >= last.n ? [] : [from + 1]) : Array.from({ length: last.n }, (_, i) => i);
      const counter = (value: number | undefined): readonly Counter[] => (goesOn && value !== undefined ? [{ id: goesOn.v.id, value, exact: last.exact }] : []);
      for (const value of next) {
        const x = placesOf(a, [...first, ...counter(goesOn && from)]), y = placesOf(b, [...first, ...counter(value)]);
        if (!x || !y || (looks += Math.min(x.places.length, y.places.length)) > MOST_LOOKS || overlap(x, y)) return true;
      }
    }
    return false;
  };
  return (a, b, rel) => {
    if (a.buf.id !== b.buf.id || (a.kind === 'read' && b.kind === 'read') || (a.kind === 'atomic' && b.kind === 'atomic')) return false;
    const of = answers.get(a) ?? new Map<LaneAccess, Map<string, boolean>>(), known = of.get(b) ?? new Map<string, boolean>(), key = `${rel.carried?.v.id} ${rel.adjacent}`;
    answers.set(a, of);
    of.set(b, known);
    const answer = known.get(key) ?? decide(a, b, rel);
    known.set(key, answer);
    return answer;
  };
}

/** A value of a counter that is looked at; unless `exact`, it stands for all with the same remainder. */
interface Counter { readonly id: number; readonly value: number; readonly exact: boolean }

/** The numbers of all variables in expressions. */
export function variables(all: readonly Expr[]): Set<number> {
  const out = new Set<number>(), go = (e: Expr): void => { if (e.kind === 'var') out.add(e.id); else operands(e).forEach(go); };
  all.forEach(go);
  return out;
}

function* product(ranges: readonly number[]): Generator<readonly number[]> {
  const total = ranges.reduce((n, r) => n * r, 1);
  for (let i = 0; i < total; i++) { let rest = i; yield ranges.map((r) => { const x = rest % r; rest = Math.floor(rest / r); return x; }); }
}

/** How many values of a counter need to be looked at: those of its loop, or as many as there are remainders. */
function rangeOf(id: number, exprs: readonly Expr[], loop: For | undefined): { readonly n: number; readonly exact: boolean } | undefined {
  if (loop && isConst(loop.extent) && loop.extent.value <= 64) return { n: loop.extent.value, exact: true };
  const n = exprs.reduce<number | undefined>((p, e) => lcm(p, periodOf(e, id)), 1);
  return n === undefined ? undefined : { n, exact: false };
}
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const lcm = (a: number | undefined, b: number | undefined): number | undefined => (a === undefined || b === undefined ? undefined : (a * b) / gcd(a, b));

/** The number after which a value repeats as the counter goes on, if it does. */
function periodOf(e: Expr, id: number): number | undefined {
  if (e.kind === 'var') return e.id === id ? undefined : 1;
  if (e.kind === 'binary' && e.fn === 'mod' && isConst(e.b) && e.b.value > 0 && affine(e.a, new Set([id]))) return variables([e.a]).has(id) ? e.b.value : 1;
  return operands(e).reduce<number | undefined>((p, x) => lcm(p, periodOf(x, id)), 1);
}

const NONE = -1, MANY = -2;

/** By element of the memory, the lane that touches it: one, none or many; the elements that are touched; and how often a lane was asked for all that. */
interface Touched { readonly by: Int32Array; readonly places: Int32Array; readonly looks: number }

/** Who touches what while some counters have these values. */
function touch(nest: LaneNest, a: LaneAccess, fixed: readonly Counter[]): Touched | undefined {
  const shape = a.buf.shape.map((e) => (isConst(e) ? e.value : NaN)), size = shape.reduce((n, d) => n * d, 1);
  if (!(size <= MOST_PLACES)) return undefined;
  const used = variables(a.index), slots = new Map<number, number>(), exact = new Set<number>(), free: { slot: number; n: number }[] = [];
  for (const c of fixed) { slots.set(c.id, slots.size); if (c.exact) exact.add(c.id); }
  for (const l of [...nest.loops, ...a.loops]) {
    if (slots.has(l.v.id) || (!used.has(l.v.id) && !nest.loops.includes(l))) continue;
    const most = upperBound(l.extent), n = most ?? rangeOf(l.v.id, a.index, undefined)?.n;
    if (n === undefined) return undefined;
    if (most !== undefined) exact.add(l.v.id);
    free.push({ slot: slots.size, n });
    slots.set(l.v.id, slots.size);
  }
  const looks = free.reduce((n, x) => n * x.n, 1);
  if (looks > MOST_PLACES) return undefined;
  const f = new Float64Array(slots.size), out = new Int32Array(size).fill(NONE);
  for (const c of fixed) f[slots.get(c.id)!] = c.value;
  const index = a.index.map((e) => evaluator(e, slots)), guards = a.guards.filter((g) => [...variables([g])].every((id) => exact.has(id))).map((e) => evaluator(e, slots)), lane = evaluator(nest.number, slots);
  let known = true;
  const places: number[] = [];
  const walk = (i: number): void => {
    if (i < free.length) { const x = free[i]!; for (let n = 0; n < x.n && known; n++) { f[x.slot] = n; walk(i + 1); } return; }
    if (guards.some((g) => g(f) === 0)) return; // NaN: nobody knows
    let at = 0;
    for (let d = 0; d < shape.length; d++) {
      const x = index[d]!(f);
      if (Number.isNaN(x)) { known = false; return; }
      if (x < 0 || x >= shape[d]!) return; // no access lies outside: that is proved elsewhere
      at = at * shape[d]! + x;
    }
    const l = lane(f);
    if (out[at] === NONE) places.push(at);
    out[at] = out[at] === NONE || out[at] === l ? l : MANY;
  };
  walk(0);
  return known ? { by: out, places: Int32Array.from(places), looks } : undefined;
}

type Evaluate = (f: Float64Array) => number;
/** Index arithmetic and conditions on it as a function of counters; NaN where something else takes part. */
function evaluator(e: Expr, slots: ReadonlyMap<number, number>): Evaluate {
  switch (e.kind) {
    case 'const': return () => e.value;
    case 'var': { const slot = slots.get(e.id); return slot === undefined ? () => NaN : (f) => f[slot]!; }
    case 'unary': { const x = evaluator(e.x, slots); return e.fn === 'not' && e.dtype === 'bool' ? (f) => { const v = x(f); return Number.isNaN(v) ? v : v === 0 ? 1 : 0; } : () => NaN; }
    case 'binary': case 'cmp': {
      const a = evaluator(e.a, slots), b = evaluator(e.b, slots), op = (e.kind === 'cmp' ? e.a.dtype === 'i64' : e.dtype === 'i64' || e.dtype === 'bool') ? OPERATORS[e.fn] : undefined;
      return op ? (f) => op(a(f), b(f)) : () => NaN;
    }
    default: return () => NaN;
  }
}
const truth = (x: boolean, a: number, b: number): number => (Number.isNaN(a + b) ? NaN : x ? 1 : 0);
const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => Math.floor(a / b), mod: (a, b) => a - Math.floor(a / b) * b, min: Math.min, max: Math.max, xor: (a, b) => a ^ b,
  lt: (a, b) => truth(a < b, a, b), le: (a, b) => truth(a <= b, a, b), gt: (a, b) => truth(a > b, a, b), ge: (a, b) => truth(a >= b, a, b), eq: (a, b) => truth(a === b, a, b), ne: (a, b) => truth(a !== b, a, b),
  and: (a, b) => (a === 0 || b === 0 ? 0 : a * b), or: (a, b) => (a > 0 || b > 0 ? 1 : a + b),
};

/**
 * Does some dimension give away the iteration of lane loop `i`, where the lane loops outside of it agree? Both uses lie in c * lane + a window of
 * c elements, up to multiples of c times the number of iterations.
 */
function givesAway(nest: LaneNest, i: number, a: LaneAccess, b: LaneAccess, common: ReadonlySet<number>, opaque: ReadonlySet<number>): boolean {
  const lane = nest.loops[i]!, loops = [...nest.loops.slice(i), ...a.loops, ...b.loops].filter((l) => !common.has(l.v.id)), bounds = new Map(loops.map((l) => [l.v.id, upperBound(l.extent)])), ids = new Set(bounds.keys());
  const n = isConst(lane.extent) ? lane.extent.value : undefined;
  return n !== undefined && a.index.some((_, d) => {
    const forms = [a.index[d]!, b.index[d]!].map((e) => affine(e, ids)), c = forms[0]?.terms.get(lane.v.id)?.coef;
    if (c === undefined || c <= 0 || forms.some((f) => f?.terms.get(lane.v.id)?.coef !== c) || exprKey(forms[0]!.rest) !== exprKey(forms[1]!.rest) || changes(forms[0]!.rest, opaque)) return false;
    let lo = Infinity, hi = -Infinity;
    for (const f of forms) {
      let least = f!.offset, most = f!.offset;
      for (const [id, t] of f!.terms) {
        if (id === lane.v.id || t.coef % (c * n) === 0) continue;
        const m = bounds.get(id);
        if (m === undefined) return false;
        if (t.coef > 0) most += t.coef * Math.max(0, m - 1); else least += t.coef * Math.max(0, m - 1);
      }
      lo = Math.min(lo, least);
      hi = Math.max(hi, most);
    }
    return hi - lo < c;
  });
}

/** May a value differ from lane to lane or from time to time, though no loop tells? */
const changes = (e: Expr, opaque: ReadonlySet<number>): boolean => e.kind === 'load' || e.kind === 'subgroup' || (e.kind === 'var' && opaque.has(e.id)) || operands(e).some((x) => changes(x, opaque));
