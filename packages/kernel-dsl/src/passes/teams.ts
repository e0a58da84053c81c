import { DslError } from '../errors/index.ts';
import { BULK_2D, HOLD, LAUNCHES, MBARRIER, REGISTERS, WGMMA, argsOf, matchInstruction } from '../instructions/index.ts';
import { add, and, binary, block, bytesOf, compare, constant, isConst, load, mapChildren, mapExpr, mapOwnExprs, mul, newBuffer, newVar, renew, select, sub, substitute, substituteExpr, visitStmt } from '../ir/index.ts';
import type { Buffer, CallArg, DeviceFunction, Expr, For, KernelIR, Stmt, Var } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { WARPGROUP, distribute, fragmentOf, offsetOf, tileRegisters } from './fragments.ts';
import type { Fragment, Team } from './fragments.ts';
import { holds } from './grid.ts';

const TEAM = 128;
const isTeam = (s: Stmt): s is For & { readonly loop: 'team.warpgroup' } => s.kind === 'for' && s.loop.startsWith('team.');
const isBlock = (s: Stmt): s is For => s.kind === 'for' && s.loop.startsWith('block.');
const isBulk = (s: Stmt): s is Extract<Stmt, { kind: 'instr' }> & { readonly body: Stmt } => s.kind === 'instr' && s.def.name === 'copy_tile' && s.body !== undefined;
const fail = (why: string, s: Stmt): never => { throw new DslError('KD-L-TEAM', { why }, { loc: s.loc, step: s.step }); };

/**
 * Programs of teams as programs of lanes (compute capability 9.0). A workgroup gets one warpgroup that starts copies, and one for each team, which works. Each goes
 * through the loops of the program for itself: the first one runs only its bulk copies, into rings of tiles, and waits for a tile to be free; the others
 * run all the rest, wait for a tile to be full, and set it free after use. Two barriers a tile keep both in step.
 * @throws DslError KD-L-TEAM
 */
export function teams(k: KernelIR, target: Target): KernelIR {
  if (!holds(k.body, isTeam)) return k;
  if (!target.features.includes('wgmma')) return fail(`${target.isa} has no warpgroups`, k.body);
  const go = (s: Stmt): Stmt => (isBlock(s) && holds(s, isTeam) ? workgroup(s) : mapChildren(s, go));
  return { ...k, body: go(k.body) };
}

/** What a workgroup's program is made of. */
interface Roles {
  readonly count: number;
  readonly lane: Var;
  readonly fragments: ReadonlyMap<number, Fragment>;
  /** Tiles by the id of the program's buffer. */
  readonly tiles: ReadonlyMap<number, Buffer>;
  readonly rings: ReadonlyMap<For, Ring>;
  /** The team of the lanes that run, where those of one role run. */
  readonly team: Expr;
}
/** A ring of tiles: its barriers, and where a role is in it. */
interface Ring { readonly stages: number; readonly bytes: number; readonly full: Buffer; readonly empty: Buffer; readonly slot: Buffer; readonly parity: Buffer }

