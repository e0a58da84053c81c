import { DslError } from '../errors/index.ts';
import { BULK, HOLD, LAUNCHES, MBARRIER, REGISTERS, WGMMA } from '../instructions/index.ts';
import { add, and, binary, block, bytesOf, compare, constant, isConst, load, mapChildren, mapExpr, mapOwnExprs, mul, newBuffer, newVar, renew, select, sub, substitute, substituteExpr, usesVar, visitStmt } from '../ir/index.ts';
import type { Buffer, CallArg, DeviceFunction, Expr, For, KernelIR, Stmt, Var } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { WARPGROUP, fragmentOf } from './fragments.ts';
import type { Fragment } from './fragments.ts';
import { holds } from './grid.ts';
import { TEAM, holdsProducts, inTile, place, registersOf, slotOf, teamWork, value } from './team-work.ts';
import type { Ring, Roles, Tile } from './team-work.ts';

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

function workgroup(top: For): Stmt {
  const blocks: For[] = [];
  let body: Stmt = top;
  for (; isBlock(body); body = body.body) blocks.push(body);
  const counts = new Set<number>(), fragments = new Map<number, Fragment>(), tiles = new Map<number, Tile>(), rings = new Map<For, Ring>(), allocs: Buffer[] = [];
  visitStmt(body, (s) => { if (isTeam(s)) counts.add(isConst(s.extent) ? s.extent.value : fail(`the number of teams at ${s.v.name} is not constant`, s)); });
  if (counts.size !== 1) return fail(`its loops have ${[...counts].join(' and ')} teams`, top);
  const [count] = [...counts] as [number], lane = newVar('lane'), bar = (name: string, n: number): Buffer => newBuffer({ name, dtype: 'i64', space: 'shared', shape: [constant(n)], loc: top.loc }), own = (name: string): Buffer => newBuffer({ name, dtype: 'i32', space: 'reg', shape: [], loc: top.loc });
  visitStmt(body, (s) => {
    if (s.kind === 'alloc' && s.buf.space === 'reg') fragments.set(s.buf.id, fragmentOf(s.buf, (n, dtype) => newBuffer({ name: s.buf.name, dtype, space: 'local', shape: [constant(n)], loc: s.buf.loc }), s, WARPGROUP));
    if (s.kind !== 'for' || !s.ring) { if (isTeam(s)) return false; return undefined; }
    const copies = (s.body.kind === 'block' ? s.body.body : [s.body]).filter(isBulk), stages = s.ring;
    const r: Ring = { stages, bytes: copies.reduce((n, c) => n + bytesIn(storeOf(c).buf), 0), full: bar('full', stages), empty: bar('empty', stages), slot: own('slot'), parity: own('parity') };
    for (const c of copies) {
      const b = storeOf(c).buf, tile = newBuffer({ ...b, shape: [constant(stages), ...b.shape] });
      tiles.set(b.id, { buf: tile, bytes: bytesIn(b), ring: r });
      allocs.push(tile);
    }
    rings.set(s, r);
    return undefined;
  });
  // A tile outside of rings is brought once.
  const alone: Tile[] = [], inBlocks = (body.kind === 'block' ? body.body : [body]).filter(isBulk);
  visitStmt(body, (s) => {
    if (!isBulk(s) || tiles.has(storeOf(s).buf.id)) return;
    if (!inBlocks.includes(s) || blocks[0]!.persistent) fail('a bulk copy that is made over and over, outside of a ring', s);
    const b = storeOf(s).buf, tile: Tile = { buf: newBuffer({ ...b }), bytes: bytesIn(b), full: bar(`${b.name}_full`, 1) };
    tiles.set(b.id, tile);
    allocs.push(tile.buf);
    alone.push(tile);
  });
  const at = { loc: top.loc, step: top.step }, all = [...rings.values()], roles: Roles = { count, lane, fragments, tiles, rings, team: sub(binary('div', lane, constant(TEAM)), constant(1)) };
  const call = (fn: DeviceFunction, ...args: CallArg[]): Stmt => ({ kind: 'call', fn, args, ...at });
  const init = all.flatMap((r) => Array.from({ length: r.stages }, (_, i) => [call(MBARRIER.init, place(r.full, constant(i)), value(1)), call(MBARRIER.init, place(r.empty, constant(i)), value(count))]).flat());
  init.push(...alone.map((t) => call(MBARRIER.init, place(t.full!, constant(0)), value(1))));
  const start = (r: Ring, parity: number): Stmt[] => [{ kind: 'alloc', buf: r.slot, ...at }, { kind: 'store', buf: r.slot, index: [], value: constant(0, 'i32'), ...at }, { kind: 'alloc', buf: r.parity, ...at }, { kind: 'store', buf: r.parity, index: [], value: constant(parity, 'i32'), ...at }];
  const [few, many] = registersOfRoles(count);
  const outer = blocks[0]!, inner = blocks[1], tile = outer.persistent && inner ? bands(outer, inner, body) : undefined, work = tile ? tile.body : body;
  const producer = block([call(REGISTERS(few, false)), { kind: 'if', cond: compare('eq', lane, constant(0)), then: renew(block([...all.flatMap((r) => start(r, 1)), produce(work, roles, undefined)])).stmt, ...at }]);
  const consumer = block([call(REGISTERS(many, true)), ...all.flatMap((r) => start(r, 0)), consume(work, roles, undefined)]);
  const program = block([
    { kind: 'region', name: 'barriers of the rings: full and empty, one of each a tile', body: { kind: 'if', cond: compare('eq', lane, constant(0)), then: block([...init, call(MBARRIER.initDone)]), ...at }, ...at },
    { kind: 'barrier', scope: 'workgroup', ...at },
    call(LAUNCHES.next), call(LAUNCHES.before),
    { kind: 'if', cond: compare('lt', lane, constant(TEAM)), then: { kind: 'region', name: 'the first warpgroup starts copies', body: producer, ...at }, else: { kind: 'region', name: 'the others compute', body: consumer, ...at }, ...at },
  ]);
  const lanes: For = { kind: 'for', v: lane, extent: constant(TEAM * (count + 1)), loop: 'lane.x', body: program, ...at };
  const memory: Stmt[] = [...allocs, ...all.flatMap((r) => [r.full, r.empty]), ...alone.map((t) => t.full!)].map((buf) => ({ kind: 'alloc', buf, ...at }));
  const inside = block([...memory, lanes]);
  return tile ? { ...tile.grid, body: inside } : blocks.reduceRight<Stmt>((b, l) => ({ ...l, body: b }), inside);
}

