import { DslError } from '../errors/index.ts';
import { add, binary, block, buffersOf, compare, constant, exprsOf, isConst, lt, mapChildren, mul, newBuffer, newVar, operands, printExpr, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, LoopKind, Stmt } from '../ir/index.ts';
import { simplifyExpr } from './affine.ts';
import { rename } from './fresh.ts';
import { holds, isBlock, isLanes, onHost } from './grid.ts';

/** Lanes of a workgroup along x, y and z. */
type Shape = readonly [number, number, number];

const PLACES = ['lane.x', 'lane.y', 'lane.z'] as const;
const product = (s: Shape): number => s[0] * s[1] * s[2];

/**
 * One nest of workgroups. What stands outside of the lanes is for the workgroup as a whole: its memory is shared, its writes are made by one lane, and
 * between two parts that lanes run stands a barrier. All nests of lanes in it get one shape. `known`: variables that a host can tell.
 */
export function workgroup(s: For, known: (id: number) => boolean): Stmt {
  const blocks: For[] = [], nests: { readonly top: For; readonly shape: Shape }[] = [];
  visitStmt(s, (x) => {
    if (isLanes(x)) { nests.push({ top: x, shape: shapeOf(x) }); return false; }
    if (x.kind === 'for' && x.loop.startsWith('block.')) blocks.push(x);
    return undefined;
  });
  for (const b of blocks) {
    const fail = (why: string): never => { throw new DslError('KD-L-GRID', { axis: b.v.name, place: b.loop, why }, b); };
    if (!onHost(b.extent, known)) fail(`its extent ${printExpr(b.extent)} is not known at launch`);
    if (blocks.some((x) => x !== b && x.loop === b.loop)) fail('another loop of the nest has that place');
    if (nests.length > 0 && !holds(b, isLanes)) fail('lanes of its workgroups lie beside it, not inside of it');
  }
  besideNone(s, blocks);
  if (nests.length === 0) return s;
  const shape = nests.reduce((a, b) => (product(b.shape) > product(a) ? b.shape : a), nests[0]!.shape);
  const shared = sharedOf(s);
  return place(rename(s, { vars: new Map(), buffers: shared }), { shape, fresh: true });
}

/** Every workgroup of a grid runs what stands beside an inner loop of its nest: what that writes for others, all would, and none where the loop is empty. */
function besideNone(s: Stmt, blocks: readonly For[]): void {
  const own = new Set<number>(), go = (x: Stmt, around: readonly For[]): void => visitStmt(x, (y) => {
    if (y !== x && isBlock(y)) { go(y, [...around, y]); return false; }
    const b = y.kind === 'print' || ((y.kind === 'store' || y.kind === 'accum' || y.kind === 'atomic') && !own.has(y.buf.id)) ? blocks.find((l) => !around.includes(l)) : undefined;
    if (b) throw new DslError('KD-L-GRID', { axis: b.v.name, place: b.loop, why: `the ${y.kind} beside it would be made by each of its workgroups` }, { loc: y.loc ?? b.loc, step: y.step ?? b.step });
    return undefined;
  });
  visitStmt(s, (x) => { if (x.kind === 'alloc') own.add(x.buf.id); });
  if (blocks.length > 1) go(s, isBlock(s) ? [s] : []);
}

/** The extents of a nest of lanes. */
function shapeOf(top: For): Shape {
  const shape = [1, 1, 1];
  for (let x: Stmt = top; isLanes(x); x = x.body) {
    const n = simplifyExpr(x.extent);
    if (!isConst(n)) throw new DslError('KD-L-LANES', { given: printExpr(n), why: 'that is not a constant' }, x);
    shape[PLACES.indexOf(x.loop)] = n.value;
  }
  return [shape[0]!, shape[1]!, shape[2]!];
}

/** Buffers made outside of the lanes that all of them must see: those of several elements, and registers that a lane writes. */
function sharedOf(s: Stmt): ReadonlyMap<number, Buffer> {
  const out = new Map<number, Buffer>(), written = new Set<number>();
  visitStmt(s, (x) => { if (!isLanes(x)) return undefined; for (const b of buffersOf(x).values()) if (b.writes > 0) written.add(b.buf.id); return false; });
  visitStmt(s, (x) => {
    if (isLanes(x)) return false;
    if (x.kind === 'alloc' && x.buf.space !== 'shared' && (x.buf.space === 'pack' || written.has(x.buf.id))) out.set(x.buf.id, newBuffer({ ...x.buf, space: 'shared' }));
    return undefined;
  });
  return out;
}

/** `fresh`: nothing has touched memory since the last barrier. */
interface Level { readonly shape: Shape; fresh: boolean }

const BARRIER: Stmt = { kind: 'barrier', scope: 'workgroup' };

