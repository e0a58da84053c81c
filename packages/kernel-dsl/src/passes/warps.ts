import { DslError } from '../errors/index.ts';
import { COPIES, LAUNCHES, matchInstruction } from '../instructions/index.ts';
import { add, binary, block, cast, compare, constant, isConst, load, mapChildren, mapOwnExprs, newBuffer, newVar, select, substitute, substituteExpr, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, DeviceFunction, Expr, For, KernelIR, Stmt, Var } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { gridOf } from './bands.ts';
import { chunkCopies } from './chunks.ts';
import type { Copies, Tile } from './chunks.ts';
import { WARP, distribute, fragmentOf } from './fragments.ts';
import type { Fragment, Team } from './fragments.ts';
import { holds, isBlock } from './grid.ts';
import { productOf } from './products.ts';
import type { Product } from './products.ts';
import { isBulk, storeOf } from './teams.ts';
import { isWarp, noTeam } from './team.ts';
import type { WarpLoop } from './team.ts';

/**
 * Programs of warps as programs of lanes. All lanes of a workgroup go through the program together. They copy the tiles of a ring themselves, in chunks of 16 bytes, by
 * asynchronous copies where the target has them and through registers where it has none; one barrier a round keeps them in step. Of the work of teams, each warp does its own.
 * @throws DslError KD-L-TEAM
 */
export function warps(k: KernelIR, target: Target): KernelIR {
  const go = (s: Stmt): Stmt => (isBlock(s) && holds(s, isWarp) ? workgroup(s, target) : isWarp(s) ? noTeam('warps outside of any workgroup', s) : isBulk(s) ? noTeam('a bulk copy outside of a program of teams', s) : mapChildren(s, go));
  if (!holds(k.body, (s) => isWarp(s) || isBulk(s))) return k;
  if (!target.features.includes('ldmatrix')) return noTeam(`${target.isa} has no products of warps`, k.body);
  return { ...k, body: go(k.body) };
}

interface Ring { readonly stages: number; readonly slot: Buffer; readonly copies: readonly Copies[] }
/** What a workgroup's program is made of. `at`: which warp runs, by place. */
interface Program {
  readonly target: Target;
  readonly lane: Var;
  readonly fragments: ReadonlyMap<number, Fragment>;
  readonly tiles: ReadonlyMap<number, Tile>;
  readonly rings: ReadonlyMap<For, Ring>;
  readonly copies: ReadonlyMap<Stmt, Copies>;
  readonly at: ReadonlyMap<WarpLoop['loop'], Expr>;
}

/** How many warps there are along each place. */
function extents(body: Stmt, top: Stmt): ReadonlyMap<WarpLoop['loop'], number> {
  const out = new Map<WarpLoop['loop'], number>();
  visitStmt(body, (s) => {
    if (!isWarp(s)) return;
    const n = isConst(s.extent) ? s.extent.value : noTeam(`the number of warps at ${s.v.name} is not constant`, s), known = out.get(s.loop);
    if (known !== undefined && known !== n) noTeam(`its loops have ${known} and ${n} warps`, top);
    out.set(s.loop, n);
  });
  const count = [...out.values()].reduce((a, b) => a * b, 1);
  return count <= 32 ? out : noTeam(`${count} warps are too many: a workgroup has 32`, top);
}