const bytesIn = (b: Buffer): number => b.shape.reduce((n, e) => n * (isConst(e) ? e.value : 0), bytesOf(b.dtype));

/** Registers of a lane that starts copies, and of one that computes: together no more than the 65536 of a multiprocessor. */
function registersOfRoles(teams: number): readonly [number, number] {
  return teams === 1 ? [56, 240] : teams === 2 ? [40, 232] : teams === 3 ? [32, 160] : [40, Math.floor(504 / (teams + 1) / 8) * 8];
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

/** The store of a bulk copy. */
function storeOf(s: Stmt): Extract<Stmt, { kind: 'store' }> {
  let found: Extract<Stmt, { kind: 'store' }> | undefined;
  visitStmt(s, (x) => { if (x.kind === 'store' && x.value.kind === 'load') found ??= x; });
  return found ?? fail('a bulk copy without a copy', s);
}

const constantOf = (e: Expr): number => (isConst(e) ? e.value : 0);


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
      const store = storeOf(s), from = store.value as Extract<Expr, { kind: 'load' }>, tile = x.tiles.get(store.buf.id)!, pieces = new Set<number>(), loops = new Set<number>();
      // The copy's loops over rows and columns are the box; one over pieces around them is as many copies.
      visitStmt(s.body, (l) => { if (l.kind === 'for') loops.add(l.v.id); });
      const [p] = store.index.length === 3 ? store.index : [], count = p ? constantOf(store.buf.shape[0]!) : 1;
      if (p?.kind === 'var') pieces.add(p.id);
      const bar = tile.full ? place(tile.full, constant(0)) : ring ? place(ring.full, slotOf(ring)) : fail('a bulk copy outside of its ring', s), rows = store.index.at(-2)!;
      const box = from.index.map((e, d) => (d === from.index.length - 1 ? constantOf(store.buf.shape.at(-1)!) : rows.kind === 'var' && usesVar(e, rows) ? constantOf(store.buf.shape.at(-2)!) : 1)).toReversed();
      const one = (k: number): Stmt => {
        const origin = from.index.map((e) => mapExpr(e, (y) => (y.kind === 'var' && loops.has(y.id) ? constant(pieces.has(y.id) ? k : 0) : y)));
        return { kind: 'call', fn: BULK(from.index.length), args: [
          place(tile.buf, ...inTile(tile, ...(p ? [constant(k)] : []), constant(0), constant(0))), { kind: 'map', buf: from.buf, box, swizzle: 128 }, bar,
          ...origin.toReversed().map((e): CallArg => value({ kind: 'cast', dtype: 'i32', lanes: 1, x: e })),
        ], ...at };
      };
      const copies = Array.from({ length: count }, (_, k) => one(k));
      return block(tile.full ? [{ kind: 'call', fn: MBARRIER.expect, args: [bar, value(tile.bytes)], ...at }, ...copies] : copies);
    }
    default: return block([]);
  }
}

/** The program of the lanes that compute. `ring`: the one whose tile is in use. */
function consume(s: Stmt, x: Roles, ring: Ring | undefined): Stmt {
  const at = { loc: s.loc, step: s.step };
  if (isBulk(s)) {
    const { full } = x.tiles.get(storeOf(s).buf.id)!;
    return full ? { kind: 'call', fn: MBARRIER.wait, args: [place(full, constant(0)), value(0)], ...at } : block([]);
  }
  if (isTeam(s)) return teamWork(s, x);
  switch (s.kind) {
    case 'block': return block(inOrder(s.body, x).map((c) => ('anew' in c ? teamWork(c.anew, x, { anew: true }) : consume(c, x, ring))));
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
          { ...plain, body: block([wait, teamWork(only, x, { wait: WGMMA.wait1 }), free(last, and(first, compare('gt', s.v, constant(0)))), onward(r, s)]) },
          { kind: 'call', fn: WGMMA.wait0, args: [], ...at },
          free(last, and(first, compare('gt', s.extent, constant(0)))),
        ]);
      }
      return { ...plain, body: block([wait, consume(s.body, x, r), free(slotOf(r), first), onward(r, s)]) };
    }
    default: return fail(`a ${s.kind} outside of its teams`, s);
  }
}

/** Statements in order, but that products whose sums were set to zero right before begin anew. */
function inOrder(list: readonly Stmt[], x: Roles): readonly (Stmt | { readonly anew: For })[] {
  const out: (Stmt | { readonly anew: For })[] = [];
  for (const s of list) {
    const before = out.at(-1), zeroed = before && 'kind' in before && isTeam(before) ? zeroedBy(before, x) : undefined;
    if (zeroed && isTeam(s) && holdsProducts(s) && sumsOf(s, x).length === 1 && sumsOf(s, x)[0] === zeroed) { out[out.length - 1] = { anew: s }; continue; }
    out.push(s);
  }
  return out;
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
