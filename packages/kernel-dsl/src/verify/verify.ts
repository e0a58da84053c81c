import { formOf, proves, rangeOfForm, addConst, isFormConst, multiply } from '../affine/index.ts';
import type { Form, Space } from '../affine/index.ts';
import { printExpr, showLoc, visitExpr } from '../ir/index.ts';
import type { Expr, KernelIR } from '../ir/index.ts';
import { showAccess, unbounded } from './bounds.ts';
import type { Unbounded } from './bounds.ts';
import { isNest, meetsInside, unseparated } from './epochs.ts';
import type { Unseparated } from './epochs.ts';
import { errorOf, finding } from './finding.ts';
import type { Finding } from './finding.ts';
import { programOf } from './program.ts';
import type { Program } from './program.ts';
import { conflicts } from './races.ts';
import type { Conflict, Parallel } from './races.ts';
import { counterexamples } from './search.ts';
import type { Counterexample } from './search.ts';
import { unwritten } from './written.ts';

/** What verification says about a kernel. */
export interface Verdict {
  readonly kernel: string;
  /** Accesses to memory in the program's text, and how many of them are proved to stay inside of their buffers. */
  readonly accesses: number;
  readonly bounded: number;
  /** Loops whose iterations may run at once, and how many of them are proved free of races. */
  readonly parallelLoops: number;
  readonly raceFree: number;
  /** Reads of memory that starts undefined, and how many of them are proved to come after a write. */
  readonly reads: number;
  readonly written: number;
  readonly findings: readonly Finding[];
}

const verdicts = new WeakMap<KernelIR, Verdict>();

/**
 * Proves a kernel of any phase: that every access stays inside of its buffer whatever the sizes are, that iterations of parallel loops touch
 * elements of their own, that no division is by zero and that index arithmetic stays exact. What is not proved is looked for in small runs:
 * a finding is either refuted, with a counterexample, or open, with what to assume. Reads of what nothing wrote are found where that can be
 * decided. What the kernel assumes (checked at launch) is taken for granted. The answer is remembered for the kernel.
 *
 * @example verify(schedule(k, target('x86-64-v3'), cpu)).findings.forEach((f) => console.log(f.message))
 */
export function verify(subject: KernelIR | { readonly ir: KernelIR }): Verdict {
  const k = 'ir' in subject ? subject.ir : subject;
  const known = verdicts.get(k);
  if (known) return known;
  const v = examine(k);
  verdicts.set(k, v);
  return v;
}

/**
 * Refuses a kernel that {@link verify} does not pass.
 * @throws DslError KD-V-…: the first finding; those that are shown to go wrong come first.
 */
export function requireVerified(subject: KernelIR | { readonly ir: KernelIR }): void {
  const [first] = verify(subject).findings;
  if (first) throw errorOf(first);
}

function examine(k: KernelIR): Verdict {
  const p = programOf(k), bounds = unbounded(p), initial = unwritten(p);
  const nests = p.parallel.filter((x) => isNest(x) && meetsInside(p, x)).map((x) => ({ of: x, ...unseparated(p, x) })), inNest = (x: Parallel): (typeof nests)[number] | undefined => nests.find((n) => x === n.of || (x.loop.loop.startsWith('lane.') && x.place.path.includes(n.of.loop)));
  const races = p.parallel.map((x): { found: readonly Conflict[]; held: boolean } => { const n = inNest(x); return n ? { found: [], held: n.open.length + n.diverged.length > 0 } : { found: conflicts(p, x), held: false }; });
  const met = races.flatMap((r) => r.found), lanes = nests.flatMap((n) => n.open.map((u) => ({ ...u, loop: n.of.loop }))), stray = nests.flatMap((n) => n.diverged.map((d) => ({ ...d, loop: n.of.loop }))), findings: Finding[] = [];
  // Small runs are the judge of what is open.
  // A read that was not proved is looked for in programs as authors write them; what passes made of those is long, and read in the same order.
  const unsafe = bounds.open.length + met.length + lanes.length + stray.length, unread = p.accesses.length <= 120 ? initial.open.length : 0;
  const faults = unsafe + unread === 0 ? [] : counterexamples(k, new Set(['KD-RUN-OOB', 'KD-RUN-RACE', 'KD-RUN-UNINIT', 'KD-RUN-DIVERGED']), unsafe + initial.open.length, unsafe > 0 ? undefined : 6);
  const told = new Set<Counterexample>();
  const fault = (id: string, at: { readonly buf: { readonly name: string }; readonly place: { readonly loc: Finding['loc'] } }): Counterexample | undefined => {
    const hits = faults.filter((c) => c.fault.id === id && c.fault.buffer === at.buf.name);
    return hits.find((c) => showLoc(c.fault.loc) === showLoc(at.place.loc));
  };
  const once = new Set<string>();
  const add = (f: Finding): void => {
    const key = `${f.id} ${showLoc(f.loc)} ${f.message}`;
    if (!once.has(key)) { once.add(key); findings.push(f); }
  };
  for (const u of bounds.open) {
    const c = fault('KD-RUN-OOB', u.access);
    if (c) told.add(c);
    add(c ? refutedBounds(k, u, c) : openBounds(k, p, u));
  }
  for (const m of met) {
    const c = fault('KD-RUN-RACE', m.write) ?? fault('KD-RUN-RACE', m.other);
    if (c) told.add(c);
    add(race(k, m, c));
  }
  for (const u of lanes) add(lanesMeet(k, u, fault('KD-RUN-RACE', u.first) ?? fault('KD-RUN-RACE', u.second)));
  for (const d of stray) {
    const c = faults.find((x) => x.fault.id === 'KD-RUN-DIVERGED');
    add(finding(k, 'KD-V-BARRIER', c ? 'refuted' : 'open', { axis: d.loop.v.name, why: d.why }, d.place, { counterexample: c }));
  }
  for (const a of initial.never) add(finding(k, 'KD-V-UNINIT', 'refuted', { access: showAccess(a) }, a.place, { counterexample: fault('KD-RUN-UNINIT', a) }));
  for (const a of initial.open) {
    const c = fault('KD-RUN-UNINIT', a);
    if (c) add(finding(k, 'KD-V-UNINIT', 'refuted', { access: showAccess(a) }, a.place, { counterexample: c }));
  }
  for (const c of faults) {
    if (told.has(c) || c.fault.id !== 'KD-RUN-OOB') continue;
    const u = bounds.open.find((x) => x.access.buf.name === c.fault.buffer);
    if (u && !findings.some((f) => f.counterexample === c)) add(refutedBounds(k, u, c));
  }
  findings.push(...outputs(k, p), ...divisions(k, p), ...beyondExact(k, p));
  findings.sort((a, b) => Number(a.verdict === 'open') - Number(b.verdict === 'open'));
  return {
    kernel: k.name, accesses: p.accesses.length, bounded: bounds.proved, parallelLoops: races.length, raceFree: races.filter((r) => r.found.length === 0 && !r.held).length,
    reads: initial.reads, written: initial.proved, findings,
  };
}

