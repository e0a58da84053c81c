import { addConst, assuming, combineForms, conditionCases, formConst, formOf, meets, rangeOfForm } from '../affine/index.ts';
import type { Constraint, Form, Scope, Space } from '../affine/index.ts';
import { binary, constant, sameExpr, sub, add, substituteExpr } from '../ir/index.ts';
import type { Expr, For } from '../ir/index.ts';
import { bounds } from './program.ts';
import { filled, joined } from './sources.ts';
import type { Source } from './sources.ts';
import type { Access, Around, Program } from './program.ts';

/** What is known about reads of memory that starts undefined. */
export interface Initial {
  readonly reads: number;
  readonly proved: number;
  /** Reads before which nothing writes the buffer at all. */
  readonly never: readonly Access[];
  /** Reads that are not proved to come after a write of the same element. */
  readonly open: readonly Access[];
}

/** Looks at every read of a register, of working memory and of an out tensor: has the element been written by then? */
export function unwritten(p: Program): Initial {
  const never: Access[] = [], open: Access[] = [], writes = new Map<number, { a: Access; at: number }[]>();
  let reads = 0, proved = 0;
  const effort = { kernel: Math.max(40, Math.floor(6000 / p.accesses.length)) }; // long programs are what passes made of short ones
  for (const [at, a] of p.accesses.entries()) if (a.kind !== 'load' && starts(a)) writes.set(a.buf.id, [...(writes.get(a.buf.id) ?? []), { a, at }]);
  for (const [at, a] of p.accesses.entries()) {
    if (a.kind === 'store' || !starts(a)) continue;
    reads++;
    const made = p.allocs.get(a.buf.id), depth = made?.depth ?? 0;
    const sources = (writes.get(a.buf.id) ?? []).filter((w) => w.a !== a || repeats(a, depth)).flatMap((w) => sourcesOf(a, w.a, w.at < at, depth));
    if (sources.length === 0) never.push(a);
    else if (covered(p, a, sources, effort)) proved++;
    else open.push(a);
  }
  return { reads, proved, never, open };
}

const starts = (a: Access): boolean => a.buf.space !== 'param' || a.buf.access === 'out';
const sequential = (a: Around): a is For => a.kind === 'for' && (a.loop === 'seq' || a.loop === 'unroll' || a.loop === 'vector');
const repeats = (a: Access, depth: number): boolean => a.place.path.slice(depth).some(sequential);

/** In which ways a write comes before a read. */
function sourcesOf(read: Access, write: Access, before: boolean, depth: number): Source[] {
  const a = read.place.path, b = write.place.path;
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++;
  const out: Source[] = [];
  if (before && write !== read) out.push({ write, shared, earlier: undefined });
  for (let i = shared - 1; i >= depth; i--) { const loop = a[i]!; if (sequential(loop)) out.push({ write, shared: i, earlier: loop }); }
  return out;
}

/** Attempts that are left, for this read and for all of the kernel. */
interface Budget { readonly kernel: { kernel: number }; read: number }

/** Is the read's element written by one of the sources, in every case? */
function covered(p: Program, read: Access, all: readonly Source[], effort: { kernel: number }): boolean {
  // A write under nothing but what surrounds the read, to the same place.
  if (all.some((s) => s.earlier === undefined && s.shared === s.write.place.path.length && s.write.width >= read.width && s.write.lanes === 1 && read.lanes === 1 && s.write.index.every((e, d) => sameExpr(e, read.index[d]!)))) return true;
  if (filled(all)) return true;
  // Nearest first: what shares most with the read.
  const sources = joined(read, all).sort((x, y) => Number(x.earlier !== undefined) - Number(y.earlier !== undefined) || y.shared - x.shared), budget: Budget = { kernel: effort, read: 12 };
  if (read.lanes > 1) return laneByLane(p, read, sources, budget);
  if (inOne(p, read.index, read.width, read.place.scope, sources, 3, budget)) return true;
  if (read.width === 1 || read.width > 64 || read.index.length === 0) return false;
  budget.read = 48;
  return Array.from({ length: read.width }, (_, i) => [...read.index.slice(0, -1), add(read.index.at(-1)!, constant(i))]).every((index) => inOne(p, index, 1, read.place.scope, sources, 3, budget));
}

/** A gather reads an element a lane; where its index is a ramp, lane by lane. */
function laneByLane(p: Program, read: Access, sources: readonly Source[], budget: Budget): boolean {
  const lane = (e: Expr, l: number): Expr | undefined =>
    e.lanes === 1 ? e : e.kind === 'broadcast' ? e.x : e.kind === 'ramp' ? add(e.base, binary('mul', e.stride, constant(l))) : undefined;
  return Array.from({ length: read.lanes }, (_, l) => read.index.map((e) => lane(e, l))).every((index) =>
    index.every((e) => e !== undefined) && inOne(p, index as Expr[], read.width, read.place.scope, sources, 2, budget));
}

