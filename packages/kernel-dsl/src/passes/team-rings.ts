import { HOLD, MBARRIER, WGMMA } from '../instructions/index.ts';
import { add, and, binary, block, buffersOf, compare, constant, isConst, load, renew, select, sub, substitute } from '../ir/index.ts';
import type { Expr, For, Stmt } from '../ir/index.ts';
import type { Fragment } from './fragments.ts';
import { TEAM, holdsProducts, issue, place, registersOf, settle, slotOf, teamWork, value } from './team-work.ts';
import type { Ring, Roles } from './team-work.ts';
import { isTeam, noTeam } from './team.ts';

const add32 = (e: Expr, n: number): Expr => binary('add', e, constant(n, 'i32'));

/** Waits until the tile of a ring that a role has come to is there, or, for the role that brings it, free. */
export const waitFor = (r: Ring, what: 'full' | 'empty', s: Stmt): Stmt => ({ kind: 'call', fn: MBARRIER.wait, args: [place(r[what], slotOf(r)), value(load(r.parity, []))], loc: s.loc, step: s.step });

/** Where a role is in a ring, one tile on. */
export function onward(r: Ring, s: Stmt): Stmt {
  const at = { loc: s.loc, step: s.step }, slot = load(r.slot, []);
  // The parity turns first: it asks where the slot was.
  return block([
    { kind: 'store', buf: r.parity, index: [], value: select(compare('eq', slot, constant(r.stages - 1, 'i32')), binary('xor', load(r.parity, []), constant(1, 'i32')), load(r.parity, [])), ...at },
    { kind: 'store', buf: r.slot, index: [], value: select(compare('eq', slot, constant(r.stages - 1, 'i32')), constant(0, 'i32'), add32(slot, 1)), ...at },
  ]);
}

/** The first lane of each team tells that the team is done with a tile; where others of a cluster fill it too, the first lanes tell each of them. */
function free(r: Ring, x: Roles, s: Stmt, slot: Expr = slotOf(r), when?: Expr): Stmt {
  const at = { loc: s.loc, step: s.step }, own = binary('mod', x.lane, constant(TEAM)), all = r.shared.length ? x.cluster!.count : 1, first: Expr = all > 1 ? compare('lt', own, constant(all)) : compare('eq', own, constant(0));
  const told: Stmt = all > 1 ? { kind: 'call', fn: MBARRIER.arriveAt, args: [place(r.empty, slot), value(own)], ...at } : { kind: 'call', fn: MBARRIER.arrive, args: [place(r.empty, slot)], ...at };
  return { kind: 'if', cond: when ? and(first, when) : first, then: told, ...at };
}

/** The rest of the program of lanes that compute. */
export type Consume = (s: Stmt) => Stmt;

/** A loop with rings, as the lanes that compute walk it. */
export function ringLoop(s: For, rings: readonly Ring[], x: Roles, consume: Consume): Stmt {
  const list = inOrder((s.body.kind === 'block' ? s.body.body : [s.body]).filter((c) => c.kind !== 'instr'), x), { ring: _, overlap: __, ...plain } = s;
  if (s.overlap) return overlapped(s, list, rings, x, consume);
  const work = list.filter((c) => 'anew' in c || c.kind !== 'alloc'), [only] = work;
  if (work.length === 1 && only && 'kind' in only && isTeam(only) && holdsProducts(only) && rings.length === 1) return followedUp(plain, only, rings[0]!, x);
  // A tile is waited for before its first use, and free after its last one.
  const uses = rings.map((r) => list.flatMap((c, i) => (touches('anew' in c ? c.anew : c, r) ? [i] : [])));
  return { ...plain, body: block(list.flatMap((c, i): readonly Stmt[] => [
    ...rings.flatMap((r, k) => (i === (uses[k]![0] ?? 0) ? [waitFor(r, 'full', s)] : [])),
    'anew' in c ? teamWork(c.anew, x, { anew: true }) : consume(c),
    ...rings.flatMap((r, k) => (i === (uses[k]!.at(-1) ?? 0) ? [free(r, x, s), onward(r, s)] : [])),
  ])) };
}

const touches = (s: Stmt, r: Ring): boolean => { const all = buffersOf(s); return r.tiles.some((id) => all.has(id)); };

/** Products alone: those of one tile run while those of the next are asked for; a tile is free one round later. */
function followedUp(plain: For, only: For, r: Ring, x: Roles): Stmt {
  const at = { loc: plain.loc, step: plain.step }, last: Expr = { kind: 'cast', dtype: 'i64', lanes: 1, x: select(compare('eq', load(r.slot, []), constant(0, 'i32')), constant(r.stages - 1, 'i32'), add32(load(r.slot, []), -1)) };
  return block([
    ...sumsOf(only, x).map((f): Stmt => ({ kind: 'call', fn: HOLD(f.own), args: [{ kind: 'array', buf: f.own }], ...at })),
    { ...plain, body: block([waitFor(r, 'full', plain), teamWork(only, x, { wait: WGMMA.wait1 }), free(r, x, plain, last, compare('gt', plain.v, constant(0))), onward(r, plain)]) },
    { kind: 'call', fn: WGMMA.wait0, args: [], ...at },
    free(r, x, plain, last, compare('gt', plain.extent, constant(0))),
  ]);
}

/**
 * The first products of each iteration are asked for one iteration ahead, before the last ones of the iteration before, and the work between them is done while both
 * run: up to where it touches registers of the last ones.
 */