const extents = (u: Unbounded): string => u.access.buf.shape.map(printExpr).join(', ');

function refutedBounds(k: KernelIR, u: Unbounded, c: Counterexample): Finding {
  const a = u.access;
  return finding(k, 'KD-V-BOUNDS', 'refuted', { access: showAccess(a), index: c.index.join(', '), name: a.buf.name, shape: extents(u), cond: inside(u) }, { loc: c.fault.loc ?? a.place.loc, step: c.fault.step ?? a.place.step }, { counterexample: c });
}

/** The bound that is missing, as a condition at the access. */
const inside = (u: Unbounded): string => {
  const e = printExpr(u.access.index[u.dim]!), last = u.dim === u.access.index.length - 1 ? u.access.width : 1;
  return u.side === 'below' ? `${e} >= 0` : `${last > 1 ? `${e} + ${last - 1}` : e} < ${printExpr(u.access.buf.shape[u.dim]!)}`;
};

function openBounds(k: KernelIR, p: Program, u: Unbounded): Finding {
  let source: string | undefined;
  const look = (e: Expr): void => visitExpr(e, (x) => {
    if (x.kind === 'load') source ??= x.buf.name;
    const value = x.kind === 'var' ? p.space.lets.get(x.id) : undefined;
    if (value) look(value);
  });
  look(u.access.index[u.dim]!);
  const access = showAccess(u.access);
  if (source !== undefined) return finding(k, 'KD-V-DATA', 'open', { access, source, extent: printExpr(u.access.buf.shape[u.dim]!) }, u.access.place);
  return finding(k, 'KD-V-BOUNDS-OPEN', 'open', { access, cond: inside(u), assume: missing(u.space, u) ?? inside(u) }, u.access.place);
}

/** What would be enough to know about sizes and scalars: the goal with each loop variable at its worst. */
function missing(s: Space, u: Unbounded): string | undefined {
  let f: Form = u.goal;
  const loops = new Map(u.access.place.path.flatMap((a) => (a.kind === 'for' ? [[s.byKey.get(`v${a.v.id}`), a] as const] : [])));
  for (let i = 0; i < 8; i++) {
    const hit = [...f.t].find(([id]) => loops.has(id));
    if (!hit) break;
    const [id, q] = hit, loop = loops.get(id)!, rest: Form = { c: f.c, t: new Map([...f.t].filter(([x]) => x !== id)) };
    const worst = q > 0 ? { c: 0, t: new Map<number, number>() } : addConst(formOf(s, loop.extent), -1);
    f = { c: rest.c + q * worst.c, t: new Map(rest.t) };
    for (const [x, w] of worst.t) (f.t as Map<number, number>).set(x, (f.t.get(x) ?? 0) + q * w);
  }
  const side = (sign: number): string => {
    const parts = [...f.t].filter(([, q]) => q * sign > 0).map(([id, q]) => (Math.abs(q) === 1 ? s.terms[id]!.name : `${Math.abs(q)} * ${s.terms[id]!.name}`));
    if (f.c * sign > 0) parts.push(String(Math.abs(f.c)));
    return parts.join(' + ') || '0';
  };
  return `${side(-1)} <= ${side(1)}`;
}