/** Where one source writes the place under some condition, the others may where it does not hold. */
function inOne(p: Program, index: readonly Expr[], width: number, at: Scope, sources: readonly Source[], depth: number, budget: Budget): boolean {
  for (const s of sources) {
    for (const needs of witness(p, s, index, width)) {
      if (needs.some((c) => impossible(p.space, c))) continue;
      if (--budget.read < 0 || --budget.kernel.kernel < 0) return false;
      const left = needs.filter((c) => !meets(p.space, c, at, { effort: 3, far: false }));
      if (left.length === 0) return true;
      if (depth === 0 || left.length > 2) continue;
      const others = sources.filter((x) => x !== s), elsewhere = (f: Form): boolean => inOne(p, index, width, assuming(at, f), others, depth - 1, budget);
      if (left.every((c) => elsewhere(addConst(negated(c.f), -1)) && (!c.eq || elsewhere(addConst(c.f, -1))))) return true;
    }
  }
  return false;
}
const impossible = (s: Space, c: Constraint): boolean => { const r = rangeOfForm(s, c.f); return r.hi < 0 || (c.eq === true && r.lo > 0); };
const negated = (f: Form): Form => combineForms(formConst(0), f, -1);

/** What must hold, in one of these ways, for the source to have written the place: its loops are taken at the iteration that writes there. */
function witness(p: Program, s: Source, index: readonly Expr[], width: number): readonly (readonly Constraint[])[] {
  const { write } = s, around = write.place.path.slice(s.shared), loops = around.filter((a): a is For => a.kind === 'for');
  if (write.lanes > 1 && write.index.some((e) => e.lanes > 1 && e.kind !== 'ramp')) return [];
  const chosen = new Map<number, Expr>();
  for (const [d, e] of index.entries()) if (!solve(p.space, write, d, e, loops, chosen)) return [];
  for (const l of loops) if (!chosen.has(l.v.id)) chosen.set(l.v.id, constant(0));
  const put = (e: Expr): Expr => substituteExpr(inlined(p.space, e), chosen), f = (e: Expr): Form => formOf(p.space, e);
  const needs: Constraint[] = [];
  let ways: readonly (readonly Constraint[])[] = [[]];
  for (const a of around) {
    if (a.kind === 'for') {
      const v = chosen.get(a.v.id)!, i = f(v);
      needs.push({ f: i });
      for (const b of a === s.earlier ? [a.v] : bounds(a.extent)) needs.push({ f: addConst(combineForms(f(a === s.earlier ? b : put(b)), i, -1), -1) });
    } else if (a.kind === 'while') return []; // it may not run
    else {
      const cases = conditionCases(p.space, put(a.cond), a.holds);
      ways = ways.flatMap((x) => cases.map((c) => [...x, ...c]));
      if (ways.length > 4) return [];
    }
  }
  const last = index.length - 1;
  for (const [d, e] of index.entries()) {
    const w = write.index[d]!, from = f(put(w.kind === 'ramp' ? w.base : w)), there = f(e), off = combineForms(there, from, -1);
    if (w.kind === 'ramp') {
      if (w.stride.kind !== 'const' || w.stride.value !== 1 || write.width !== 1) return [];
      needs.push({ f: off }, { f: addConst(negated(off), write.lanes - (d === last ? width : 1)) });
    } else if (d < last) needs.push({ f: off, eq: true });
    else needs.push({ f: off }, { f: addConst(negated(off), write.width - width) });
  }
  return ways.map((x) => [...needs, ...x]);
}

/** An expression without the names that stand for index arithmetic. */
function inlined(s: Space, e: Expr): Expr {
  if (e.kind === 'var') { const value = s.lets.get(e.id); return value && value.dtype === 'i64' && value.lanes === 1 ? inlined(s, value) : e; }
  if (e.kind !== 'binary' && e.kind !== 'cmp' && e.kind !== 'cast' && e.kind !== 'select' && e.kind !== 'unary') return e;
  return { ...e, ...('x' in e ? { x: inlined(s, e.x) } : {}), ...('a' in e ? { a: inlined(s, e.a), b: inlined(s, e.b) } : {}), ...('cond' in e ? { cond: inlined(s, e.cond) } : {}) };
}

/** Chooses the variables of the write's loops so that dimension d of its index is e: the largest coefficient takes what is whole, and so on. */
function solve(s: Space, write: Access, d: number, e: Expr, loops: readonly For[], chosen: Map<number, Expr>): boolean {
  const w = write.index[d]!, base = inlined(s, w.kind === 'ramp' ? w.base : w), terms: { v: For; coef: number }[] = [];
  let rest: Expr = constant(0);
  const go = (x: Expr, k: number): boolean => {
    if (x.kind === 'var') {
      const loop = loops.find((l) => l.v.id === x.id);
      if (loop) {
        const known = chosen.get(x.id), same = terms.find((t) => t.v === loop);
        if (known) rest = add(rest, binary('mul', known, constant(k))); else if (same) same.coef += k; else terms.push({ v: loop, coef: k });
        return true;
      }
    }
    if (x.kind === 'binary' && x.fn === 'add') return go(x.a, k) && go(x.b, k);
    if (x.kind === 'binary' && x.fn === 'sub') return go(x.a, k) && go(x.b, -k);
    if (x.kind === 'binary' && x.fn === 'mul' && x.b.kind === 'const') return go(x.a, k * x.b.value);
    if (x.kind === 'binary' && x.fn === 'mul' && x.a.kind === 'const') return go(x.b, k * x.a.value);
    rest = add(rest, binary('mul', x, constant(k)));
    return true;
  };
  if (!go(base, 1)) return false;
  let left = sub(e, rest);
  for (const t of terms.filter((x) => x.coef !== 0).sort((a, b) => b.coef - a.coef)) {
    if (t.coef < 0) return false;
    chosen.set(t.v.v.id, binary('div', left, constant(t.coef)));
    left = binary('mod', left, constant(t.coef));
  }
  return true;
}
