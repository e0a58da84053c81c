import { addConst, combineForms, equal, formConst, formOf, formTerm, isUnreachable, newTerm, scope, secondCopy, varTerm } from '../affine/index.ts';
import type { Constraint, Form } from '../affine/index.ts';
import { isConst, operands, printExpr, visitStmt } from '../ir/index.ts';
import type { Expr, For, Var, While } from '../ir/index.ts';
import { scopeIn } from './program.ts';
import type { Access, Around, Place, Program } from './program.ts';
import { distinct, indices } from './races.ts';
import type { Parallel } from './races.ts';

/** Two uses of memory that two lanes may make of one element with no barrier between. */
export interface Unseparated { readonly first: Access; readonly second: Access }
/** A barrier that some lanes may pass by. */
export interface Diverged { readonly place: Place; readonly why: string }

/** Is the loop the outermost of the lanes of a workgroup? */
export const isNest = (par: Parallel): boolean => par.loop.loop.startsWith('lane.') && !par.place.path.some(isLaneLoop);
const isLaneLoop = (a: Around): a is For => a.kind === 'for' && a.loop.startsWith('lane.');
const isLoop = (a: Around): a is For | While => a.kind !== 'branch';

/** Does the nest have barriers? */
export const meetsInside = (p: Program, par: Parallel): boolean => p.barriers.some((b) => b.place.path.includes(par.loop));

/**
 * Re-derives what barriers separate. All lanes come to the same barriers in the same order, which is proved first: then two uses may happen at once only
 * where no barrier surely runs between them on the way from the one to the other, through the text or around a loop. Of those, different lanes must
 * touch different elements.
 */
export function unseparated(p: Program, par: Parallel): { readonly diverged: readonly Diverged[]; readonly open: readonly Unseparated[] } {
  const depth = par.place.path.length, lanes: For[] = [];
  for (let s = par.loop as For; ; s = s.body as For) { lanes.push(s); if (s.body.kind !== 'for' || !isLaneLoop(s.body)) break; }
  const barriers = p.barriers.filter((b) => b.place.path.includes(par.loop)), differs = ownNames(p, par, lanes), made = new Set<number>();
  const diverged = barriers.flatMap((b): Diverged[] => {
    const odd = b.place.path.slice(depth + lanes.length).flatMap((a) => (a.kind === 'for' ? [a.extent] : a.kind === 'while' ? [a.max, a.cond] : [a.cond])).find(differs);
    return odd ? [{ place: b.place, why: `${printExpr(odd)} may differ from lane to lane` }] : [];
  });
  if (diverged.length > 0) return { diverged, open: [] };
  visitStmt(par.loop.body, (s) => { if (s.kind === 'alloc') made.add(s.buf.id); });
  const byBuffer = new Map<number, Access[]>(), text = new Map<Access, number>();
  for (let i = par.first; i < par.end; i++) {
    const a = p.accesses[i]!;
    text.set(a, i);
    if (!made.has(a.buf.id)) byBuffer.set(a.buf.id, [...(byBuffer.get(a.buf.id) ?? []), a]);
  }
  const ways = (a: Access, b: Access): readonly Way[] => waysBetween(a, b, text.get(a)!, text.get(b)!, depth + lanes.length, barriers);
  const open: Unseparated[] = [];
  for (const all of byBuffer.values()) {
    if (all.every((a) => a.kind === 'load') || all.every((a) => a.kind === 'atomic')) continue;
    const list = distinctHere(p, all, text, barriers), hit = firstOpen(p, list, lanes, depth, ways);
    if (hit) open.push(hit);
  }
  return { diverged, open };
}

/** Accesses that differ in what they touch or in what barriers lie before them. */
function distinctHere(p: Program, all: readonly Access[], text: ReadonlyMap<Access, number>, barriers: Program['barriers']): readonly Access[] {
  const groups = new Map<string, Access[]>();
  for (const a of all) {
    const before = barriers.filter((b) => b.after <= text.get(a)!).length, key = `${before} ${a.place.path.filter(isLoop).map((l) => l.v.id).join()}`;
    groups.set(key, [...(groups.get(key) ?? []), a]);
  }
  return [...groups.values()].flatMap((g) => distinct(p, g));
}

/** More pairs than this are left open. */
const MOST_PAIRS = 600;

function firstOpen(p: Program, all: readonly Access[], lanes: readonly For[], depth: number, ways: (a: Access, b: Access) => readonly Way[]): Unseparated | undefined {
  let pairs = 0;
  for (const [i, a] of all.entries()) for (const b of all.slice(i)) {
    if ((a.kind === 'load' && b.kind === 'load') || (a.kind === 'atomic' && b.kind === 'atomic')) continue;
    if (++pairs > MOST_PAIRS) return { first: a, second: b };
    const towards = (x: Access, y: Access): boolean => ways(x, y).every((w) => apart(p, x, y, w, lanes, depth));
    if (!towards(a, b) || (a !== b && !towards(b, a))) return { first: a, second: b };
  }
  return undefined;
}

