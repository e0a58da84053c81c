import { DslError } from '../errors/index.ts';
import { add, binary, block, buffersOf, ceilDiv, compare, constant, identity, isConst, isFloat, load, lt, mapChildren, mapExprs, mul, newBuffer, newVar, printStmt, sameExpr, sub, substitute, substituteExpr, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, KernelIR, Stmt, Var } from '../ir/index.ts';
import { Axis } from '../lang/index.ts';
import { keptBy, leaksOld, MOST_KEPT, rolesOf, withoutJoins, writesOf } from './deal-memory.ts';
import type { Joined } from './deal-memory.ts';
import { keepable } from './deal-keep.ts';
import type { Keep } from './deal-keep.ts';
import { dependence } from './depend.ts';
import { isLane } from './lane-nest.ts';
import { vectorize } from './mark.ts';
import { halves, redirected } from './rfactor.ts';
import { findLoop, findVar, refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/** Settings of `deal`. */
export interface DealOptions {
  /** Lanes that work on one iteration: a power of two up to 1024, 256 where nothing is said. */
  readonly lanes?: number;
  /** Neighbouring iterations that a lane takes at a time, as a vector. */
  readonly vector?: number;
  /** Lanes keep in registers what several of the loops use of tensors: of so many elements of a row, up to 64 a lane; what lies beyond is read or written each time. */
  readonly keep?: number;
}

/**
 * Lanes of a workgroup share the work of each iteration of `row`: lane t takes iterations t, t + lanes, … of each of the loops `over` inside of it (or `vector`
 * neighbours at a time). What such a loop adds up in a register, each lane adds up apart; then all lanes get the whole, from subgroups first, then by way of
 * shared memory. Everything else in the iteration every lane does for itself, but memory is written by lane 0 alone. Working memory that lanes fill together
 * becomes shared memory, or registers where each lane touches elements of its own alone. Sums change their order. Returns the loops over rounds, by the names of the dealt loops.
 */
export function deal(st: State, row: Axis, over: readonly Axis[], o: DealOptions, at: At): Readonly<Record<string, Axis>> {
  const refuse = (why: string): never => { throw new DslError('KD-S-DEAL', { axis: row.name, over: over.map((a) => a.name).join(', '), why }, at); };
  const lanes = o.lanes ?? 256, vector = o.vector ?? 1, { loop, path } = findLoop(st, row, at);
  if (over.length === 0) return refuse('no loops are given');
  for (const [what, n, most] of [['lanes', lanes, 1024], ['vector', vector, 16]] as const) if (!Number.isInteger(n) || n < 1 || n > most || (n & (n - 1)) !== 0) return refuse(`${what}: ${n} is no power of two up to ${most}`);
  if (loop.loop === 'lane.x') return refuse(`${row.name} is bound to lane.x itself`);
  const dealt = over.map((a) => findLoop(st, a, at)), loops = dealt.map((d) => d.loop);
  dealt.forEach((d, i) => {
    if (!d.path.includes(loop)) refuse(`${over[i]!.name} does not lie inside of it`);
    if (d.loop.loop !== 'seq') refuse(`${over[i]!.name} is ${d.loop.loop}`);
    const between = d.path.slice(d.path.indexOf(loop) + 1).find((s) => s.kind === 'for' && (s.loop !== 'seq' || loops.includes(s)));
    if (between?.kind === 'for') refuse(loops.includes(between) ? `${over[i]!.name} lies inside of ${between.v.name}` : `${over[i]!.name} lies inside of ${between.v.name}, which is ${between.loop}`);
  });
  visitStmt(loop.body, (s) => {
    if (s.kind === 'for' && (s.loop.includes('.') || s.loop === 'parallel')) refuse(`${s.v.name} inside of it is ${s.loop}`);
    if (s.kind === 'barrier' || s.kind === 'instr' || s.kind === 'call') refuse(`it holds '${printStmt(s).trim().split('\n')[0]}'`);
  });
  const found = rolesOf(loop.body, loops, refuse), kept = new Map<number, Buffer>(), own = keptBy(loop.body, loops, found, lanes, vector);
  for (const buf of own) kept.set(buf.id, newBuffer({ ...buf, space: 'reg', shape: [constant((buf.shape[0] as { value: number }).value / (lanes * vector)), constant(vector)] }));
  const held = Math.floor(Math.min((o.keep ?? 0) / lanes, MOST_KEPT) / vector), keeps = held > 0 ? keepable(loop.body, loops) : [];
  if (o.keep !== undefined && keeps.length === 0) return refuse(`no two loops use what ${o.keep} elements in registers hold`);
  const roles = { ...found, shared: new Set([...found.shared].filter((id) => !kept.has(id))), own: new Set([...found.own, ...kept.keys()]) };
  for (const d of loops) {
    const why = dependence(withoutJoins(d, roles.joins.get(d)!));
    if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'deal', axis: d.v.name, why }, at);
  }
  const apart = st.target.gpu !== undefined && st.target.gpu.subgroup === undefined, width = apart ? 1 : subgroupFor(st, lanes, refuse), t = newVar(`${row.name}_lane`, 'i64', 1, at.loc), around = [...path, loop].filter(isLane);
  const made: Buffer[] = [], context: Context = { at, lanes, vector, width, t, around, made, kept, keeps: keeps.map((k) => ({ ...k, to: newBuffer({ name: `${k.buf.name}_kept`, dtype: k.buf.dtype, space: 'reg', shape: [constant(held + 1), constant(vector)], loc: at.loc }) })), held, after: [] };

  // Memory that lanes fill together: one for each iteration of the lane loops around.
  const moved = new Map<number, Buffer>(), before = new Map<number, readonly Expr[]>();
  visitStmt(loop.body, (s) => {
    if (s.kind !== 'alloc' || !roles.shared.has(s.buf.id)) return;
    const buf = newBuffer({ ...s.buf, space: 'shared', shape: [...around.map((l) => l.extent), ...s.buf.shape] });
    moved.set(s.buf.id, buf);
    before.set(buf.id, around.map((l) => l.v));
    made.push(buf);
  });
  const axes: Record<string, Axis> = {};
  const walk = (s: Stmt): Stmt | null => {
    const d = loops.indexOf(s as For);
    if (d >= 0) {
      const r = dealOne(loops[d]!, roles.joins.get(loops[d]!)!, context);
      if (r.rounds) axes[over[d]!.name] = r.rounds;
      st.consumed.set(loops[d]!.v.id, `${at.step} dealt it out over lanes`);
      return r.stmt;
    }
    if (s.kind === 'alloc' && roles.shared.has(s.buf.id)) return null;
    if (s.kind === 'alloc' && kept.has(s.buf.id)) return { ...s, buf: kept.get(s.buf.id)! };
    const holds = loops.some((l) => findVar(s, l.v.id));
    if (!holds) {
      const w = writesOf(s, roles);
      if (w.memory && !w.own) {
        if (leaksOld(s, loop.body)) return refuse('what an atomic update found is used by all lanes');
        return { kind: 'if', cond: compare('eq', t, constant(0)), then: s, loc: s.loc, step: at.step };
      }
      if (!w.memory) return s;
    }
    return mergeAlone(mapChildren(s, walk), t);
  };
  const body = toShared(walk(loop.body) ?? block([]), moved, before);
  const registers = context.keeps.map(({ to }): Stmt => ({ kind: 'alloc', buf: to, loc: at.loc, step: at.step }));
  const nest: For = { kind: 'for', v: t, extent: constant(lanes), loop: 'lane.x', body: block([...registers, body]), loc: at.loc, step: at.step }, dealtRow: For = { ...loop, body: nest };
  const allocs = made.map((buf): Stmt => ({ kind: 'alloc', buf, loc: at.loc, step: at.step })), [top] = around;
  if (top) {
    const next = top === loop ? dealtRow : (replaceStmt(top, loop, dealtRow) as For);
    setBody(st, replaceStmt(st.ir.body, top, block([...allocs, next])));
  } else setBody(st, replaceStmt(st.ir.body, loop, { ...loop, body: block([...allocs, nest]) }));
  if (loops.some((d) => roles.joins.get(d)!.some((j) => isFloat(j.buf.dtype)))) st.reassociates = true;
  for (const f of context.after) f(st);
  for (const b of buffersOf(body).values()) if (b.writes > 0) st.dealt.add(b.buf.id);
  return axes;
}