function workgroup(top: For): Stmt {
  const blocks: For[] = [];
  let body: Stmt = top;
  for (; isBlock(body); body = body.body) blocks.push(body);
  const counts = new Set<number>(), fragments = new Map<number, Fragment>(), tiles = new Map<number, Buffer>(), rings = new Map<For, Ring>(), allocs: Buffer[] = [];
  visitStmt(body, (s) => { if (isTeam(s)) counts.add(isConst(s.extent) ? s.extent.value : fail(`the number of teams at ${s.v.name} is not constant`, s)); });
  if (counts.size !== 1) return fail(`its loops have ${[...counts].join(' and ')} teams`, top);
  const [count] = [...counts] as [number], lane = newVar('lane');
  visitStmt(body, (s) => {
    if (s.kind === 'alloc' && s.buf.space === 'reg') fragments.set(s.buf.id, fragmentOf(s.buf, (n) => newBuffer({ name: s.buf.name, dtype: s.buf.dtype, space: 'local', shape: [constant(n)], loc: s.buf.loc }), s, WARPGROUP));
    if (s.kind !== 'for' || !s.ring) { if (isTeam(s)) return false; return undefined; }
    const copies = (s.body.kind === 'block' ? s.body.body : [s.body]).filter(isBulk), stages = s.ring;
    let bytes = 0;
    for (const c of copies) {
      const b = storeOf(c).buf, shape = b.shape, n = shape.reduce((x, e) => x * (isConst(e) ? e.value : 0), 1) * bytesOf(b.dtype);
      const tile = newBuffer({ ...b, shape: [constant(stages), ...shape] });
      tiles.set(b.id, tile);
      allocs.push(tile);
      bytes += n;
    }
    const bar = (name: string): Buffer => newBuffer({ name, dtype: 'i64', space: 'shared', shape: [constant(stages)], loc: s.loc }), own = (name: string): Buffer => newBuffer({ name, dtype: 'i32', space: 'reg', shape: [], loc: s.loc });
    rings.set(s, { stages, bytes, full: bar('full'), empty: bar('empty'), slot: own('slot'), parity: own('parity') });
    return undefined;
  });
  visitStmt(body, (s) => { if (isBulk(s) && !tiles.has(storeOf(s).buf.id)) fail('a bulk copy outside of a ring', s); });
  const at = { loc: top.loc, step: top.step }, all = [...rings.values()], roles: Roles = { count, lane, fragments, tiles, rings, team: sub(binary('div', lane, constant(TEAM)), constant(1)) };
  const call = (fn: DeviceFunction, ...args: CallArg[]): Stmt => ({ kind: 'call', fn, args, ...at });
  const init = all.flatMap((r) => Array.from({ length: r.stages }, (_, i) => [call(MBARRIER.init, place(r.full, constant(i)), value(1)), call(MBARRIER.init, place(r.empty, constant(i)), value(count))]).flat());
  const start = (r: Ring, parity: number): Stmt[] => [{ kind: 'alloc', buf: r.slot, ...at }, { kind: 'store', buf: r.slot, index: [], value: constant(0, 'i32'), ...at }, { kind: 'alloc', buf: r.parity, ...at }, { kind: 'store', buf: r.parity, index: [], value: constant(parity, 'i32'), ...at }];
  const registers = 504 / (count + 1);
  const outer = blocks[0]!, inner = blocks[1], tile = outer.persistent && inner ? bands(outer, inner, body) : undefined, work = tile ? tile.body : body;
  const producer = block([call(REGISTERS(count === 1 ? 56 : 40, false)), { kind: 'if', cond: compare('eq', lane, constant(0)), then: renew(block([...all.flatMap((r) => start(r, 1)), produce(work, roles, undefined)])).stmt, ...at }]);
  const consumer = block([call(REGISTERS(Math.floor((count === 1 ? 240 : count === 2 ? 232 : registers) / 8) * 8, true)), ...all.flatMap((r) => start(r, 0)), consume(work, roles, undefined)]);
  const program = block([
    { kind: 'region', name: 'barriers of the rings: full and empty, one of each a tile', body: { kind: 'if', cond: compare('eq', lane, constant(0)), then: block([...init, call(MBARRIER.initDone)]), ...at }, ...at },
    { kind: 'barrier', scope: 'workgroup', ...at },
    call(LAUNCHES.next), call(LAUNCHES.before),
    { kind: 'if', cond: compare('lt', lane, constant(TEAM)), then: { kind: 'region', name: 'the first warpgroup starts copies', body: producer, ...at }, else: { kind: 'region', name: 'the others compute', body: consumer, ...at }, ...at },
  ]);
  const lanes: For = { kind: 'for', v: lane, extent: constant(TEAM * (count + 1)), loop: 'lane.x', body: program, ...at };
  const memory: Stmt[] = [...allocs, ...all.flatMap((r) => [r.full, r.empty])].map((buf) => ({ kind: 'alloc', buf, ...at }));
  const inside = block([...memory, lanes]);
  return tile ? { ...tile.grid, body: inside } : blocks.reduceRight<Stmt>((b, l) => ({ ...l, body: b }), inside);
}

/**
 * The tiles of two block loops, shared by workgroups that stay: number w takes w, w + workgroups, …; tiles are numbered down the rows of a band, column by column,
 * and then band by band.
 */
function bands(outer: For, inner: For, body: Stmt): { readonly grid: For; readonly body: Stmt } {
  const { workgroups, group } = outer.persistent!, at = { loc: outer.loc, step: outer.step }, w = newVar('workgroup'), t = newVar('turn'), rows = outer.extent, cols = inner.extent;
  const tiles = mul(rows, cols), name = (stem: string, value: Expr): [Var, Stmt] => { const v = newVar(stem); return [v, { kind: 'let', v, value, ...at }]; };
  const [tile, l0] = name('tile', add(mul(t, constant(workgroups)), w)), [first, l1] = name('band', mul(binary('div', tile, mul(cols, constant(group))), constant(group)));
  const [high, l2] = name('rows', binary('min', sub(rows, first), constant(group))), [within, l3] = name('in_band', binary('mod', tile, mul(cols, constant(group))));
  const lets: Stmt[] = [l0, l1, l2, l3, { kind: 'let', v: outer.v, value: add(first, binary('mod', within, high)), ...at }, { kind: 'let', v: inner.v, value: binary('div', within, high), ...at }];
  const turns: For = { kind: 'for', v: t, extent: binary('div', add(sub(tiles, w), constant(workgroups - 1)), constant(workgroups)), loop: 'seq', body: block([...lets, body]), ...at };
  return { grid: { kind: 'for', v: w, extent: binary('min', tiles, constant(workgroups)), loop: 'block.x', body: block([]), ...at }, body: turns };
}

