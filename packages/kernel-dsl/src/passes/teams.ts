import { BULK, CLUSTER_BARRIER, LAUNCHES, MBARRIER, REGISTERS } from '../instructions/index.ts';
import { binary, block, bytesOf, compare, constant, differs, isConst, mapChildren, mapExpr, mul, newBuffer, newVar, renew, sub, usesVar, visitStmt } from '../ir/index.ts';
import type { Buffer, CallArg, DeviceFunction, Expr, For, KernelIR, Stmt } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { gridOf } from './bands.ts';
import { WARPGROUP, fragmentOf } from './fragments.ts';
import type { Fragment } from './fragments.ts';
import { holds, isBlock } from './grid.ts';
import { inOrder, onward, ringLoop, waitFor } from './team-rings.ts';
import { TEAM, holdsProducts, inTile, place, slotOf, teamWork, value } from './team-work.ts';
import type { Ring, Roles, Tile } from './team-work.ts';
import { isWarpgroup, noTeam } from './team.ts';

/** Is it a bulk copy of a scheduled program? */
export const isBulk = (s: Stmt): s is Extract<Stmt, { kind: 'instr' }> & { readonly body: Stmt } => s.kind === 'instr' && s.def.name === 'copy_tile' && s.body !== undefined;

/**
 * Programs of teams as programs of lanes (compute capability 9.0). A workgroup gets one warpgroup that starts copies, and one for each team, which works. Each goes
 * through the loops of the program for itself: the first one runs only its bulk copies, into rings of tiles, and waits for a tile to be free; the others
 * run all the rest, wait for a tile to be full, and set it free after use. Two barriers a tile keep both in step.
 * @throws DslError KD-L-TEAM
 */
export function teams(k: KernelIR, target: Target): KernelIR {
  if (!holds(k.body, isWarpgroup)) return k;
  if (!target.features.includes('wgmma')) return noTeam(`${target.isa} has no warpgroups`, k.body);
  const go = (s: Stmt): Stmt => (isBlock(s) && holds(s, isWarpgroup) ? workgroup(s) : mapChildren(s, go));
  return { ...k, body: go(k.body) };
}