/** What the parts of one call share. */
interface Context {
  readonly at: At;
  readonly lanes: number;
  readonly vector: number;
  /** Lanes of a subgroup. */
  readonly width: number;
  readonly t: Var;
  /** The lane loops around. */
  readonly around: readonly For[];
  /** Shared memory to be made. */
  readonly made: Buffer[];
  /** Working memory of which each lane keeps its own elements, by round and neighbour. */
  readonly kept: ReadonlyMap<number, Buffer>;
  /** Tensors of which each lane keeps elements of the first `held` rounds. */
  readonly keeps: readonly (Keep & { readonly to: Buffer })[];
  readonly held: number;
  /** What is done to the program once it stands. */
  readonly after: ((st: State) => void)[];
}

/** Subgroups lie inside of the lanes of one iteration: as many lanes as the kernel says, or all of them where they are fewer. */
function subgroupFor(st: State, lanes: number, refuse: (why: string) => never): number {
  const width = st.ir.subgroup ?? 32;
  if (lanes >= width) return width;
  let used = st.ir.subgroup !== undefined;
  visitExprs(st.ir.body, (e) => { used ||= e.kind === 'subgroup'; });
  if (used) return refuse(`${lanes} lanes are less than the kernel's subgroups have`);
  st.ir = { ...st.ir, subgroup: lanes } satisfies KernelIR;
  return lanes;
}

