import { addConst, combineForms, formOf, formTerm, isUnreachable, newTerm, proves, scope, secondCopy, varTerm } from '../affine/index.ts';
import type { Constraint, Form, Space } from '../affine/index.ts';
import { linearKey } from '../affine/index.ts';
import { boundBy, visitStmt } from '../ir/index.ts';
import type { Buffer, For, Var } from '../ir/index.ts';
import { scopeIn } from './program.ts';
import type { Access, Program } from './program.ts';

/** Two accesses of which two iterations of a loop may touch the same element. */
export interface Conflict { readonly loop: For; readonly write: Access; readonly other: Access }

/** A loop whose iterations may run at once, with its accesses. */
export type Parallel = Program['parallel'][number];

/** Pairs of accesses that may meet in different iterations of a loop, the first of each buffer; none where all is proved apart. */
export function conflicts(p: Program, par: Parallel): Conflict[] {
  const own = new Set<number>();
  visitStmt(par.loop.body, (s) => { if (s.kind === 'alloc') own.add(s.buf.id); });
  const byBuffer = new Map<number, { buf: Buffer; all: Access[] }>();
  for (const a of p.accesses.slice(par.first, par.end)) {
    if (own.has(a.buf.id)) continue;
    const g = byBuffer.get(a.buf.id) ?? { buf: a.buf, all: [] };
    byBuffer.set(a.buf.id, g);
    g.all.push(a);
  }
  const out: Conflict[] = [];
  for (const { buf, all } of byBuffer.values()) {
    if (all.every((a) => a.kind === 'load') || buf.shape.some((_, d) => blocks(p, par.loop, all, d))) continue;
    const pair = meeting(p, par, distinct(p, all));
    if (pair) out.push({ loop: par.loop, ...pair });
  }
  return out;
}

const spaceOf = (p: Program, a: Access): Space => (a.lanes > 1 ? p.atLane(a.lanes) : p.space);
/** What an access touches, as forms. */
export const indices = (p: Program, a: Access): readonly Form[] => a.index.map((e) => formOf(spaceOf(p, a), e));

/**
 * Does a dimension tell iterations apart? All uses of it lie, in iteration v, in a block of c elements that begins at c v + something that
 * no iteration changes.
 */
function blocks(p: Program, loop: For, all: readonly Access[], dim: number): boolean {
  const v = varTerm(p.space, loop.v).id, inside = termsInside(p, loop);
  let coef: number | undefined, fixed: string | undefined, least = Infinity;
  const parts: { a: Access; inner: Form }[] = [];
  for (const a of all) {
    const f = indices(p, a)[dim]!, c = f.t.get(v);
    if (c === undefined || c <= 0 || c !== (coef ?? c)) return false;
    coef = c;
    const inner = new Map<number, number>(), rest = new Map<number, number>();
    for (const [id, q] of f.t) if (id !== v) (inside(id) ? inner : rest).set(id, q);
    const key = linearKey({ c: 0, t: rest });
    if (key !== (fixed ?? key)) return false;
    fixed = key;
    if (inner.size === 0) least = Math.min(least, f.c);
    parts.push({ a, inner: { c: f.c, t: inner } });
  }
  const from = least === Infinity ? Math.min(...parts.map((x) => x.inner.c)) : least;
  return parts.every(({ a, inner }) => {
    const low = addConst(inner, -from), high = addConst(combineForms({ c: coef!, t: new Map() }, low, -1), -(dim === a.index.length - 1 ? a.width : 1));
    const s = spaceOf(p, a);
    return proves(s, low, a.place.scope) && proves(s, high, a.place.scope);
  });
}

/** Is a term of the space one that the body of the loop may change? Sizes, scalars and what surrounds the loop are not. */
function termsInside(p: Program, loop: For): (id: number) => boolean {
  const fixed = new Set<number>();
  for (const [key, id] of p.space.byKey) if (key.startsWith('#') || key.startsWith('$')) fixed.add(id);
  for (const around of p.parallel.find((x) => x.loop === loop)!.place.path) if (around.kind !== 'branch') fixed.add(varTerm(p.space, around.v).id);
  return (id) => !fixed.has(id);
}

/** Of accesses with equal indices in equal scopes one is enough: of those that differ by constants, all of them. */
export function distinct(p: Program, all: readonly Access[]): Access[] {
  const seen = new Map<string, Access>(), scopes = new Map<object, number>();
  for (const a of all) {
    const at = scopes.get(a.place.scope) ?? scopes.size;
    scopes.set(a.place.scope, at);
    const key = `${at} ${a.kind === 'load' ? 'r' : 'w'} ${a.width} ${indices(p, a).map((f) => `${f.c} ${linearKey(f)}`).join(' | ')}`;
    if (!seen.has(key)) seen.set(key, a);
  }
  return [...seen.values()];
}

/** More pairs than this are left open. */
const MOST_PAIRS = 900;

/** A write and an access that are not proved to stay apart. */
function meeting(p: Program, par: Parallel, all: readonly Access[]): { write: Access; other: Access } | undefined {
  let pairs = 0;
  for (const write of all) {
    if (write.kind === 'load') continue;
    for (const other of all) {
      if (other.kind !== 'load' && all.indexOf(other) < all.indexOf(write)) continue;
      if (write.kind === 'atomic' && other.kind === 'atomic') continue; // they wait for each other
      if (++pairs > MOST_PAIRS || !apart(p, par, write, other)) return { write, other };
    }
  }
  return undefined;
}

/** Do two accesses touch different elements whenever they run in different iterations of the loop? */
function apart(p: Program, par: Parallel, a: Access, b: Access): boolean {
  const depth = par.place.path.length, vars: Var[] = [par.loop.v];
  visitStmt(par.loop.body, (s) => { const v = s.kind === 'let' ? undefined : boundBy(s); if (v) vars.push(v); });
  const second = secondCopy(b.lanes > 1 ? { ...p.space, lane: newTerm(p.space, 'lane', { lo: 0, hi: b.lanes - 1 }).id } : p.space, vars);
  const copied = b.place.path.slice(depth).reduce((at, x) => scopeIn(second, at, x), a.place.scope);
  const meet: Constraint[] = [], ia = indices(p, a), last = ia.length - 1;
  for (const [d, e] of b.index.entries()) {
    const diff = combineForms(ia[d]!, formOf(second, e), -1); // a - b
    meet.push({ f: addConst(diff, (d === last ? a.width : 1) - 1) }, { f: addConst(combineForms({ c: 0, t: new Map() }, diff, -1), (d === last ? b.width : 1) - 1) });
  }
  const v1 = formTerm(varTerm(p.space, par.loop.v).id), v2 = formTerm(varTerm(second, par.loop.v).id), ahead = addConst(combineForms(v2, v1, -1), -1), behind = addConst(combineForms(v1, v2, -1), -1);
  const never = (order: Form): boolean => isUnreachable(p.space, scope(copied, [...meet, { f: order }]), { effort: 40 });
  return never(ahead) && (a === b || never(behind));
}
