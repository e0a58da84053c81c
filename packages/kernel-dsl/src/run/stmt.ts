import { boundBy, buffersOf, printExpr, visitExpr, visitStmt } from '../ir/index.ts';
import type { Expr, Stmt } from '../ir/index.ts';
import { compileStore } from './access.ts';
import { compileAtomic } from './atomic.ts';
import { compilePrint } from './print.ts';
import { binaryOp } from './arith.ts';
import type { Context, Num, Run } from './context.ts';
import { compileNum, compileVec, compilers } from './expr.ts';
import { allocate, emptyMemory } from './memory.ts';
import { enter, parallelScope } from './race.ts';
import { raise, within } from './site.ts';
import type { Site } from './site.ts';
import { workgroup } from './workgroup.ts';

type Of<K extends Stmt['kind']> = Extract<Stmt, { kind: K }>;

/** Compiles a statement to a closure. */
export function compileStmt(c: Context, s: Stmt, outer: Site): Run {
  const site = within(outer, s);
  switch (s.kind) {
    case 'block': return sequence(s.body.map((x) => compileStmt(c, x, site)));
    case 'region': return compileStmt(c, s.body, site);
    case 'for': return s.loop.startsWith('lane.') ? workgroup(c, s, site, { stmt: (x, at) => compileStmt(c, x, at), num: (e, at) => compileNum(c, e, at), bindVar: (id) => bindVar(c, id) }) : loop(c, s, site);
    case 'if': {
      if (s.cond.dtype !== 'bool') raise(site, 'KD-RUN-IR', `the condition ${printExpr(s.cond)} is ${s.cond.dtype}`);
      const p = compileNum(c, s.cond, site), then = compileStmt(c, s.then, site), other = s.else && compileStmt(c, s.else, site);
      return other ? () => { if (p() !== 0) then(); else other(); } : () => { if (p() !== 0) then(); };
    }
    case 'let': {
      if (s.v.lanes !== s.value.lanes || s.v.dtype !== s.value.dtype) raise(site, 'KD-RUN-IR', `${s.v.name} is ${s.v.dtype} x ${s.v.lanes}, its value ${s.value.dtype} x ${s.value.lanes}`);
      const f = c.frame, g = c.vectors;
      if (s.v.lanes === 1) {
        const x = compileNum(c, s.value, site), i = bindVar(c, s.v.id);
        return () => { f[i] = x(); };
      }
      const x = compileVec(c, s.value, site), i = bindVar(c, s.v.id);
      return () => { g[i] = x(); };
    }
    case 'call': return s.meaning ? compileStmt(c, s.meaning, site) : raise(site, 'KD-RUN-IR', `${s.fn.name} is a function of a device`);
    case 'alloc': return alloc(c, s, site);
    case 'store': return compileStore(c, s.buf, s.index, s.value, site, compilers(c));
    case 'accum': {
      const op = binaryOp(s.fn, s.buf.dtype) ?? raise(site, 'KD-RUN-IR', `${s.fn} is not defined for ${s.buf.dtype}, the type of ${s.buf.name}`);
      const whole = s.buf.dtype !== 'i64' ? op : (a: number, b: number): number => {
        const x = op(a, b);
        return Number.isSafeInteger(x) ? x : raise(site, 'KD-RUN-RANGE', `${s.buf.name} becomes ${x}, which is beyond 2^53`, { buffer: s.buf.name });
      };
      return compileStore(c, s.buf, s.index, s.value, site, compilers(c), whole);
    }
    case 'while': return whileLoop(c, s, site);
    case 'atomic': return compileAtomic(c, s, site, compilers(c), (v) => bindVar(c, v.id));
    case 'print': return compilePrint(c, s, site, (e) => compileNum(c, e, site));
    case 'assume': return atLaunch(s) ? () => {} : compileAssume(c, s, site);
    case 'instr': return raise(site, 'KD-RUN-IR', `the instruction ${s.def.name} was not expanded`);
    // Among lanes a barrier is the workgroup's; between two nests of lanes it tells them apart.
    case 'barrier': return () => { c.lanes.epoch++; };
  }
}

function sequence(all: readonly Run[]): Run {
  const [a, b, d] = all;
  if (!a) return () => {};
  if (!b) return a;
  if (!d) return () => { a(); b(); };
  if (all.length === 3) return () => { a(); b(); d(); };
  return () => { for (let i = 0; i < all.length; i++) all[i]!(); };
}

function bindVar(c: Context, id: number): number {
  const slot = c.slots.get(id) ?? c.slots.size;
  c.slots.set(id, slot);
  return slot;
}

/** Charges a loop's iterations before it runs, so that a runaway extent is refused at once. */
function charge(c: Context, s: Of<'for'>, site: Site, n: number): void {
  c.steps += Math.max(0, n);
  if (c.steps > c.maxSteps) raise(site, 'KD-RUN-STEPS', `the ${n} iterations of loop ${s.v.name} bring the run to ${c.steps} steps, more than ${c.maxSteps}`);
}