function workgroup(top: For, target: Target): Stmt {
  const { body, work, around } = gridOf(top), at = { loc: top.loc, step: top.step };
  const sizes = extents(body, top), x = sizes.get('team.warp.x') ?? 1, y = sizes.get('team.warp.y') ?? 1, lanes = 32 * x * y;
  const thread = newVar('thread'), lane = newVar('lane'), warp = newVar('warp'), lets: Stmt[] = [{ kind: 'let', v: lane, value: binary('mod', thread, constant(32)), ...at }, { kind: 'let', v: warp, value: binary('div', thread, constant(32)), ...at }];
  const place = new Map<WarpLoop['loop'], Expr>();
  for (const [loop, value] of [['team.warp.x', y === 1 ? warp : binary('mod', warp, constant(x))], ['team.warp.y', x === 1 ? warp : binary('div', warp, constant(x))]] as const) {
    if (!sizes.has(loop)) continue;
    const v = newVar(loop.endsWith('x') ? 'warp_x' : 'warp_y');
    place.set(loop, v);
    lets.push({ kind: 'let', v, value, ...at });
  }
  const fragments = new Map<number, Fragment>(), tiles = tilesOf(body), rings = new Map<For, Ring>(), copies = new Map<Stmt, Copies>();
  visitStmt(body, (s) => {
    if (isWarp(s)) return false;
    if (s.kind === 'alloc' && s.buf.space === 'reg') fragments.set(s.buf.id, fragmentOf(s.buf, (n, dtype) => newBuffer({ name: s.buf.name, dtype, space: 'local', shape: [constant(n)], loc: s.buf.loc }), s, WARP, sizes.size));
    if (isBulk(s)) { copies.set(s, chunkCopies(s, tiles.get(storeOf(s).buf.id)!, thread, lanes)); return false; }
    return undefined;
  });
  visitStmt(body, (s) => {
    if (s.kind !== 'for' || !s.ring) return;
    const own = (s.body.kind === 'block' ? s.body.body : [s.body]).filter(isBulk);
    rings.set(s, { stages: s.ring, slot: tiles.get(storeOf(own[0]!).buf.id)!.slot!, copies: own.map((c) => copies.get(c)!) });
  });
  const p: Program = { target, lane, fragments, tiles, rings, copies, at: place };
  const call = (fn: DeviceFunction): Stmt => ({ kind: 'call', fn, args: [], ...at });
  const overlap = target.features.includes('tma') ? [call(LAUNCHES.next), call(LAUNCHES.before)] : [];
  const program = block([...lets, ...overlap, run(work, p)]);
  const memory = [...tiles.values()].map(({ buf }): Stmt => ({ kind: 'alloc', buf, ...at }));
  const inside = block([...memory, { kind: 'for', v: thread, extent: constant(lanes), loop: 'lane.x', body: program, ...at }]);
  return around(inside);
}

/** All tiles, by the id of the program's buffer, swizzled as the products that read them ask. */
function tilesOf(body: Stmt): ReadonlyMap<number, Tile> {
  const tiles = new Map<number, Tile>(), asked = new Map<number, number>();
  visitStmt(body, (s) => {
    if (s.kind !== 'instr' || !s.body || isBulk(s)) return;
    const m = matchInstruction(s.def, s.body), swizzle = s.def.team?.factors?.swizzle ?? noTeam(`${s.def.name} is no product of a warp`, s);
    if ('why' in m) throw new DslError('KD-L-INSTR', { name: s.def.name, why: m.why }, s);
    for (const [name, { buf }] of m.places) {
      if (buf.space === 'shared') asked.set(buf.id, name === 'b' && s.def.team?.factors?.blocks ? 0 : swizzle);
    }
  });
  const add = (c: Stmt, stages: number, slot: Buffer | undefined): void => {
    const { buf } = storeOf(c);
    if (!tiles.has(buf.id)) tiles.set(buf.id, { buf: newBuffer({ ...buf, shape: [constant(stages), ...buf.shape] }), swizzle: asked.get(buf.id) ?? noTeam(`no product reads ${buf.name}`, c), slot });
  };
  visitStmt(body, (s) => {
    if (s.kind !== 'for' || !s.ring) return;
    const slot = newBuffer({ name: 'slot', dtype: 'i32', space: 'reg', shape: [], loc: s.loc });
    for (const c of (s.body.kind === 'block' ? s.body.body : [s.body]).filter(isBulk)) add(c, s.ring, slot);
  });
  visitStmt(body, (s) => { if (isBulk(s)) add(s, 1, undefined); });
  return tiles;
}

