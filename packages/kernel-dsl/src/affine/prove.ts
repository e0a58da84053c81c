import { above, addConst, equal, formConst, formTerm, linearKey, scaleForm } from './form.ts';
import type { Constraint, Form } from './form.ts';
import { infeasible, lowestOf } from './eliminate.ts';
import { factorsOf, multiply, rangeOfForm } from './space.ts';
import type { Cases, Space, Term } from './space.ts';

/** What holds at a place of the program, on top of what holds around it. */
export interface Scope {
  readonly parent: Scope | undefined;
  readonly facts: readonly Constraint[];
  /** Of each entry, one of the cases holds. */
  readonly cases: readonly Cases[];
  /** The choice that this scope settles: its facts are one of the cases. */
  readonly settles: Cases | undefined;
  // What was found out here already.
  readonly lowest: Map<string, number>;
  readonly positive: Map<string, boolean>;
  readonly splits: Map<readonly Constraint[], Scope>;
  readonly answers: Map<string, boolean>;
  readonly assumed: Map<string, Scope>;
}

/** The scope in which these facts hold too. */
export const scope = (parent: Scope | undefined, facts: readonly Constraint[], cases: readonly Cases[] = [], settles?: Cases): Scope =>
  ({ parent, facts, cases, settles, lowest: new Map(), positive: new Map(), splits: new Map(), answers: new Map(), assumed: new Map() });

/** A scope in which one of the cases holds: facts where there is one case only. */
export const scopeOf = (parent: Scope | undefined, cases: Cases): Scope => (cases.length === 1 ? scope(parent, cases[0]!) : scope(parent, [], [cases]));

/** The scope in which f >= 0 holds too, made once. */
export function assuming(at: Scope, f: Form): Scope {
  const key = `${f.c} ${linearKey(f)}`, known = at.assumed.get(key);
  if (known) return known;
  const made = scope(at, [{ f }]);
  at.assumed.set(key, made);
  return made;
}

/** How much work a question may cost before it is left open. */
interface Budget { left: number; readonly far: boolean }
/** How hard to try: attempts, and whether facts that have nothing to do with the question are looked at too. */
export interface Effort { readonly effort?: number; readonly far?: boolean }

interface Cone { readonly system: readonly Constraint[]; readonly cases: readonly Cases[]; readonly products: readonly Term[]; readonly settled: ReadonlySet<Cases> }

/** The facts that have to do with some terms: those that mention them, the facts about the terms in these, and so on. */
function cone(s: Space, at: Scope, seeds: readonly Form[], budget: Budget, radius: number): Cone {
  const system: Constraint[] = [], cases: Cases[] = [], products: Term[] = [], seen = new Set<number>();
  const pending: Constraint[] = [], all: Cases[] = [], settled = new Set<Cases>();
  for (let p: Scope | undefined = at; p; p = p.parent) {
    pending.push(...p.facts);
    all.push(...p.cases);
    if (p.settles) settled.add(p.settles);
  }
  const open = all.filter((k) => !settled.has(k));
  let fresh: number[] = [];
  const note = (f: Form): void => { for (const id of f.t.keys()) if (!seen.has(id)) { seen.add(id); fresh.push(id); } };
  const take = (c: Constraint): void => { system.push(c); note(c.f); };
  const touches = (f: Form): boolean => { for (const id of f.t.keys()) if (seen.has(id)) return true; return false; };
  seeds.forEach(note);
  for (let r = 0; fresh.length > 0 && r < radius; r++) {
    const now = fresh;
    fresh = [];
    for (const id of now) {
      const t = s.terms[id]!;
      if (t.lo > -Infinity) system.push({ f: { c: -t.lo, t: new Map([[id, 1]]) } });
      if (t.hi < Infinity) system.push({ f: { c: t.hi, t: new Map([[id, -1]]) } });
      t.facts.forEach(take);
      for (const c of t.conditional) if (isPositive(s, c.needs, at, budget)) c.facts.forEach(take);
      if (t.cases && !settled.has(t.cases)) cases.push(t.cases);
      if (t.factors) { products.push(t); for (const x of t.factors) if (!seen.has(x)) { seen.add(x); fresh.push(x); } }
    }
    for (let i = pending.length - 1; i >= 0; i--) if (touches(pending[i]!.f)) take(pending.splice(i, 1)[0]!);
    for (let i = open.length - 1; i >= 0; i--) if (open[i]!.some((k) => k.some((c) => touches(c.f)))) {
      const k = open.splice(i, 1)[0]!;
      cases.push(k);
      for (const c of k) for (const x of c) note(x.f);
    }
  }
  // A fact without terms is false: the place is never reached.
  for (const c of pending) if (c.f.t.size === 0) system.push(c);
  return { system, cases, products, settled };
}

function isPositive(s: Space, f: Form, at: Scope, budget: Budget): boolean {
  if (rangeOfForm(s, f).lo > 0) return true;
  const key = `${f.c} ${linearKey(f)}`, known = at.positive.get(key);
  if (known !== undefined) return known;
  at.positive.set(key, false); // not while it is being asked
  const yes = prove(s, addConst(f, -1), at, budget, 2);
  at.positive.set(key, yes);
  return yes;
}