function race(k: KernelIR, m: Conflict, c: Counterexample | undefined): Finding {
  const axis = m.loop.v.name, kind = m.loop.loop, { write, other } = m;
  const notes = other === write ? [] : [{ text: `${other.kind === 'load' ? 'read' : 'written'} as ${showAccess(other)}`, loc: other.place.loc }];
  if (!c) return finding(k, 'KD-V-RACE-OPEN', 'open', { axis, kind, a: showAccess(write), b: showAccess(other) }, write.place, { notes });
  const [first = '?', second = '?'] = [...c.fault.text.matchAll(new RegExp(`iteration ${axis} = (\\d+)`, 'g'))].map((x) => x[1]!);
  return finding(k, 'KD-V-RACE', 'refuted', { name: write.buf.name, index: c.index.join(', '), axis, kind, first, second }, write.place, { notes, counterexample: c });
}

/** Two lanes and one element, with no barrier between. */
function lanesMeet(k: KernelIR, u: Unseparated & { readonly loop: { readonly v: { readonly name: string } } }, c: Counterexample | undefined): Finding {
  const { first: a, second: b } = u, [write, other] = a.kind === 'load' ? [b, a] : [a, b];
  const notes = other === write ? [] : [{ text: `${other.kind === 'load' ? 'read' : 'written'} as ${showAccess(other)}`, loc: other.place.loc }];
  if (!c) return finding(k, 'KD-V-LANES-OPEN', 'open', { axis: u.loop.v.name, a: showAccess(write), b: showAccess(other) }, write.place, { notes });
  const [first = '?', second = '?'] = [...c.fault.text.matchAll(/lane (\d+)/g)].map((x) => x[1]!);
  return finding(k, 'KD-V-LANES', 'refuted', { name: write.buf.name, index: c.index.join(', '), first, second }, write.place, { notes, counterexample: c });
}

/** Outputs that the kernel forgot. */
function outputs(k: KernelIR, p: Program): Finding[] {
  const written = new Set(p.accesses.filter((a) => a.kind !== 'load').map((a) => a.buf.id)), at = { loc: k.loc, step: undefined };
  const tensors = k.params.flatMap((x) => (x.kind === 'tensor' ? [x.buf] : []));
  if (!tensors.some((b) => written.has(b.id))) return [finding(k, 'KD-V-NO-WRITE', 'refuted', { kernel: k.name }, at)];
  return tensors.filter((b) => b.access === 'out' && !written.has(b.id)).map((b) => finding(k, 'KD-V-OUT', 'refuted', { kernel: k.name, name: b.name }, at));
}

/** Divisors that may be zero. */
function divisions(k: KernelIR, p: Program): Finding[] {
  return p.divisions.filter((d) => {
    const f = formOf(p.space, d.by);
    return !proves(p.space, addConst(f, -1), d.place.scope) && !proves(p.space, addConst({ c: -f.c, t: new Map([...f.t].map(([id, q]) => [id, -q])) }, -1), d.place.scope);
  }).map((d) => finding(k, 'KD-V-DIV', 'open', { expr: printExpr(d.e), by: printExpr(d.by) }, d.place));
}

/** The most elements that a tensor can have: nobody has 2^50 bytes. Sizes are no larger, and nor is what they are products of. */
const MOST = 2 ** 50;

/** Products of index arithmetic that may leave the exact integers. Sums of what is bounded cannot. */
function beyondExact(k: KernelIR, p: Program): Finding[] {
  const out: Finding[] = [], seen = new Set<string>();
  const tensors = (): Form[] => k.params.flatMap((x) => (x.kind === 'tensor' ? [x.buf.shape.map((e) => formOf(p.space, e)).reduce((a, b) => multiply(p.space, a, b))] : []));
  for (const a of p.accesses) for (const i of a.index) visitExpr(i, (e) => {
    if (e.kind !== 'binary' || e.fn !== 'mul' || e.dtype !== 'i64' || e.lanes !== 1 || seen.has(printExpr(e))) return;
    const x = formOf(p.space, e.a), y = formOf(p.space, e.b);
    if (isFormConst(x) || isFormConst(y)) return;
    visitExpr(e, (inner) => { seen.add(printExpr(inner)); }); // the largest product is enough
    const f = formOf(p.space, e), r = rangeOfForm(p.space, f);
    if (Math.max(Math.abs(r.lo), r.hi) <= MOST) return;
    const at = a.place.scope, below = (top: Form): boolean => proves(p.space, { c: top.c - f.c, t: difference(top, f) }, at);
    if (proves(p.space, f, at) && tensors().some(below)) return;
    out.push(finding(k, 'KD-V-RANGE', 'open', { expr: printExpr(e) }, a.place));
  });
  return out;
}
const difference = (a: Form, b: Form): Map<number, number> => {
  const t = new Map(a.t);
  for (const [id, q] of b.t) { const x = (t.get(id) ?? 0) - q; if (x === 0) t.delete(id); else t.set(id, x); }
  return t;
};