/** A statement outside of the lanes. */
function place(s: Stmt, at: Level): Stmt {
  if (isLanes(s)) return apart(reshaped(s, at.shape), s, at);
  if (holds(s, isLanes)) {
    switch (s.kind) {
      case 'block': return block(grouped(s.body).map((x) => place(x, at)), { loc: s.loc, step: s.step });
      case 'for': case 'while': {
        if (s.kind === 'for' && s.loop.startsWith('block.')) return { ...s, body: place(s.body, at) };
        const before = awaited(s, at);
        at.fresh = false; // the round before
        const body = place(s.body, at);
        return block([...before, { ...s, body: s.kind === 'while' && !at.fresh ? block([body, BARRIER]) : body }]);
      }
      case 'if': {
        const first = awaited(s, at), before = at.fresh, then = place(s.then, at), after = at.fresh;
        at.fresh = before;
        const other = s.else && place(s.else, at);
        at.fresh &&= after;
        return block([...first, { ...s, then, else: other }]);
      }
      default: return mapChildren(s, (x) => place(x, at));
    }
  }
  if (s.kind === 'barrier') { at.fresh = true; return s; }
  if (!writesMemory(s)) return block([...awaited(s, at), s], { loc: s.loc, step: s.step });
  // Written by one lane, for all.
  const loops = PLACES.map((p, d) => ({ loop: p as LoopKind, v: newVar(['t', 'ty', 'tz'][d]!), n: at.shape[d]! })).filter(({ n }, d) => n > 1 || d === 0);
  const first = loops.reduce<Expr>((c, { v }) => { const zero = compare('eq', v, constant(0)); return isConst(c, 1) ? zero : binary('and', c, zero); }, constant(1, 'bool'));
  const body: Stmt = { kind: 'if', cond: first, then: s, loc: s.loc };
  return apart(loops.reduce<Stmt>((b, { loop, v, n }) => ({ kind: 'for', v, extent: constant(n), loop, body: b, loc: s.loc }), body), s, at);
}

/** A barrier in front of what all lanes read alike, where something was written; what follows must wait for the reading. */
function awaited(s: Stmt, at: Level): readonly Stmt[] {
  const reads = holds(s, isLanes) ? exprsOf(s).some(loadsMemory) : readsMemory(s), before = reads && !at.fresh ? [{ ...BARRIER, loc: s.loc }] : [];
  if (reads) at.fresh = false;
  return before;
}

/** Behind a barrier, unless nothing came before. */
function apart(nest: Stmt, s: Stmt, at: Level): Stmt {
  const before = at.fresh ? [] : [{ ...BARRIER, loc: s.loc }];
  at.fresh = false;
  return block([...before, nest], { loc: s.loc, step: s.step });
}

/** Neighbouring statements that one lane runs for all, put together. Names stay outside, where all can see them. */
function grouped(all: readonly Stmt[]): readonly Stmt[] {
  const out: Stmt[] = [];
  let run: Stmt[] = [];
  const flush = (): void => { if (run.length > 0) out.push(run.length === 1 ? run[0]! : { kind: 'region', name: 'by one lane', body: { kind: 'block', body: run } }); run = []; };
  for (const s of all) {
    if (!holds(s, isLanes) && s.kind !== 'let' && s.kind !== 'alloc' && s.kind !== 'barrier' && s.kind !== 'atomic' && writesMemory(s)) { run.push(s); continue; }
    flush();
    out.push(s);
  }
  flush();
  return out;
}

const ofLane = (b: Buffer): boolean => b.space === 'reg' || b.space === 'local';
/** Does it change what other lanes see, or print? Registers outside of the lanes are written by all lanes alike. */
function writesMemory(s: Stmt): boolean {
  return holds(s, (x) => x.kind === 'print' || x.kind === 'atomic' || x.kind === 'instr' || ((x.kind === 'store' || x.kind === 'accum') && !ofLane(x.buf)));
}
const loadsMemory = (e: Expr): boolean => (e.kind === 'load' && !ofLane(e.buf)) || operands(e).some(loadsMemory);
const readsMemory = (s: Stmt): boolean => [...buffersOf(s).values()].some((b) => b.reads > 0 && !ofLane(b.buf));

/** A nest of lanes on a workgroup of this shape: with loops of its own where it has another one. */
function reshaped(nest: For, shape: Shape): Stmt {
  const loops: For[] = [];
  let body: Stmt = nest;
  for (; isLanes(body); body = body.body) loops.push(body);
  const own = shapeOf(nest);
  if (own.every((n, d) => n === shape[d])) return nest;
  const n = product(own), total = product(shape), at = { loc: nest.loc, step: nest.step };
  if (n < total && holds(body, (x) => x.kind === 'barrier' || (x.kind === 'let' && x.value.kind === 'subgroup'))) {
    throw new DslError('KD-L-LANES', { given: n, why: `they meet, but another nest of the workgroup has ${total}` }, at);
  }
  const vars = PLACES.map((loop, d) => ({ loop, v: newVar(`${loops[0]!.v.name}_${'xyz'[d]!}`), n: shape[d]! })).filter((x) => x.n > 1 || x.loop === 'lane.x');
  const lane = vars.reduceRight<Expr>((e, x) => add(mul(e, constant(x.n)), x.v), constant(0)), id = newVar('lane');
  const inner: Stmt[] = [];
  let below = 1;
  for (const place of PLACES) {
    const l = loops.find((x) => x.loop === place);
    if (!l) continue;
    const extent = own[PLACES.indexOf(place)]!, part = below === 1 ? id : binary('div', id, constant(below));
    inner.push({ kind: 'let', v: l.v, value: simplifyExpr(binary('mod', part, constant(extent))), ...at });
    below *= extent;
  }
  const all = block([...inner, body]);
  const guarded: Stmt = block([{ kind: 'let', v: id, value: lane, ...at }, n < total ? { kind: 'if', cond: lt(id, constant(n)), then: all, ...at } : all]);
  return vars.reduce<Stmt>((b, x) => ({ kind: 'for', v: x.v, extent: constant(x.n), loop: x.loop, body: b, ...at }), guarded);
}
