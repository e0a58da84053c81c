import { printExpr, visitStmt } from '../ir/index.ts';
import type { Expr, For, Let, Stmt, Subgroup } from '../ir/index.ts';
import { binaryOp } from './arith.ts';
import type { Context, Num, Run } from './context.ts';
import { MOST_LANES } from './lane-race.ts';
import { emptyMemory } from './memory.ts';
import type { Memory } from './memory.ts';
import { raise, within } from './site.ts';
import type { Site } from './site.ts';

/** The compilers of the room, handed in. */
export interface Compilers { readonly stmt: (s: Stmt, site: Site) => Run; readonly num: (e: Expr, site: Site) => Num; readonly bindVar: (id: number) => number }
/** Runs a statement for these lanes together. */
type Together = (lanes: readonly number[]) => void;

/** What a lane has for itself while others run. */
interface Lane { readonly frame: Float64Array; vectors: Float64Array[]; readonly memories: Memory[] }

/** Gives a memory what an Alloc gave to another of the same buffer. */
function become(m: Memory, x: Memory): void {
  m.shape = x.shape;
  m.strides = x.strides;
  m.span = x.span;
  m.data = x.data;
  m.read = x.read;
  m.write = x.write;
  m.written = x.written;
  m.era = x.era;
}

const isExchange = (s: Stmt): s is Let & { value: Subgroup } => s.kind === 'let' && s.value.kind === 'subgroup';

/** Does a statement hold a place where lanes meet? */
function meets(s: Stmt): boolean {
  let found = false;
  visitStmt(s, (x) => { found ||= x.kind === 'barrier' || isExchange(x); });
  return found;
}

/**
 * Runs a nest of lane loops as a workgroup: between two places where lanes meet, each lane runs by itself, in an order that the seed fixes; where they meet, all
 * must be there. Registers, names and working memory are each lane's own.
 */