/** One dealt loop: partial results, rounds of which lanes keep something, whole rounds, the rest, and the join. */
function dealOne(d: For, joins: readonly Joined[], c: Context): { readonly stmt: Stmt; readonly rounds: Axis | undefined } {
  const { at, lanes: n, vector: V, t } = c, origin = { loc: d.loc, step: at.step };
  const parts = joins.map((j) => newBuffer({ name: `${j.buf.name}_part`, dtype: j.buf.dtype, space: 'reg', shape: V > 1 ? [constant(V)] : [], loc: at.loc }));
  const out = parts.flatMap((buf, i): Stmt[] => {
    const v = newVar(`${d.v.name}_v`, 'i64', 1, d.loc), value = identity(joins[i]!.fn, buf.dtype), alloc: Stmt = { kind: 'alloc', buf, ...origin };
    return V > 1 ? [alloc, { kind: 'for', v, extent: constant(V), loop: 'unroll', body: { kind: 'store', buf, index: [v], value, ...origin }, ...origin }] : [alloc, { kind: 'store', buf, index: [], value, ...origin }];
  });
  const mine = c.keeps.filter((k) => k.loops.includes(d)), own = [...buffersOf(d.body).keys()].some((id) => c.kept.has(id));
  let copies = 0;
  /** What is done for the element at `index`, which is place `part` of the lane's chunk of round `round`. */
  const body = (index: Expr, round: Expr, part: Expr, keeping: boolean): Stmt => {
    const inRegisters = own || keeping ? inPlace(d.body, (b, place, writes) => {
      const to = c.kept.get(b.id) ?? (keeping ? mine.find((k) => k.buf.id === b.id && !(writes && d === k.loops.at(-1)) && place.every((e, i) => sameExpr(withVar(e, d.v, k.loops[0]!.v), k.index[i]!)))?.to : undefined);
      return to && { buf: to, index: [round, part] };
    }) : d.body;
    const now = substitute(joins.reduce((s, j, i) => redirected(s, j.buf, parts[i]!, V > 1 ? [part] : []), inRegisters), new Map<number, Expr>([[d.v.id, index]]));
    return copies++ === 0 ? now : refresh(now);
  };
  // Lanes take chunks of neighbours in turns: whole rounds of them, then what chunks are left, then elements that are none.
  const size = constant(n * V), whole = binary('div', d.extent, size), rest = binary('mod', d.extent, size), left = binary('div', rest, constant(V)), single = V > 1 ? binary('mod', rest, constant(V)) : constant(0);
  /** A chunk from the element `from` on. */
  const chunk = (from: Expr, each: (index: Expr, part: Expr) => Stmt): Stmt => {
    if (V === 1) return each(add(from, t), constant(0));
    const v = newVar(`${d.v.name}_v`, 'i64', 1, d.loc);
    c.after.push((st) => vectorize(st, new Axis(v.name, constant(V), v, d.loc), at));
    return { kind: 'for', v, extent: constant(V), loop: 'seq', body: each(add(add(from, mul(t, constant(V))), v), v), ...origin };
  };
  const when = (cond: Expr, then: Stmt): Stmt => ({ kind: 'if', cond, then, ...origin });
  let axis: Axis | undefined;
  const over = (extent: Expr, loop: 'seq' | 'unroll', text: (round: Expr) => Stmt): void => {
    const round = newVar(`${d.v.name}_round`, 'i64', 1, d.loc);
    if (isConst(extent) && extent.value <= 0) return;
    if (isConst(extent, 1)) { out.push(text(constant(0))); return; }
    out.push({ kind: 'for', v: round, extent, loop, body: text(round), ...origin });
    if (loop === 'seq' || own) axis = new Axis(d.v.name, extent, round, d.loc);
  };
  const start = (round: Expr): Expr => mul(round, size), held = mine.length > 0 ? c.held : 0;
  /** Rounds of which something is kept: some whole ones, and the one with what is left. */
  const first = (text: (index: Expr, round: Expr, part: Expr) => Stmt): void => {
    over(constant(Math.min(held, isConst(whole) ? whole.value : held)), 'unroll', (round) => { const all = chunk(start(round), (index, part) => text(index, round, part)); return isConst(whole) ? all : when(lt(round, whole), all); });
    if (!isConst(left, 0)) out.push(when(lt(t, left), chunk(start(whole), (index, part) => text(index, constant(held), part))));
  };
  // Without vectors one loop asks in each iteration whether it exists, unless all do, or some are kept.
  if (V === 1 && held === 0 && !isConst(rest, 0)) over(ceilDiv(d.extent, n), 'seq', (round) => when(lt(add(start(round), t), d.extent), chunk(start(round), (index, part) => body(index, round, part, false))));
  else {
    // Whatever is read is asked for before the first of it is used.
    for (const k of mine) if (!k.written && k.loops[0] === d) first((index, round, part) => ({ kind: 'store', buf: k.to, index: [round, part], value: load(k.buf, k.index.map((e) => withVar(e, d.v, index))), ...origin }));
    first((index, round, part) => body(index, round, part, true));
    over(sub(whole, constant(held)), own ? 'unroll' : 'seq', (round) => chunk(start(add(round, constant(held))), (index, part) => body(index, round, part, false)));
    if (!isConst(single, 0)) out.push(when(lt(t, single), body(add(add(start(whole), mul(left, constant(V))), t), constant(0), constant(0), false)));
  }
  joins.forEach((j, i) => out.push(...join(j, parts[i]!, c, origin)));
  return { stmt: block(out), rounds: axis };
}