function workgroup(top: For): Stmt {
  const { blocks, body, work, around } = gridOf(top);
  const counts = new Set<number>(), fragments = new Map<number, Fragment>(), tiles = new Map<number, Tile>(), rings = new Map<For, readonly Ring[]>(), allocs: Buffer[] = [];
  visitStmt(body, (s) => { if (isWarpgroup(s)) counts.add(isConst(s.extent) ? s.extent.value : noTeam(`the number of teams at ${s.v.name} is not constant`, s)); });
  if (counts.size !== 1) return noTeam(`its loops have ${[...counts].join(' and ')} teams`, top);
  const own = blocks.find((l) => l.cluster), cluster = own && { loop: own, count: constantOf(own.extent) };
  const [count] = [...counts] as [number], lane = newVar('lane'), bar = (name: string, n: number): Buffer => newBuffer({ name, dtype: 'i64', space: 'shared', shape: [constant(n)], loc: top.loc }), counter = (name: string): Buffer => newBuffer({ name, dtype: 'i32', space: 'reg', shape: [], loc: top.loc });
  visitStmt(body, (s) => {
    if (s.kind === 'alloc' && s.buf.space === 'reg') fragments.set(s.buf.id, fragmentOf(s.buf, (n, dtype) => newBuffer({ name: s.buf.name, dtype, space: 'local', shape: [constant(n)], loc: s.buf.loc }), s, WARPGROUP));
    if (s.kind !== 'for' || !s.ring) { if (isWarpgroup(s)) return false; return undefined; }
    const copies = (s.body.kind === 'block' ? s.body.body : [s.body]).filter(isBulk), stages = s.ring;
    // What is used by products alone comes together; elsewhere each tile has barriers of its own.
    const together = onlyProducts(s) ? [copies] : copies.map((c) => [c]);
    rings.set(s, together.map((some): Ring => {
      const all = some.map((c) => storeOf(c).buf), name = together.length > 1 ? `${all[0]!.name}_` : '';
      const r: Ring = { shared: cluster ? some.filter((c) => !differs(c, cluster.loop)).map((c) => storeOf(c).buf.id) : [], stages, bytes: all.reduce((n, b) => n + bytesIn(b), 0), tiles: all.map((b) => b.id), full: bar(`${name}full`, stages), empty: bar(`${name}empty`, stages), slot: counter(`${name}slot`), parity: counter(`${name}parity`) };
      for (const b of all) {
        const tile = newBuffer({ ...b, shape: [constant(stages), ...b.shape] });
        tiles.set(b.id, { buf: tile, bytes: bytesIn(b), ring: r });
        allocs.push(tile);
      }
      return r;
    }));
    return undefined;
  });
  visitStmt(body, (s) => { if (isBulk(s) && !isConst(storeOf(s).buf.shape.at(-1)!, 128 / bytesOf(storeOf(s).buf.dtype))) noTeam(`rows of ${storeOf(s).buf.name} are not of 128 bytes, as the copy engine brings them`, s); });
  // A tile outside of rings is brought once.
  const alone: Tile[] = [], inBlocks = (body.kind === 'block' ? body.body : [body]).filter(isBulk);
  visitStmt(body, (s) => {
    if (!isBulk(s) || tiles.has(storeOf(s).buf.id)) return;
    if (!inBlocks.includes(s) || work !== body) noTeam('a bulk copy that is made over and over, outside of a ring', s);
    const b = storeOf(s).buf, tile: Tile = { buf: newBuffer({ ...b }), bytes: bytesIn(b), full: bar(`${b.name}_full`, 1) };
    tiles.set(b.id, tile);
    allocs.push(tile.buf);
    alone.push(tile);
  });
  const at = { loc: top.loc, step: top.step }, all = [...rings.values()].flat(), roles: Roles = { count, lane, fragments, tiles, rings, cluster, team: sub(binary('div', lane, constant(TEAM)), constant(1)) };
  const call = (fn: DeviceFunction, ...args: CallArg[]): Stmt => ({ kind: 'call', fn, args, ...at });
  const init = all.flatMap((r) => Array.from({ length: r.stages }, (_, i) => [call(MBARRIER.init, place(r.full, constant(i)), value(1)), call(MBARRIER.init, place(r.empty, constant(i)), value(r.shared.length ? count * cluster!.count : count))]).flat());
  init.push(...alone.map((t) => call(MBARRIER.init, place(t.full!, constant(0)), value(1))));
  const start = (r: Ring, parity: number): Stmt[] => [{ kind: 'alloc', buf: r.slot, ...at }, { kind: 'store', buf: r.slot, index: [], value: constant(0, 'i32'), ...at }, { kind: 'alloc', buf: r.parity, ...at }, { kind: 'store', buf: r.parity, index: [], value: constant(parity, 'i32'), ...at }];
  const [few, many] = registersOfRoles(count);
  const producer = block([call(REGISTERS(few, false)), { kind: 'if', cond: compare('eq', lane, constant(0)), then: renew(block([...all.flatMap((r) => start(r, 1)), produce(work, roles)])).stmt, ...at }]);
  const consumer = block([call(REGISTERS(many, true)), ...all.flatMap((r) => start(r, 0)), consume(work, roles)]);
  const program = block([
    { kind: 'region', name: 'barriers of the rings: full and empty, one of each a tile', body: { kind: 'if', cond: compare('eq', lane, constant(0)), then: block([...init, call(MBARRIER.initDone)]), ...at }, ...at },
    cluster ? call(CLUSTER_BARRIER) : { kind: 'barrier', scope: 'workgroup', ...at },
    call(LAUNCHES.next), call(LAUNCHES.before),
    { kind: 'if', cond: compare('lt', lane, constant(TEAM)), then: { kind: 'region', name: 'the first warpgroup starts copies', body: producer, ...at }, else: { kind: 'region', name: 'the others compute', body: consumer, ...at }, ...at },
    ...(cluster ? [call(CLUSTER_BARRIER)] : []), // none ends while others may still write to its memory
  ]);
  const lanes: For = { kind: 'for', v: lane, extent: constant(TEAM * (count + 1)), loop: 'lane.x', body: program, ...at };
  const memory: Stmt[] = [...allocs, ...all.flatMap((r) => [r.full, r.empty]), ...alone.map((t) => t.full!)].map((buf) => ({ kind: 'alloc', buf, ...at }));
  return around(block([...memory, lanes]));
}

/** Is the body of a ring's loop products of teams alone, beside copies? */
function onlyProducts(s: For): boolean {
  const work = (s.body.kind === 'block' ? s.body.body : [s.body]).filter((c) => c.kind !== 'alloc' && !isBulk(c));
  return work.length > 0 && work.every((c) => isWarpgroup(c) && holdsProducts(c));
}

const bytesIn = (b: Buffer): number => b.shape.reduce((n, e) => n * (isConst(e) ? e.value : 0), bytesOf(b.dtype));

/** Registers of a lane that starts copies, and of one that computes: together no more than the 65536 of a multiprocessor. */
function registersOfRoles(teams: number): readonly [number, number] {
  return teams === 1 ? [56, 240] : teams === 2 ? [40, 232] : teams === 3 ? [32, 160] : [40, Math.floor(504 / (teams + 1) / 8) * 8];
}

/** The store of a bulk copy. */
export function storeOf(s: Stmt): Extract<Stmt, { kind: 'store' }> {
  let found: Extract<Stmt, { kind: 'store' }> | undefined;
  visitStmt(s, (x) => { if (x.kind === 'store' && x.value.kind === 'load') found ??= x; });
  return found ?? noTeam('a bulk copy without a copy', s);
}

const constantOf = (e: Expr): number => (isConst(e) ? e.value : 0);