function overlapped(s: For, list: readonly Step[], rings: readonly Ring[], x: Roles, consume: Consume): Stmt {
  const at = { loc: s.loc, step: s.step }, why = (text: string): never => noTeam(`the iterations of ${s.v.name} cannot overlap: ${text}`, s);
  const allocs = list.filter((c): c is Stmt => 'kind' in c && c.kind === 'alloc'), rest = list.filter((c) => !('kind' in c && c.kind === 'alloc'));
  const start = rest.findIndex((c) => 'anew' in c || holdsProductsIn(c)), first = rest[start], last = rest.at(-1);
  if (!first || !('anew' in first)) return why('its first products do not begin sums of their own');
  if (!last || !('kind' in last) || !isTeam(last) || !holdsProducts(last)) return why('it does not end with products');
  const a = first.anew, before = rest.slice(0, start) as Stmt[], between = rest.slice(start + 1, -1) as Stmt[];
  if (before.some((c) => c.kind !== 'let')) return why('something stands before its first products');
  const of = (c: Stmt): readonly Ring[] => rings.filter((r) => touches(c, r)), firstRings = of(a), lastRings = of(last);
  if (between.some((c) => of(c).length > 0) || firstRings.some((r) => lastRings.includes(r))) return why('tiles are used by more than one of its products');
  const sums = registersOf(a, x), held = registersOf(last, x);
  if (sums.some((f) => held.includes(f))) return why('its first and its last products share registers');
  const touched = between.findIndex((c) => { const all = buffersOf(c); return held.some((f) => all.has(f.whole.id)); }), until = touched < 0 ? between.length : touched;
  const done = (all: readonly Ring[]): readonly Stmt[] => all.flatMap((r) => [free(r, x, s), onward(r, s)]), ready = (all: readonly Ring[]): readonly Stmt[] => all.map((r) => waitFor(r, 'full', s));
  const work = (c: readonly Stmt[]): readonly Stmt[] => c.map(consume), v = s.v, following = new Map<number, Expr>([[v.id, add(v, constant(1))]]), ahead: For = {
    kind: 'for', v, extent: sub(s.extent, constant(1)), loop: 'seq', ...at,
    body: block([
      ...ready(firstRings), issue(a, x, { anew: true }), ...ready(lastRings), issue(last, x), settle(a, x, WGMMA.wait1), ...done(firstRings),
      substitute(block([...before, ...work(between.slice(0, until))]), following),
      settle(last, x, WGMMA.wait0), ...done(lastRings),
      substitute(block(work(between.slice(until))), following),
    ]),
  };
  const all = block([
    ...ready(firstRings), renew(issue(a, x, { anew: true })).stmt, settle(a, x, WGMMA.wait0), ...done(firstRings),
    renew(substitute(block([...before, ...work(between)]), new Map<number, Expr>([[v.id, constant(0)]]))).stmt,
    ahead,
    ...ready(lastRings), renew(issue(last, x)).stmt, settle(last, x, WGMMA.wait0), ...done(lastRings),
  ]);
  return block([...work(allocs), { kind: 'if', cond: compare('gt', s.extent, constant(0)), then: all, ...at }]);
}

/** A statement, or products that begin sums of their own. */
export type Step = Stmt | { readonly anew: For };
const holdsProductsIn = (c: Step): boolean => 'kind' in c && isTeam(c) && holdsProducts(c);

/** Statements in order, but that products whose sums were set to zero right before begin anew, and that products which follow each other and add to the same sums are one step. */
export function inOrder(list: readonly Stmt[], x: Roles): readonly Step[] {
  const out: Step[] = [];
  for (const s of list) {
    const before = out.at(-1), zeroed = before && 'kind' in before && isTeam(before) ? zeroedBy(before, x) : undefined;
    if (zeroed && isTeam(s) && holdsProducts(s) && sumsOf(s, x).length === 1 && sumsOf(s, x)[0] === zeroed) { out[out.length - 1] = { anew: s }; continue; }
    const first = before && ('anew' in before ? before.anew : before);
    if (first && isTeam(s) && isTeam(first) && sameSums(first, s, x)) {
      const both: For = { ...first, body: block([first.body, substitute(s.body, new Map<number, Expr>([[s.v.id, first.v]]))]) };
      out[out.length - 1] = 'anew' in before ? { anew: both } : both;
      continue;
    }
    out.push(s);
  }
  return out;
}

/** Do products of both add to the same registers, and touch no others? */
function sameSums(a: For, b: For, x: Roles): boolean {
  const [one, other] = [a, b].map((s) => (holdsProducts(s) ? registersOf(s, x) : [])) as [readonly Fragment[], readonly Fragment[]];
  return one.length === 1 && other.length === 1 && one[0] === other[0];
}

/** The tile that a loop of a team sets to zero, and does nothing else. */
function zeroedBy(s: For, x: Roles): Fragment | undefined {
  let y: Stmt = s;
  const extents: number[] = [];
  while (y.kind === 'for' || (y.kind === 'block' && y.body.length === 1)) {
    if (y.kind === 'for' && y !== s) extents.push(isConst(y.extent) ? y.extent.value : 0);
    y = y.kind === 'for' ? y.body : y.body[0]!;
  }
  const f = y.kind === 'store' && isConst(y.value, 0) ? x.fragments.get(y.buf.id) : undefined;
  return f?.form === 'tile' && f.whole.shape.slice(-2).every((e, i) => isConst(e, extents[i])) && extents.length === 2 ? f : undefined;
}

/** What products of a team add to. */
const sumsOf = (s: For, x: Roles): readonly Fragment[] => registersOf(s, x).filter((f) => f.form === 'tile');