const place = (buf: Buffer, ...index: Expr[]): CallArg => ({ kind: 'place', buf, index, writes: true });
const value = (x: number | Expr): CallArg => ({ kind: 'value', value: typeof x === 'number' ? constant(x, 'i32') : x });

/** The store of a bulk copy. */
function storeOf(s: Stmt): Extract<Stmt, { kind: 'store' }> {
  let found: Extract<Stmt, { kind: 'store' }> | undefined;
  visitStmt(s, (x) => { if (x.kind === 'store' && x.value.kind === 'load') found ??= x; });
  return found ?? fail('a bulk copy without a copy', s);
}

/** Where a role is in a ring, one tile on. */
function onward(r: Ring, s: Stmt): Stmt {
  const at = { loc: s.loc, step: s.step }, slot = load(r.slot, []), last = compare('eq', slot, constant(r.stages - 1, 'i32')), around = newVar('around', 'bool');
  return block([
    { kind: 'let', v: around, value: last, ...at },
    { kind: 'store', buf: r.slot, index: [], value: select(around, constant(0, 'i32'), add32(slot, 1)), ...at },
    { kind: 'store', buf: r.parity, index: [], value: select(around, binary('xor', load(r.parity, []), constant(1, 'i32')), load(r.parity, [])), ...at },
  ]);
}
const add32 = (e: Expr, n: number): Expr => binary('add', e, constant(n, 'i32'));
const slotOf = (r: Ring): Expr => ({ kind: 'cast', dtype: 'i64', lanes: 1, x: load(r.slot, []) });

/** The program of the lane that starts copies: control flow and bulk copies, nothing else. `ring`: the one that they go into. */
function produce(s: Stmt, x: Roles, ring: Ring | undefined): Stmt {
  const at = { loc: s.loc, step: s.step };
  if (isTeam(s)) return block([]);
  switch (s.kind) {
    case 'block': return block(s.body.map((c) => produce(c, x, ring)));
    case 'region': return holds(s, isBulk) ? { ...s, body: produce(s.body, x, ring) } : block([]);
    case 'let': return s;
    case 'if': return holds(s, isBulk) ? { ...s, then: produce(s.then, x, ring), else: s.else && produce(s.else, x, ring) } : block([]);
    case 'for': {
      if (!holds(s, isBulk)) return block([]);
      const r = x.rings.get(s), { ring: _, ...plain } = s;
      if (!r) return { ...plain, body: produce(s.body, x, ring) };
      const bar = place(r.full, slotOf(r));
      return { ...plain, body: block([
        { kind: 'call', fn: MBARRIER.wait, args: [place(r.empty, slotOf(r)), value(load(r.parity, []))], ...at },
        { kind: 'call', fn: MBARRIER.expect, args: [bar, value(r.bytes)], ...at },
        produce(s.body, x, r), onward(r, s),
      ]) };
    }
    case 'instr': {
      if (!isBulk(s)) return block([]);
      if (!ring) return fail('a bulk copy outside of a ring', s);
      const store = storeOf(s), from = store.value as Extract<Expr, { kind: 'load' }>, tile = x.tiles.get(store.buf.id)!, loops = new Set<number>();
      visitStmt(s.body, (l) => { if (l.kind === 'for') loops.add(l.v.id); });
      const origin = from.index.map((e) => mapExpr(e, (y) => (y.kind === 'var' && loops.has(y.id) ? constant(0) : y)));
      const box = store.buf.shape.map((e) => (isConst(e) ? e.value : 0)).toReversed();
      return { kind: 'call', fn: BULK_2D, args: [
        place(tile, slotOf(ring), constant(0), constant(0)), { kind: 'map', buf: from.buf, box, swizzle: 128 }, place(ring.full, slotOf(ring)),
        ...origin.toReversed().map((e): CallArg => value({ kind: 'cast', dtype: 'i32', lanes: 1, x: e })),
      ], ...at };
    }
    default: return block([]);
  }
}