/** The program of every lane. */
function run(s: Stmt, p: Program): Stmt {
  if (isWarp(s)) return teamWork(s, p);
  switch (s.kind) {
    case 'block': {
      // Bulk copies that no ring takes happen where they stand, those side by side at once: all lanes are done with what the tiles held, and see what they hold then.
      const out: Stmt[] = [], at = { loc: s.loc, step: s.step }, barrier: Stmt = { kind: 'barrier', scope: 'workgroup', ...at }, here = s.body.filter((c) => isBulk(c) && !p.tiles.get(storeOf(c).buf.id)!.slot);
      for (const c of s.body) {
        if (c === here[0]) out.push(barrier, ...here.map((x) => now(p.copies.get(x)!, p, at)), ...(async(p) ? [COPIES.commit, COPIES.wait(0)].map((fn): Stmt => ({ kind: 'call', fn, args: [], ...at })) : []), barrier);
        if (!isBulk(c)) out.push(run(c, p));
      }
      return block(out);
    }
    case 'region': return { ...s, body: run(s.body, p) };
    case 'let': return s;
    case 'if': return { ...s, then: run(s.then, p), else: s.else && run(s.else, p) };
    case 'alloc': { const f = p.fragments.get(s.buf.id); return f ? { ...s, buf: f.own } : block([]); }
    case 'for': { const r = p.rings.get(s); return r ? rounds(s, r, p) : { ...s, body: run(s.body, p) }; }
    default: return noTeam(`a ${s.kind} outside of its teams`, s);
  }
}

const async = (p: Program): boolean => p.target.features.includes('cp_async');
/** A copy to the only place of a tile. */
const now = (c: Copies, p: Program, at: Pick<Stmt, 'loc' | 'step'>): Stmt => (async(p) ? c.copy(constant(0)) : block([{ kind: 'alloc', buf: c.held, ...at }, c.fetch(), c.keep(constant(0))]));

/**
 * A ring in rounds. Tiles are on their way `stages` - 1 rounds ahead; a round waits for its own, meets the other lanes, and sends for tiles into the place that the
 * round before has left. Without asynchronous copies a round fetches them to registers first, and stores them when its products are done.
 */
function rounds(s: For, r: Ring, p: Program): Stmt {
  const at = { loc: s.loc, step: s.step }, ahead = r.stages - 1, { ring: _, ...plain } = s;
  const call = (fn: DeviceFunction): Stmt => ({ kind: 'call', fn, args: [], ...at }), barrier: Stmt = { kind: 'barrier', scope: 'workgroup', ...at };
  const slot = load(r.slot, []), set = (value: Expr): Stmt => ({ kind: 'store', buf: r.slot, index: [], value, ...at }), i32 = (n: number): Expr => constant(n, 'i32');
  const before = cast(select(compare('eq', slot, i32(0)), i32(ahead), binary('sub', slot, i32(1))), 'i64'), next = select(compare('eq', slot, i32(ahead)), i32(0), binary('add', slot, i32(1))), later = add(s.v, constant(ahead));
  const iteration = (c: Stmt, e: Expr): Stmt => substitute(c, new Map([[s.v.id, e]]));
  const all = (f: (c: Copies) => Stmt): Stmt => block(r.copies.map(f)), there = (e: Expr, then: Stmt): Stmt => ({ kind: 'if', cond: compare('lt', e, s.extent), then, ...at });
  const first = newVar('ahead'), prologue = (body: Stmt): Stmt => ({ kind: 'for', v: first, extent: constant(ahead), loop: 'seq', body, ...at });
  const start: Stmt[] = [{ kind: 'alloc', buf: r.slot, ...at }, set(i32(0))];
  if (!async(p)) {
    return block([
      ...start, ...r.copies.map((c): Stmt => ({ kind: 'alloc', buf: c.held, ...at })),
      prologue(there(first, block([all((c) => iteration(c.fetch(), first)), all((c) => c.keep(first))]))),
      barrier,
      { ...plain, body: block([there(later, all((c) => iteration(c.fetch(), later))), run(s.body, p), there(later, all((c) => c.keep(before))), barrier, set(next)]) },
    ]);
  }
  const begin = [...start, prologue(block([there(first, all((c) => iteration(c.copy(first), first))), call(COPIES.commit)]))], wait: Stmt[] = [call(COPIES.wait(ahead - 1)), barrier];
  const send = (part = 0, parts = 1): Stmt => there(later, all((c) => iteration(c.copy(before, part, parts), later)));
  const steps = stepsOf(s, p);
  if (!steps) return block([...begin, { ...plain, body: block([...wait, send(), call(COPIES.commit), run(s.body, p), set(next)]) }, barrier]);
  // A product's factors come to registers while the one before it runs: those of a round's first one in the round before, once its tile is there. Copies are sent for
  // in parts, so that none stands between products for long.
  const sets = [steps[0]!.factors(''), steps[0]!.factors('_next')] as const, n = steps.length, onward = newVar('onward', 'i32');
  const body = steps.flatMap((x, i): Stmt[] => [
    ...(i < n - 1 ? [steps[i + 1]!.load(sets[(i + 1) % 2]!), send(i, n)] : [send(i, n), call(COPIES.commit), { kind: 'let', v: onward, value: next, ...at } satisfies Stmt, ...wait, steps[0]!.load(sets[0], cast(onward, 'i64'))]),
    x.multiply(sets[i % 2]!),
  ]);
  return block([...begin, ...sets.flatMap((x) => [x.a, x.b]).map((buf): Stmt => ({ kind: 'alloc', buf, ...at })), ...wait, steps[0]!.load(sets[0]), { ...plain, body: block([...body, set(onward)]) }, barrier]);
}