/** Constraints times terms that are not negative, where that makes a product which is spoken of; and such of products that these speak of. At most 80. */
function multiplied(s: Space, system: readonly Constraint[], products: readonly Term[]): Constraint[] {
  const out: Constraint[] = [], known = new Set([...products].sort((p, q) => p.factors!.length - q.factors!.length)), made = new Set<string>();
  for (const { factors = [] } of known) for (const [i, f] of factors.entries()) {
    const rest = factors.filter((_, j) => j !== i), ways: readonly (readonly (readonly number[])[])[] = rest.length > 1 ? [[[f], rest], [rest, [f]]] : [[[f], rest]];
    // By one factor, and by all but one.
    for (const [by = [], left = []] of ways) {
      const x = left.length > 1 ? s.byKey.get(left.join('*')) : left[0];
      if (x === undefined || by.some((id) => s.terms[id]!.lo < 0)) continue;
      const factor = by.reduce<Form>((p, id) => multiply(s, p, formTerm(id)), formConst(1));
      for (const c of system) {
        if (!c.f.t.has(x) || [...c.f.t.keys()].some((id) => factorsOf(s, id).length + by.length > Math.max(2, factors.length))) continue;
        const product = multiply(s, c.f, factor), key = `${product.c} ${linearKey(product)} ${c.eq}`;
        if (made.has(key)) continue;
        made.add(key);
        if (out.push({ f: product, eq: c.eq }) === 80) return out;
        for (const id of product.t.keys()) if (s.terms[id]!.factors) known.add(s.terms[id]!);
      }
    }
  }
  return out;
}

/** Of products that differ in one factor: that one is less, as much, or more than the other's, or than 0 where that has none there. Then so are the products. At most four. */
function orders(s: Space, products: readonly Term[]): readonly Cases[] {
  const out: Cases[] = [];
  for (const p of products) for (const q of products) {
    const left = [...p.factors!], more = q.factors!.filter((id) => { const i = left.indexOf(id); if (i >= 0) left.splice(i, 1); return i < 0; }), [x, y] = [left[0]!, more[0]];
    if (left.length !== 1 || more.length > 1 || (y === undefined ? s.terms[x]!.lo !== 0 : p.id > q.id)) continue;
    const a = formTerm(x), b = y === undefined ? formConst(0) : formTerm(y), key = `${x} ${y}`, known = s.orders.get(key) ?? [[above(b, a)], [equal(a, b)], [above(a, b)]];
    s.orders.set(key, known);
    if (!out.includes(known) && out.push(known) === 4) return out;
  }
  return out;
}

/** What a scope speaks of. */
const everything = (at: Scope): Form[] => {
  const out: Form[] = [];
  for (let p: Scope | undefined = at; p; p = p.parent) for (const c of p.facts) out.push(c.f);
  return out;
};

/** Is f >= 0 wherever this scope holds? */
function prove(s: Space, f: Form, at: Scope, budget: Budget, depth: number): boolean {
  if (rangeOfForm(s, f).lo >= 0) return true;
  const key = linearKey(f), low = at.lowest.get(key);
  if (low !== undefined && low + f.c >= 0) return true;
  for (let p: Scope | undefined = at; p; p = p.parent) for (const c of p.facts) if (c.f.c <= f.c && c.f.t.size === f.t.size && linearKey(c.f) === key) return true; // just what is known
  if (budget.left <= 0) return false;
  // What is near first; in the end all that holds here, for a choice elsewhere may bound what f speaks of, or rule the place out.
  for (const reach of ['near', 'linked', 'all'] as const) {
    if (reach === 'all' && !budget.far) break;
    budget.left--;
    const { system, products, cases, settled } = cone(s, at, reach === 'all' ? [f, ...everything(at)] : [f], budget, reach === 'near' ? 2 : Infinity);
    const l = lowestOf({ c: 0, t: f.t }, system);
    if (l > (at.lowest.get(key) ?? -Infinity)) at.lowest.set(key, l);
    if (l + f.c >= 0) return true;
    if (reach !== 'near') { // to deny it rounds better, and allows for products
      const whole: Constraint[] = [...system, { f: addConst(scaleForm(f, -1), -1) }];
      if (infeasible(whole) || (products.length > 0 && infeasible([...whole, ...multiplied(s, whole, products)]))) return true;
    }
    if (reach !== 'near' && depth > 0) {
      for (const k of [...cases, ...orders(s, products).filter((o) => !settled.has(o))]) {
        if (budget.left <= 0) return false;
        if (k.every((facts) => prove(s, f, inCase(at, k, facts), budget, depth - 1))) return true;
      }
    }
  }
  return false;
}

/** The scope in which one of several cases is known to hold; asked again and again, it is made once. */
function inCase(at: Scope, k: Cases, facts: readonly Constraint[]): Scope {
  const old = at.splits.get(facts);
  if (old) return old;
  const made = scope(at, facts, [], k);
  at.splits.set(facts, made);
  return made;
}

/** Is f >= 0 for all integers for which the scope's facts hold? false: no, or not found out. */
export function proves(s: Space, f: Form, at: Scope, { effort = 60, far = true }: Effort = {}): boolean {
  if (rangeOfForm(s, f).lo >= 0) return true;
  const key = `${effort}${far ? '' : ' near'} ${f.c} ${linearKey(f)}`, known = at.answers.get(key);
  if (known !== undefined) return known;
  const yes = prove(s, f, at, { left: effort, far }, 5);
  at.answers.set(key, yes);
  return yes;
}

/** Do the facts of the scope contradict each other, so that the place is never reached? false: no, or not found out. */
export const isUnreachable = (s: Space, at: Scope, effort: Effort = {}): boolean => proves(s, { c: -1, t: new Map() }, at, effort);

/** Is the constraint met wherever the scope holds? */
export const meets = (s: Space, c: Constraint, at: Scope, effort: Effort = {}): boolean =>
  proves(s, c.f, at, effort) && (!c.eq || proves(s, scaleForm(c.f, -1), at, effort));
