import { DslError } from '../errors/index.ts';
import { block, childrenOf, isConst, printExpr, sameExpr, showLoc, visitStmt } from '../ir/index.ts';
import type { Barrier, For, Stmt } from '../ir/index.ts';
import { laneAccesses, readsMemory } from './lane-access.ts';
import type { LaneAccess } from './lane-access.ts';
import { differs, laneNest, lanesOwn } from './lane-nest.ts';
import type { LaneNest } from './lane-nest.ts';
import { replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';
import { meetings } from './touch.ts';
import type { Relation } from './touch.ts';

/** A use since the last barrier, and the loop whose iteration has ended since. */
interface Pending { readonly a: LaneAccess; readonly rel: Relation }
interface Visited { readonly s: Stmt; readonly pending: readonly Pending[]; /** Do all lanes surely meet in it? */ readonly sure: boolean }

/**
 * Places the barriers that the lanes of each workgroup need: between two uses of one element by different lanes, one of which writes, there must be one.
 * Each is put as late as possible, outside of loops that need none; then those are taken away without which all is still separated. Barriers stand
 * where all lanes come by alike, or the schedule is refused.
 */
export function placeBarriers(st: State, at: At): void {
  const tops: For[] = [];
  const find = (s: Stmt): void => {
    if (s.kind === 'for' && s.loop.startsWith('lane.')) tops.push(s);
    else if (s.kind === 'block') s.body.forEach(find);
    else if (s.kind === 'for' || s.kind === 'while' || s.kind === 'region') find(s.body);
    else if (s.kind === 'if') { find(s.then); if (s.else) find(s.else); }
  };
  find(st.ir.body);
  for (const top of tops) {
    const nest = laneNest(top), done = forNest(nest, st, at);
    if (done !== nest.body) setBody(st, replaceStmt(st.ir.body, nest.body, done));
  }
}

function forNest(nest: LaneNest, st: State, at: At): Stmt {
  const own = lanesOwn(nest), accesses = laneAccesses(nest);
  if (accesses(nest.body).length === 0) return nest.body;
  const meet = meetings(nest);
  // Statements that are made anew around a barrier have the uses of those that they were.
  const origin = new Map<Stmt, Stmt>(), usesOf = (s: Stmt): readonly LaneAccess[] => accesses(origin.get(s) ?? s);
  const derived = (now: Stmt, before: Stmt): Stmt => { origin.set(now, origin.get(before) ?? before); return now; };
  const first = (pending: readonly Pending[], s: Stmt): { p: Pending; a: LaneAccess } | undefined => {
    for (const a of usesOf(s)) for (const p of pending) if (meet(p.a, a, p.rel)) return { p, a };
    return undefined;
  };
  const barrier: Barrier = { kind: 'barrier', scope: 'workgroup', loc: at.loc, step: at.step };
  const isBarrier = (s: Stmt): boolean => s.kind === 'barrier' && s.scope === 'workgroup';

  // One object for each use and relation, so that sets of them are quick to join.
  const known = new Map<LaneAccess, Map<For | undefined, [Pending | undefined, Pending | undefined]>>();
  const pendingOf = (a: LaneAccess, carried: For | undefined, adjacent: boolean): Pending => {
    const of = known.get(a) ?? new Map<For | undefined, [Pending | undefined, Pending | undefined]>(), two = of.get(carried) ?? [undefined, undefined];
    known.set(a, of);
    of.set(carried, two);
    return (two[Number(adjacent)] ??= { a, rel: { carried, adjacent } });
  };
  // Loops that need no barrier need not be walked, each twice inside of each of those around it.
  const calm = new Map<Stmt, boolean>();
  const quiet = (s: Stmt): boolean => {
    const known = calm.get(s);
    if (known !== undefined) return known;
    let barriers = false;
    visitStmt(s, (x) => { barriers ||= isBarrier(x); });
    const uses = usesOf(s), meets = (a: LaneAccess, b: LaneAccess): boolean => [undefined, ...a.loops.filter((l, i) => b.loops[i] === l)].some((carried) => meet(a, b, { carried, adjacent: false }));
    const is = !barriers && !uses.some((a) => uses.some((b) => meets(a, b)));
    calm.set(s, is);
    return is;
  };
  const walked = (s: For, before: readonly Pending[]): Visited => {
    const inside = new Set<Stmt>();
    visitStmt(origin.get(s) ?? s, (x) => { inside.add(x); });
    return { s, pending: union(before, usesOf(s).flatMap((a) => [undefined, ...a.loops.filter((l) => inside.has(l))].map((l) => pendingOf(a, l, false)))), sure: false };
  };
  /** With `place`, barriers are added where they are needed; else `missing` counts where they would be. */
  let place = true, missing = 0;
  const visit = (s: Stmt, before: readonly Pending[], alike: string | undefined): Visited => {
    switch (s.kind) {
      case 'block': {
        let pending = before, sure = false;
        const out: Stmt[] = [];
        for (const c of s.body) {
          if (isBarrier(c)) { pending = []; sure = true; out.push(c); continue; }
          const hit = first(pending, c);
          if (hit && alike === undefined) {
            if (place) out.splice(beforeNames(out), 0, barrier); else missing++;
            pending = [];
            sure ||= place;
          } else if (hit && alike !== undefined && place && (st.filled.has(hit.a.buf.id) || (st.dealt.has(hit.a.buf.id) && !alone(hit.p.a, hit.a)))) fail(hit.p.a, hit.a, alike);
          const v = visit(c, pending, alike);
          out.push(v.s);
          pending = v.pending;
          sure ||= v.sure;
        }
        return { s: out.length === s.body.length && out.every((x, i) => x === s.body[i]) ? s : derived({ ...s, body: out }, s), pending, sure };
      }
      case 'for': case 'while': {
        if (s.kind === 'for' && quiet(s) && !first(before, s)) return walked(s, before);
        const odd = alike ?? (s.kind === 'while' ? [s.max, s.cond] : [s.extent]).map((e) => (differs(e, own) ? `${printExpr(e)} differs from lane to lane` : undefined)).find((x) => x !== undefined);
        let body = s.body, v = visitList(body, before, odd);
        const inside = new Set(usesOf(s.body));
        for (let i = 0; i < 8 && !(s.kind === 'for' && isConst(s.extent, 1)); i++) {
          body = v.s;
          // A while has no counter that tells iterations apart: whatever is in it may meet.
          const carried = v.pending.filter((p) => inside.has(p.a)).map((p) => (s.kind === 'for' ? pendingOf(p.a, (origin.get(s) ?? s) as For, v.sure) : pendingOf(p.a, undefined, false)));
          const again = visitList(body, union(before, carried), odd);
          const changed = again.s !== body;
          v = { ...again, pending: union(v.sure ? [] : v.pending, again.pending) };
          if (!changed) break;
        }
        const runs = s.kind === 'for' && isConst(s.extent) && s.extent.value > 0;
        return { s: v.s === s.body ? s : derived({ ...s, body: v.s }, s), pending: runs && v.sure ? v.pending : union(before, v.pending), sure: runs && v.sure };
      }
      case 'if': {
        const odd = alike ?? (differs(s.cond, own) ? `${printExpr(s.cond)} differs from lane to lane` : undefined);
        const then = visitList(s.then, before, odd), other = s.else && visitList(s.else, odd === undefined ? before : union(before, then.pending), odd);
        const same = then.s === s.then && other?.s === s.else;
        return { s: same ? s : derived({ ...s, then: then.s, else: other?.s }, s), pending: union(union(then.sure && other?.sure ? [] : before, then.pending), other?.pending ?? []), sure: then.sure && (other?.sure ?? false) };
      }
      case 'region': { const v = visitList(s.body, before, alike); return { ...v, s: v.s === s.body ? s : derived({ ...s, body: v.s }, s) }; }
      case 'barrier': return { s, pending: isBarrier(s) ? [] : before, sure: isBarrier(s) };
      default: return { s, pending: union(before, usesOf(s).map((a) => pendingOf(a, undefined, false))), sure: false };
    }
  };
  /** Is it one lane of a row that does both? */
  const alone = (a: LaneAccess, b: LaneAccess): boolean => a.guards.some((g) => g.kind === 'cmp' && g.fn === 'eq' && isConst(g.b) && differs(g.a, own) && b.guards.some((h) => sameExpr(g, h)));
  /** A body that is no list yet is one of a single statement. */
  const visitList = (s: Stmt, before: readonly Pending[], alike: string | undefined): Visited => {
    if (s.kind === 'block') return visit(s, before, alike);
    const v = visit({ kind: 'block', body: [s] }, before, alike), list = v.s.kind === 'block' ? v.s.body : [v.s];
    return { ...v, s: list.length === 1 ? list[0]! : derived(block(list), s) };
  };
  const union = (a: readonly Pending[], b: readonly Pending[]): readonly Pending[] => (b.length === 0 ? a : [...new Set([...a, ...b])]);
  const fail = (a: LaneAccess, b: LaneAccess, why: string): never => {
    const show = (x: LaneAccess): string => `${x.buf.name}[${x.index.map(printExpr).join(', ')}]${x.stmt.loc ? ` (${showLoc(x.stmt.loc)})` : ''}`;
    throw new DslError('KD-S-BARRIER', { a: show(a), b: show(b), why }, { ...at, loc: b.stmt.loc ?? at.loc });
  };

  let now = visitList(nest.body, [], undefined).s;
  // Those without which nothing is missing were made needless by later ones.
  place = false;
  const placed = (s: Stmt): number => (s === barrier ? 1 : childrenOf(s).reduce((n, x) => n + placed(x), 0));
  for (let i = 0, n = placed(now); i < n;) {
    const less = withoutNth(now, barrier, i, derived);
    missing = 0;
    visitList(less, [], undefined);
    if (missing === 0) { now = less; n--; } else i++;
  }
  return freshBarriers(now, barrier);
}

/** Names of index arithmetic stay beside what they are used for: a barrier goes in front of them. */
function beforeNames(list: readonly Stmt[]): number {
  let n = list.length;
  for (let s = list[n - 1]; n > 0 && s && (s.kind === 'alloc' || (s.kind === 'let' && !readsMemory(s.value))); s = list[n - 1]) n--;
  return n;
}
/** The same statements with their placed barriers, of which the n-th is left out or each is replaced. */
function mapPlaced(s: Stmt, barrier: Stmt, f: () => Stmt | undefined, derived: (now: Stmt, before: Stmt) => Stmt): Stmt {
  const go = (x: Stmt): Stmt => mapPlaced(x, barrier, f, derived);
  switch (s.kind) {
    case 'block': { const body = s.body.flatMap((x): readonly Stmt[] => { if (x !== barrier) return [go(x)]; const y = f(); return y ? [y] : []; }); return body.length === s.body.length && body.every((x, i) => x === s.body[i]) ? s : derived({ ...s, body }, s); }
    case 'for': case 'while': case 'region': { const body = go(s.body); return body === s.body ? s : derived({ ...s, body }, s); }
    case 'if': { const then = go(s.then), els = s.else && go(s.else); return then === s.then && els === s.else ? s : derived({ ...s, then, else: els }, s); }
    default: return s;
  }
}
function withoutNth(s: Stmt, barrier: Stmt, n: number, derived: (now: Stmt, before: Stmt) => Stmt): Stmt {
  let i = 0;
  return mapPlaced(s, barrier, () => (i++ === n ? undefined : barrier), derived);
}
const freshBarriers = (s: Stmt, barrier: Barrier): Stmt => mapPlaced(s, barrier, () => ({ ...barrier }), (x) => x);