/**
 * A way from an earlier use to a later one without a barrier: both in one iteration of all loops around them (`loop` undefined), or the later one in
 * a following iteration of `loop`, the next one where `next`; the loops outside of `loop` are in the same iteration.
 */
interface Way { readonly loop: For | While | undefined; readonly next: boolean; readonly shared: number }

function waysBetween(a: Access, b: Access, ia: number, ib: number, depth: number, barriers: Program['barriers']): readonly Way[] {
  const pa = a.place.path, pb = b.place.path;
  let shared = depth;
  while (shared < pa.length && shared < pb.length && pa[shared] === pb[shared]) shared++;
  const out: Way[] = [];
  /** Does a barrier run whenever control gets to the use, or on from it, within what both share? */
  const sure = (barrier: readonly Around[], use: readonly Around[]): boolean => {
    let n = 0;
    while (n < barrier.length && barrier[n] === use[n]) n++;
    return barrier.slice(n).every((x) => x.kind === 'for' && isConst(x.extent) && x.extent.value > 0);
  };
  if (ia <= ib && !barriers.some((x) => x.after > ia && x.after <= ib && (sure(x.place.path, pa) || sure(x.place.path, pb)))) out.push({ loop: undefined, next: false, shared });
  for (let k = depth; k < shared; k++) {
    const loop = pa[k]!;
    if (!isLoop(loop)) continue;
    const inside = barriers.filter((x) => x.place.path[k] === loop);
    if (inside.some((x) => (x.after > ia && sure(x.place.path, pa)) || (x.after <= ib && sure(x.place.path, pb)))) continue;
    out.push({ loop, next: inside.some((x) => sure(x.place.path, pa.slice(0, k + 1))), shared: k });
  }
  return out;
}

/** Do two lanes that make these uses, on this way, touch different elements? */
function apart(p: Program, a: Access, b: Access, way: Way, lanes: readonly For[], depth: number): boolean {
  const vars: Var[] = lanes.map((l) => l.v), from = way.shared;
  for (const x of b.place.path.slice(Math.max(from, depth + lanes.length))) if (isLoop(x)) vars.push(x.v);
  const second = secondCopy(b.lanes > 1 ? { ...p.space, lane: newTerm(p.space, 'lane', { lo: 0, hi: b.lanes - 1 }).id } : p.space, vars);
  const copied = b.place.path.slice(depth).reduce((at, x) => scopeIn(second, at, x), a.place.scope);
  const meet: Constraint[] = [], ia = indices(p, a), last = ia.length - 1, minus = (f: Form): Form => combineForms(formConst(0), f, -1);
  for (const [d, e] of b.index.entries()) {
    const diff = combineForms(ia[d]!, formOf(second, e), -1);
    if (d < last || (a.width === 1 && b.width === 1)) meet.push({ f: diff, eq: true });
    else meet.push({ f: addConst(diff, a.width - 1) }, { f: addConst(minus(diff), b.width - 1) });
  }
  const here = (v: Var): Form => formTerm(varTerm(p.space, v).id), there = (v: Var): Form => formTerm(varTerm(second, v).id);
  if (way.loop) {
    const ahead = addConst(combineForms(there(way.loop.v), here(way.loop.v), -1), -1);
    meet.push(way.next ? { f: ahead, eq: true } : { f: ahead });
  }
  const same: Constraint[] = [];
  return lanes.every((l) => {
    const ahead = addConst(combineForms(there(l.v), here(l.v), -1), -1), behind = addConst(combineForms(here(l.v), there(l.v), -1), -1);
    const never = (order: Form): boolean => isUnreachable(p.space, scope(copied, [...meet, ...same, { f: order }]), { effort: 60 });
    const yes = never(ahead) && ((a === b && !way.loop) || never(behind));
    same.push(equal(there(l.v), here(l.v)));
    return yes;
  });
}

/** Tells values that may differ from lane to lane: what is computed from the lane, or read. */
function ownNames(p: Program, par: Parallel, lanes: readonly For[]): (e: Expr) => boolean {
  const own = new Set(lanes.map((l) => l.v.id));
  visitStmt(par.loop.body, (s) => { if (s.kind === 'while') own.add(s.v.id); if (s.kind === 'atomic' && s.old) own.add(s.old.id); });
  const differs = (e: Expr): boolean => {
    if (e.kind === 'load' || e.kind === 'subgroup') return true;
    if (e.kind !== 'var') return operands(e).some(differs);
    const value = p.space.lets.get(e.id);
    return own.has(e.id) || (value !== undefined && differs(value));
  };
  return differs;
}