function loop(c: Context, s: Of<'for'>, site: Site): Run {
  if (s.v.dtype !== 'i64' || s.extent.dtype !== 'i64') raise(site, 'KD-RUN-IR', `loop ${s.v.name} runs over ${s.v.dtype} to ${s.extent.dtype}, not i64`);
  const extent = compileNum(c, s.extent, site), f = c.frame, slot = bindVar(c, s.v.id);
  const inside: Site = { ...site, loops: [...site.loops, { name: s.v.name, kind: s.loop, now: () => f[slot]! }] };
  if (s.loop === 'seq' || s.loop === 'unroll' || s.loop === 'vector') {
    const body = compileStmt(c, s.body, inside);
    return () => {
      const n = extent();
      charge(c, s, site, n);
      for (let i = 0; i < n; i++) { f[slot] = i; body(); }
    };
  }
  // Iterations of the other kinds may run at once: any order must do, and none may touch what another writes.
  const written = [...buffersOf(s.body).values()].flatMap((b) => (b.writes > 0 ? c.memories.get(b.buf.id) ?? [] : []));
  const scope = parallelScope(s.v.name, written);
  c.parallel.push(scope);
  const body = compileStmt(c, s.body, inside);
  c.parallel.pop();
  return () => {
    const n = extent();
    charge(c, s, site, n);
    enter(scope, Math.max(0, n));
    const { first } = scope;
    for (const i of shuffled(n, c.random)) {
      f[slot] = i;
      scope.now = first + i;
      c.lanes.epoch++; // another workgroup
      body();
    }
  };
}

function whileLoop(c: Context, s: Of<'while'>, site: Site): Run {
  if (s.cond.dtype !== 'bool' || s.v.dtype !== 'i64' || s.max.dtype !== 'i64') raise(site, 'KD-RUN-IR', `while ${s.cond.dtype}, at most ${s.max.dtype} times`);
  const max = compileNum(c, s.max, site), cond = compileNum(c, s.cond, site), f = c.frame, slot = bindVar(c, s.v.id);
  const body = compileStmt(c, s.body, { ...site, loops: [...site.loops, { name: s.v.name, kind: 'seq', now: () => f[slot]! }] });
  return () => {
    const n = max();
    for (let i = 0; cond() !== 0; i++) {
      if (i >= n) raise(site, 'KD-RUN-WHILE', `the loop ${s.v.name} would go on after ${n} rounds, its bound`);
      if (++c.steps > c.maxSteps) raise(site, 'KD-RUN-STEPS', `round ${i} of loop ${s.v.name} brings the run to ${c.steps} steps, more than ${c.maxSteps}`);
      f[slot] = i;
      body();
    }
  };
}

function shuffled(n: number, random: (n: number) => number): Float64Array {
  const order = new Float64Array(Math.max(0, n));
  for (let i = 0; i < n; i++) { // inside out: i goes to a random place, what was there to the end
    const j = random(i + 1);
    order[i] = order[j]!;
    order[j] = i;
  }
  return order;
}

function alloc(c: Context, s: Of<'alloc'>, site: Site): Run {
  const m = emptyMemory(s.buf), shape: Num[] = s.buf.shape.map((e) => compileNum(c, e, site));
  c.memories.set(s.buf.id, m);
  if (c.inLanes) c.laneOwn.add(s.buf.id);
  return () => {
    const dims = shape.map((f) => f());
    if (!dims.every((n) => Number.isSafeInteger(n) && n >= 0)) raise(site, 'KD-RUN-SIZE', `${s.buf.space} ${s.buf.name} gets the shape [${dims.join(', ')}]`, { buffer: s.buf.name, fix: 'Make its dimensions non-negative.' });
    allocate(m, dims);
    m.shadow = undefined; // no lane has touched it yet, though it may lie where something else did
    c.allocs++;
  };
}

/** Can an assumption be checked before anything runs? Yes, unless it looks at variables or at memory. */
function atLaunch(s: Of<'assume'>): boolean {
  let early = true;
  visitExpr(s.cond, (e: Expr) => { if (e.kind === 'var' || e.kind === 'load') early = false; });
  return early;
}

function compileAssume(c: Context, s: Of<'assume'>, site: Site): Run {
  const p = compileNum(c, s.cond, site);
  return () => { if (p() === 0) raise(site, 'KD-RUN-ASSUME', `${c.kernel.name} assumes ${s.text || printExpr(s.cond)}, which does not hold`, { fix: `Call the kernel so that ${s.text || printExpr(s.cond)}.` }); };
}

/** Checks what the kernel assumes about sizes, strides and scalars, before anything is written. */
export function checkAssumptions(c: Context, site: Site): void {
  visitStmt(c.kernel.body, (s) => { if (s.kind === 'assume' && atLaunch(s)) compileAssume(c, s, within(site, s))(); });
}

/** How many variables the statement binds. */
export function countVars(s: Stmt): number {
  let n = 0;
  visitStmt(s, (x) => { if (boundBy(x)) n++; });
  return n;
}