/** The products of a round, where it has an even number of them and nothing else. */
function stepsOf(s: For, p: Program): readonly Product[] | undefined {
  const [only, ...rest] = (s.body.kind === 'block' ? s.body.body : [s.body]).filter((c) => c.kind !== 'alloc' && !isBulk(c));
  if (!only || rest.length > 0 || !isWarp(only)) return undefined;
  const { body, team, own } = teamOf(only, p), l = body.kind === 'for' && body.loop === 'unroll' && isConst(body.extent) && body.extent.value % 2 === 0 ? body : undefined, q = l?.body;
  if (!l || q?.kind !== 'instr' || !q.body) return undefined;
  return Array.from({ length: (l.extent as { readonly value: number }).value }, (_, i) => productOf({ ...q, body: substitute(q.body!, new Map([[l.v.id, constant(i)]])) }, p, team, own));
}

/** What stands inside of loops over warps, which they are, and which one a lane belongs to. */
function teamOf(top: WarpLoop, p: Program): { readonly body: Stmt; readonly team: Team; readonly own: ReadonlyMap<number, Expr> } {
  const vars: Var[] = [], own = new Map<number, Expr>();
  let body: Stmt = top;
  for (; isWarp(body); body = body.body) { vars.push(body.v); own.set(body.v.id, p.at.get(body.loop)!); }
  if (vars.length !== p.at.size) return noTeam(`a loop over one place of warps where there are ${p.at.size}`, top);
  return { body, team: { ...WARP, vars }, own };
}

/** One iteration of a warp: products, and loops over registers. */
function teamWork(top: WarpLoop, p: Program): Stmt {
  const { body, team, own } = teamOf(top, p);
  const products = (q: Stmt): Stmt => {
    if (q.kind !== 'instr' || !q.body) return mapOwnExprs(mapChildren(q, products), (e) => substituteExpr(e, own));
    const x = productOf(q, p, team, own), f = x.factors('');
    return block([{ kind: 'alloc', buf: f.a }, { kind: 'alloc', buf: f.b }, x.load(f), x.multiply(f)]);
  };
  if (holds(body, (s) => s.kind === 'instr')) return products(body);
  visitExprs(body, (e, s) => { if (e.kind === 'load' && p.tiles.has(e.buf.id)) noTeam(`${e.buf.name} is read by something else than a product`, s); });
  return substitute(distribute(body, p.fragments, team, p.lane), own);
}