/**
 * Every lane gets what all lanes have: subgroups fold theirs, then the results of all subgroups lie in shared memory. On a target without subgroups the partial
 * results lie there, some lanes add up as many of them each, and every lane adds up what these found.
 */
function join(j: Joined, part: Buffer, c: Context, origin: { readonly loc: For['loc']; readonly step: string }): readonly Stmt[] {
  const { width, lanes, t } = c, { dtype, name } = j.buf, groups = lanes / width, mine = newVar(`${name}_mine`, dtype, 1, c.at.loc);
  const x = c.vector > 1 ? halves(part, c.vector, j.fn, Math.min(c.vector, 4)) : load(part, []), alone = c.around.map((l) => l.v);
  const into = (value: Expr): Stmt => ({ kind: 'accum', fn: j.fn, buf: j.buf, index: [], value, ...origin });
  const memory = (what: string, n: number): Buffer => { const buf = newBuffer({ name: `${name}_${what}`, dtype, space: 'shared', shape: [...c.around.map((l) => l.extent), constant(n)], loc: c.at.loc }); c.made.push(buf); return buf; };
  const put = (buf: Buffer, i: Expr, value: Expr): Stmt => ({ kind: 'store', buf, index: [...alone, i], value, ...origin });
  /** The sum of a run of `n` elements, in a register. */
  const total = (buf: Buffer, from: Expr, n: number, step = 1): { readonly stmts: readonly Stmt[]; readonly value: Expr } => {
    const sum = newBuffer({ name: `${name}_all`, dtype, space: 'reg', shape: [], loc: c.at.loc }), g = newVar('group', 'i64', 1, c.at.loc), at = (i: Expr): Expr => load(buf, [...alone, add(from, mul(i, constant(step)))]);
    return {
      value: load(sum, []),
      stmts: [
        { kind: 'alloc', buf: sum, ...origin }, { kind: 'store', buf: sum, index: [], value: at(constant(0)), ...origin },
        ...(n > 1 ? [{ kind: 'for', v: g, extent: constant(n - 1), loop: n <= 32 && width > 1 ? 'unroll' : 'seq', body: { kind: 'accum', fn: j.fn, buf: sum, index: [], value: at(add(g, constant(1))), ...origin }, ...origin } as const] : []),
      ],
    };
  };
  if (width === 1 && lanes > 1) {
    // Neighbours read neighbours: banks of shared memory serve them at once.
    const runs = 2 ** (Math.log2(lanes) >> 1), each = lanes / runs, parts = memory('parts', lanes), sums = memory('sums', runs), first = total(parts, t, each, runs), all = total(sums, constant(0), runs);
    return [put(parts, t, x), { kind: 'if', cond: lt(t, constant(runs)), then: block([...first.stmts, put(sums, t, first.value)]), ...origin }, ...all.stmts, into(all.value)];
  }
  const fold: Stmt = { kind: 'let', v: mine, value: width > 1 ? { kind: 'subgroup', fn: j.fn as 'add' | 'min' | 'max', dtype, lanes: 1, x } : x, ...origin };
  if (groups === 1) return [fold, into(mine)];
  const parts = memory('parts', groups), all = total(parts, constant(0), groups);
  return [fold, { kind: 'if', cond: compare('eq', binary('mod', t, constant(width)), constant(0)), then: put(parts, binary('div', t, constant(width)), mine), ...origin }, ...all.stmts, into(all.value)];
}