export function workgroup(c: Context, nest: For, site: Site, by: Compilers): Run {
  const loops: For[] = [];
  let body: Stmt = nest;
  for (; body.kind === 'for' && body.loop.startsWith('lane.'); body = body.body) loops.push(body);
  // Outside of workgroups each nest is one by itself: what comes before has ended. Inside of one, nests need a barrier between them.
  const f = c.frame, scope = c.lanes, alone = !site.loops.some((l) => l.kind.startsWith('block.'));
  const dims = loops.map((l) => ({ l, slot: by.bindVar(l.v.id), extent: by.num(l.extent, within(site, l)) }));
  const inside: Site = { ...site, loops: [...site.loops, ...dims.map(({ l, slot }) => ({ name: l.v.name, kind: l.loop, now: () => f[slot]! }))] };
  visitStmt(body, (s) => { if (s.kind === 'for' && (s.loop === 'parallel' || s.loop.includes('.'))) raise(inside, 'KD-RUN-IR', `the ${s.loop} loop ${s.v.name} lies inside of lanes and is not part of their nest`); });

  const before = new Set(c.memories.keys());
  c.inLanes++;
  const run = together(body, inside);
  c.inLanes--;
  const own = [...c.memories].flatMap(([id, m]) => (before.has(id) ? [] : [m])), lanes: Lane[] = [];
  let size = 0;

  let allocs = 0;
  function enter(l: number): void {
    const { frame, vectors, memories } = lanes[l]!;
    f.set(frame);
    for (let i = 0; i < vectors.length; i++) c.vectors[i] = vectors[i]!;
    for (let i = 0; i < own.length; i++) become(own[i]!, memories[i]!);
    scope.lane = l;
    allocs = c.allocs;
  }
  function leave(l: number): void {
    const { frame, vectors, memories } = lanes[l]!;
    frame.set(f);
    // What the lane came with is its own already; what it made lies where the next lane makes its.
    for (let i = 0; i < c.vectors.length; i++) if (c.vectors[i] !== vectors[i]) vectors[i] = c.vectors[i]!.slice();
    if (c.allocs !== allocs) for (let i = 0; i < own.length; i++) become(memories[i]!, own[i]!);
  }
  /** A lane's answer, without a change to what it holds. */
  const ask = (l: number, g: Num): number => { enter(l); return g(); };
  const shuffled = (all: readonly number[]): number[] => {
    const out = [...all];
    for (let i = out.length - 1; i > 0; i--) { const j = c.random(i + 1); [out[i], out[j]] = [out[j]!, out[i]!]; }
    return out;
  };
  const groupOf = (l: number): number => Math.floor(l / scope.subgroup);
  const lanesOf = (g: number): number[] => Array.from({ length: Math.min(scope.subgroup, size - g * scope.subgroup) }, (_, i) => g * scope.subgroup + i);
  /** All lanes of the workgroup, or of each subgroup that comes by, must be here. */
  function gathered(what: string, at: Site, here: readonly number[], whole: boolean): void {
    const there = new Set(here), wanted = whole ? Array.from({ length: size }, (_, l) => l) : [...new Set(here.map(groupOf))].flatMap(lanesOf);
    const missing = wanted.find((l) => !there.has(l));
    if (missing === undefined) return;
    enter(missing);
    raise(at, 'KD-RUN-DIVERGED', `${what} is reached by ${here.length} of the ${size} lanes, but not by lane ${missing}`);
  }

  function together(s: Stmt, outer: Site): Together {
    const at = within(outer, s);
    if (!meets(s)) {
      const one = by.stmt(s, outer);
      return (here) => { for (const l of shuffled(here)) { enter(l); one(); leave(l); } };
    }
    switch (s.kind) {
      case 'block': {
        const parts: Together[] = [];
        for (let i = 0; i < s.body.length;) {
          const end = s.body.findIndex((x, j) => j >= i && meets(x)), alone = s.body.slice(i, end < 0 ? s.body.length : end);
          if (alone.length) parts.push(together({ kind: 'block', body: alone }, at));
          if (end >= 0) parts.push(together(s.body[end]!, at));
          i += alone.length + 1;
        }
        return (here) => { for (const p of parts) p(here); };
      }
      case 'region': return together(s.body, at);
      case 'if': {
        const cond = by.num(s.cond, at), then = together(s.then, at), other = s.else && together(s.else, at);
        return (here) => {
          const holds = new Set(here.filter((l) => ask(l, cond) !== 0)), yes = here.filter((l) => holds.has(l)), no = here.filter((l) => !holds.has(l));
          if (yes.length) then(yes);
          if (other && no.length) other(no);
        };
      }
      case 'for': {
        const extent = by.num(s.extent, at), slot = by.bindVar(s.v.id), loop: Site = { ...at, loops: [...at.loops, { name: s.v.name, kind: s.loop, now: () => f[slot]! }] }, inner = together(s.body, loop);
        return (here) => {
          const ends = new Map(here.map((l) => [l, ask(l, extent)])), most = Math.max(...ends.values());
          c.steps += Math.max(0, most) * here.length;
          if (c.steps > c.maxSteps) raise(at, 'KD-RUN-STEPS', `the ${most} iterations of loop ${s.v.name} in ${here.length} lanes bring the run to ${c.steps} steps, more than ${c.maxSteps}`);
          for (let i = 0; i < most; i++) {
            const now = here.filter((l) => ends.get(l)! > i);
            for (const l of now) lanes[l]!.frame[slot] = i;
            inner(now);
          }
        };
      }
      case 'while': {
        const max = by.num(s.max, at), cond = by.num(s.cond, at), slot = by.bindVar(s.v.id), loop: Site = { ...at, loops: [...at.loops, { name: s.v.name, kind: 'seq', now: () => f[slot]! }] }, inner = together(s.body, loop);
        return (here) => {
          const ends = new Map(here.map((l) => [l, ask(l, max)]));
          let now: readonly number[] = here;
          for (let i = 0; ; i++) {
            now = now.filter((l) => ask(l, cond) !== 0);
            if (now.length === 0) return;
            if (now.some((l) => i >= ends.get(l)!)) raise(at, 'KD-RUN-WHILE', `the loop ${s.v.name} would go on after ${i} rounds, its bound`);
            if ((c.steps += now.length) > c.maxSteps) raise(at, 'KD-RUN-STEPS', `round ${i} of loop ${s.v.name} brings the run to ${c.steps} steps, more than ${c.maxSteps}`);
            for (const l of now) lanes[l]!.frame[slot] = i;
            inner(now);
          }
        };
      }
      case 'barrier': return (here) => {
        gathered(`the ${s.scope} barrier`, at, here, s.scope === 'workgroup');
        if (s.scope === 'workgroup') scope.epoch++;
        else for (const g of new Set(here.map(groupOf))) scope.subEpoch[g]!++;
      };
      case 'let': if (isExchange(s)) return exchange(s, at);
    }
    return raise(at, 'KD-RUN-IR', `lanes meet inside of a ${s.kind}`);
  }

  function exchange(s: Let & { value: Subgroup }, at: Site): Together {
    const e = s.value, x = by.num(e.x, at), lane = e.lane && by.num(e.lane, at), slot = by.bindVar(s.v.id), n = scope.subgroup, text = printExpr(e);
    const op = e.fn === 'add' || e.fn === 'min' || e.fn === 'max' ? binaryOp(e.fn, e.dtype) ?? raise(at, 'KD-RUN-IR', `${text} of ${e.dtype}`) : undefined;
    const named = (l: number): number => {
      const i = ask(l, lane ?? raise(at, 'KD-RUN-IR', `${text} without a lane`));
      if (!(i >= 0 && i < n)) { enter(l); raise(at, 'KD-RUN-DIVERGED', `${text} asks for lane ${i} of a subgroup of ${n}`, { fix: 'Name a lane from 0 to the size of the subgroup - 1.' }); }
      return i;
    };
    return (here) => {
      gathered(text, at, here, false);
      if (size % n !== 0) raise(at, 'KD-RUN-DIVERGED', `${text} in a workgroup of ${size} lanes, which is no multiple of the subgroup's ${n}`, { fix: 'Make the workgroup a multiple of the subgroup.' });
      const values = new Float64Array(size);
      for (const l of shuffled(here)) values[l] = ask(l, x);
      for (const g of new Set(here.map(groupOf))) {
        const base = g * n, y = values.slice(base, base + n);
        let all = 0, first: number | undefined;
        if (op) { for (let h = n / 2; h >= 1; h /= 2) for (let i = 0; i < h; i++) y[i] = op(y[i]!, y[i + h]!); all = y[0]!; }
        if (e.fn === 'any') all = +y.some((v) => v !== 0);
        if (e.fn === 'all') all = +y.every((v) => v !== 0);
        if (e.fn === 'ballot') all = y.reduce((m, v, i) => (v !== 0 ? m + 2 ** i : m), 0);
        for (let i = 0; i < n; i++) {
          const l = base + i;
          let out = all;
          if (e.fn === 'shuffle') out = values[base + named(l)]!;
          if (e.fn === 'shuffleXor') out = values[base + (i ^ named(l))]!;
          if (e.fn === 'broadcast') {
            const from = named(l);
            first ??= from;
            if (from !== first) { enter(l); raise(at, 'KD-RUN-DIVERGED', `${text} names lane ${first} in one lane and lane ${from} in another`, { fix: 'Name one lane, or use subgroupShuffle.' }); }
            out = values[base + from]!;
          }
          lanes[l]!.frame[slot] = out;
        }
      }
    };
  }

  return () => {
    const extents = dims.map((d) => d.extent());
    size = extents.reduce((a, b) => a * b, 1);
    if (!(size >= 0 && size <= MOST_LANES)) raise(site, 'KD-RUN-SIZE', `a workgroup of ${extents.join(' x ')} lanes; ${MOST_LANES} is the most`);
    c.steps += size;
    if (c.steps > c.maxSteps) raise(site, 'KD-RUN-STEPS', `the ${size} lanes of a workgroup bring the run to ${c.steps} steps, more than ${c.maxSteps}`);
    if (alone) scope.epoch++;
    const outside = f.slice(), order = dims.map((d, i) => ({ ...d, n: extents[i]! })).sort((a, b) => a.l.loop.localeCompare(b.l.loop));
    for (let l = 0; l < size; l++) {
      // Memory of an earlier workgroup is undefined again when its Alloc runs.
      const x = (lanes[l] ??= { frame: new Float64Array(f.length), vectors: [], memories: own.map((m) => emptyMemory(m.buf)) });
      x.frame.set(outside);
      x.vectors = [];
      let rest = l; // x counts fastest
      for (const d of order) { x.frame[d.slot] = rest % d.n; rest = Math.floor(rest / d.n); }
    }
    run(Array.from({ length: size }, (_, l) => l));
    f.set(outside);
    scope.lane = -1;
  };
}