/** The program of the lane that starts copies: control flow and bulk copies, nothing else. */
function produce(s: Stmt, x: Roles): Stmt {
  const at = { loc: s.loc, step: s.step };
  if (isWarpgroup(s)) return block([]);
  switch (s.kind) {
    case 'block': return block(s.body.map((c) => produce(c, x)));
    case 'region': return holds(s, isBulk) ? { ...s, body: produce(s.body, x) } : block([]);
    case 'let': return s;
    case 'if': return holds(s, isBulk) ? { ...s, then: produce(s.then, x), else: s.else && produce(s.else, x) } : block([]);
    case 'for': {
      if (!holds(s, isBulk)) return block([]);
      const rings = x.rings.get(s) ?? [], { ring: _, overlap: __, ...plain } = s, several = rings.filter((r) => r.tiles.length > 1);
      return { ...plain, body: block([...several.flatMap((r) => begin(r, s)), produce(s.body, x), ...rings.map((r) => onward(r, s))]) };
    }
    case 'instr': {
      if (!isBulk(s)) return block([]);
      const store = storeOf(s), from = store.value as Extract<Expr, { kind: 'load' }>, tile = x.tiles.get(store.buf.id)!, pieces = new Set<number>(), loops = new Set<number>();
      // The copy's loops over rows and columns are the box; one over pieces around them is as many copies.
      visitStmt(s.body, (l) => { if (l.kind === 'for') loops.add(l.v.id); });
      const [p] = store.index.length === 3 ? store.index : [], count = p ? constantOf(store.buf.shape[0]!) : 1;
      if (p?.kind === 'var') pieces.add(p.id);
      const { ring } = tile, bar = ring ? place(ring.full, slotOf(ring)) : place(tile.full!, constant(0)), rows = store.index.at(-2)!;
      // Of a tile that workgroups of a cluster all use, each brings some of the rows to all.
      const all = ring?.shared.includes(store.buf.id) ? x.cluster!.count : 1, share = constantOf(store.buf.shape.at(-2)!) / all, first = all > 1 ? mul(x.cluster!.loop.v, constant(share)) : constant(0);
      const box = from.index.map((e, d) => (d === from.index.length - 1 ? constantOf(store.buf.shape.at(-1)!) : rows.kind === 'var' && usesVar(e, rows) ? share : 1)).toReversed();
      const one = (k: number): Stmt => {
        const origin = from.index.map((e) => mapExpr(e, (y) => (y.kind === 'var' && loops.has(y.id) ? rows.kind === 'var' && y.id === rows.id ? first : constant(pieces.has(y.id) ? k : 0) : y)));
        return { kind: 'call', fn: BULK(from.index.length, all), args: [
          place(tile.buf, ...inTile(tile, ...(p ? [constant(k)] : []), first, constant(0))), { kind: 'map', buf: from.buf, box, swizzle: 128 }, bar,
          ...origin.toReversed().map((e): CallArg => value({ kind: 'cast', dtype: 'i32', lanes: 1, x: e })),
        ], ...at };
      };
      const copies = Array.from({ length: count }, (_, k) => one(k));
      return block([...(ring ? (ring.tiles.length === 1 ? begin(ring, s) : []) : [{ kind: 'call', fn: MBARRIER.expect, args: [bar, value(tile.bytes)], ...at } satisfies Stmt]), ...copies]);
    }
    default: return block([]);
  }
}

/** A tile of a ring begins to be filled: once it is free. */
const begin = (r: Ring, s: Stmt): readonly Stmt[] => [waitFor(r, 'empty', s), { kind: 'call', fn: MBARRIER.expect, args: [place(r.full, slotOf(r)), value(r.bytes)], loc: s.loc, step: s.step }];

/** The program of the lanes that compute. */
function consume(s: Stmt, x: Roles): Stmt {
  const at = { loc: s.loc, step: s.step };
  if (isBulk(s)) {
    const { full } = x.tiles.get(storeOf(s).buf.id)!;
    return full ? { kind: 'call', fn: MBARRIER.wait, args: [place(full, constant(0)), value(0)], ...at } : block([]);
  }
  if (isWarpgroup(s)) return teamWork(s, x);
  switch (s.kind) {
    case 'block': return block(inOrder(s.body, x).map((c) => ('anew' in c ? teamWork(c.anew, x, { anew: true }) : consume(c, x))));
    case 'region': return { ...s, body: consume(s.body, x) };
    case 'let': return s;
    case 'if': return { ...s, then: consume(s.then, x), else: s.else && consume(s.else, x) };
    case 'alloc': {
      const f = x.fragments.get(s.buf.id);
      return f ? { ...s, buf: f.own } : block([]);
    }
    case 'for': {
      const rings = x.rings.get(s);
      return rings ? ringLoop(s, rings, x, (c) => consume(c, x)) : { ...s, body: consume(s.body, x) };
    }
    default: return noTeam(`a ${s.kind} outside of its teams`, s);
  }
}