const withVar = (e: Expr, v: Var, by: Expr): Expr => substituteExpr(e, new Map([[v.id, by]]));

/** Neighbours that lane 0 alone does stand under one condition. */
function mergeAlone(s: Stmt, t: Var): Stmt {
  if (s.kind !== 'block') return s;
  const alone = (x: Stmt | undefined): x is Stmt & { kind: 'if' } => x?.kind === 'if' && !x.else && x.cond.kind === 'cmp' && x.cond.fn === 'eq' && x.cond.a === t;
  const out: Stmt[] = [];
  for (const x of s.body) {
    const last = out.at(-1);
    if (alone(x) && alone(last)) out[out.length - 1] = { ...last, then: block([last.then, x.then]) };
    else out.push(x);
  }
  return { ...s, body: out };
}

/** The same with accesses to memory that became shared. */
function toShared(s: Stmt, moved: ReadonlyMap<number, Buffer>, before: ReadonlyMap<number, readonly Expr[]>): Stmt {
  return moved.size === 0 ? s : inPlace(s, (b, index) => { const to = moved.get(b.id); return to && { buf: to, index: [...before.get(to.id)!, ...index] }; });
}

/** The same with accesses to other memory, where `place` names one. */
function inPlace(s: Stmt, place: (b: Buffer, index: readonly Expr[], writes: boolean) => { readonly buf: Buffer; readonly index: readonly Expr[] } | undefined): Stmt {
  const read = mapExprs(s, (e) => (e.kind === 'load' ? { ...e, ...place(e.buf, e.index, false) } : e));
  const go = (x: Stmt): Stmt => { const y = mapChildren(x, go); return y.kind === 'store' || y.kind === 'accum' || y.kind === 'atomic' ? { ...y, ...place(y.buf, y.index, true) } : y; };
  return go(read);
}