/** The program of the lanes that compute. `ring`: the one whose tile is in use. */
function consume(s: Stmt, x: Roles, ring: Ring | undefined): Stmt {
  const at = { loc: s.loc, step: s.step };
  if (isBulk(s)) return block([]);
  if (isTeam(s)) return teamWork(s, x, ring);
  switch (s.kind) {
    case 'block': return block(s.body.map((c) => consume(c, x, ring)));
    case 'region': return { ...s, body: consume(s.body, x, ring) };
    case 'let': return s;
    case 'if': return { ...s, then: consume(s.then, x, ring), else: s.else && consume(s.else, x, ring) };
    case 'alloc': {
      const f = x.fragments.get(s.buf.id);
      return f ? { ...s, buf: f.own } : block([]);
    }
    case 'for': {
      const r = x.rings.get(s), { ring: _, ...plain } = s;
      if (!r) return { ...plain, body: consume(s.body, x, ring) };
      const first: Expr = compare('eq', binary('mod', x.lane, constant(TEAM)), constant(0)), list = (s.body.kind === 'block' ? s.body.body : [s.body]).filter((c) => c.kind !== 'alloc' && !isBulk(c));
      const free = (slot: Expr, when: Expr): Stmt => ({ kind: 'if', cond: when, then: { kind: 'call', fn: MBARRIER.arrive, args: [place(r.empty, slot)], ...at }, ...at });
      const wait: Stmt = { kind: 'call', fn: MBARRIER.wait, args: [place(r.full, slotOf(r)), value(load(r.parity, []))], ...at };
      const [only] = list;
      if (list.length === 1 && only && isTeam(only) && holdsProducts(only)) {
        // Products of one tile run while those of the next are asked for: a tile is free one round later.
        const last: Expr = { kind: 'cast', dtype: 'i64', lanes: 1, x: select(compare('eq', load(r.slot, []), constant(0, 'i32')), constant(r.stages - 1, 'i32'), add32(load(r.slot, []), -1)) };
        return block([
          ...sumsOf(only, x).map((f): Stmt => ({ kind: 'call', fn: HOLD(f.own), args: [{ kind: 'array', buf: f.own }], ...at })),
          { ...plain, body: block([wait, teamWork(only, x, r, WGMMA.wait1), free(last, and(first, compare('gt', s.v, constant(0)))), onward(r, s)]) },
          { kind: 'call', fn: WGMMA.wait0, args: [], ...at },
          free(last, and(first, compare('gt', s.extent, constant(0)))),
        ]);
      }
      return { ...plain, body: block([wait, consume(s.body, x, r), free(slotOf(r), first), onward(r, s)]) };
    }
    default: return fail(`a ${s.kind} outside of its teams`, s);
  }
}

/** One team's iteration: products, and loops over registers. */
function teamWork(s: For, x: Roles, ring: Ring | undefined, wait: DeviceFunction = WGMMA.wait0): Stmt {
  const at = { loc: s.loc, step: s.step }, own = new Map<number, Expr>([[s.v.id, x.team]]), team: Team = { ...WARPGROUP, vars: [s.v] };
  const mine = (e: Expr): Expr => substituteExpr(e, own), laneInTeam = binary('mod', x.lane, constant(TEAM));
  const tile = (b: Buffer, index: readonly Expr[]): CallArg => {
    const t = x.tiles.get(b.id);
    if (!t || !ring) return fail(`a product reads ${b.name}, which is no tile of a ring`, s);
    return { kind: 'place', buf: t, index: [slotOf(ring), ...index.map(mine)], writes: false };
  };
  const products = (p: Stmt): Stmt => {
    if (p.kind === 'instr' && p.body) {
      const text = p.def.team ?? fail(`${p.def.name} is no instruction of a team`, p), m = matchInstruction(p.def, p.body);
      if ('why' in m) throw new DslError('KD-L-INSTR', { name: p.def.name, why: m.why }, p);
      const args = argsOf(p.def, m).map((a): CallArg => {
        if (a.kind !== 'place') return value(mine(a.value));
        const f = x.fragments.get(a.buf.id);
        if (!f) return tile(a.buf, a.index);
        const from = offsetOf(f, a.index, team, p);
        if (!isConst(from, 0) || (f.own.shape[0]!.kind === 'const' && f.own.shape[0]!.value !== tileRegisters(a.buf, WARPGROUP))) return fail(`${f.whole.name} has several tiles a team: one is possible today`, p);
        return { kind: 'array', buf: f.own };
      });
      return { kind: 'call', fn: text.fn, args: [args[2]!, args[0]!, args[1]!], loc: p.loc, step: p.step };
    }
    return mapOwnExprs(mapChildren(p, products), mine);
  };
  if (holdsProducts(s)) {
    const call = (fn: DeviceFunction): Stmt => ({ kind: 'call', fn, args: [], ...at });
    return block([call(WGMMA.fence), products(s.body), call(WGMMA.commit), call(wait)]);
  }
  return substitute(distribute(s.body, x.fragments, team, laneInTeam), own);
}
const holdsProducts = (s: For): boolean => holds(s.body, (y) => y.kind === 'instr' && y.def.team !== undefined);
/** What products of a team add to. */
function sumsOf(s: For, x: Roles): readonly Fragment[] {
  const found = new Set<Fragment>();
  visitStmt(s, (p) => { if (p.kind === 'store' || p.kind === 'accum') { const f = x.fragments.get(p.buf.id); if (f) found.add(f); } });
  return [...found];
}
