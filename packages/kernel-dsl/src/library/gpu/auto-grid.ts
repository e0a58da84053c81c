import { EmitError } from '../../emit/index.ts';
import { emitGpu } from '../../emit/gpu/index.ts';
import { DslError } from '../../errors/index.ts';
import { affine, bytesOf, isConst, upperBound, usesVar, visitExprs, visitStmt } from '../../ir/index.ts';
import type { Expr, For, Stmt } from '../../ir/index.ts';
import { Axis } from '../../lang/index.ts';
import type { Axes, Kernel } from '../../lang/index.ts';
import { holds, isGrid, lower, onHost } from '../../passes/index.ts';
import { dealable, dependence, keepable, schedule } from '../../schedule/index.ts';
import type { Schedule, ScheduledKernel } from '../../schedule/index.ts';
import type { Target } from '../../targets/index.ts';
import { requireVerified } from '../../verify/index.ts';
import { gridMap, gridReduce, gridRows, gridTranspose, lanesFor } from './grid.ts';
import type { GridOptions } from './grid.ts';

/**
 * A schedule for a GPU that nobody wrote: each nest of loops becomes a launch. Its independent outer loops are workgroups; lanes take neighbouring
 * iterations of the innermost of them, or share what is inside of a row where memory is walked along that; a sum over all is cut into parts. What cannot be dealt out runs as it is written: on one
 * lane of each workgroup, or on a single lane. Results are those of the algorithm but for the order of sums. What comes out is proved, and
 * known to print for the target; a kernel whose author bound loops is left as it is.
 * @example const s = autoGrid(softmax, target('cuda-sm80'));
 */
export function autoGrid<A extends Axes>(k: Kernel<A>, t: Target): ScheduledKernel {
  const as = (choices: readonly Candidate[]): ScheduledKernel => schedule(k, t, (s) => { for (const c of choices) c(s); });
  const chosen: Candidate[] = [], nests = holds(k.ir.body, isGrid) ? [] : nestsOf(k.ir.body);
  let best = as(chosen);
  for (const nest of nests) for (const c of candidates(nest, t)) {
    try {
      const s = as([...chosen, c]);
      requireVerified(s.ir);
      emitGpu(lower(s.ir, t), t);
      chosen.push(c);
      best = s;
      break;
    } catch (e) {
      if (!(e instanceof DslError) && !(e instanceof EmitError)) throw e; // the next way, then
    }
  }
  if (chosen.length === 0) requireVerified(best.ir);
  return best;
}

/** Elements that a lane keeps of each tensor. */
const KEPT = 32;

/** One way to run a nest. */
type Candidate = (s: Schedule) => void;

const axisOf = (l: For): Axis => new Axis(l.v.name, l.extent, l.v, l.loc);
const small = (l: For, most: number): boolean => (upperBound(l.extent) ?? Infinity) <= most;

/** The loops that become launches: outermost ones, or those inside of a loop whose iterations need each other and that a host can count. */
function nestsOf(s: Stmt): readonly For[] {
  switch (s.kind) {
    case 'block': return s.body.flatMap(nestsOf);
    case 'region': return nestsOf(s.body);
    case 'if': return onHost(s.cond, () => true) ? [...nestsOf(s.then), ...(s.else ? nestsOf(s.else) : [])] : [];
    case 'for': {
      if (holds(s, (x) => x.kind === 'assume' || x.kind === 'print')) return [];
      const inside = dependence(s) !== undefined && onHost(s.extent, () => false) && !small(s, 1) ? nestsOf(s.body).filter((l) => dependence(l) === undefined) : [];
      return inside.length > 0 && !registersAround(s.body) ? inside : [s];
    }
    default: return [];
  }
}
/** Does a loop keep something in registers from one of its statements to the next? Between launches that would be memory of the device. */
const registersAround = (body: Stmt): boolean => body.kind === 'block' && body.body.some((s) => s.kind === 'alloc');

/** Ways to run a nest, the most promising first. */
function candidates(nest: For, t: Target): readonly Candidate[] {
  const chain: For[] = [];
  for (let s: Stmt = nest; ; s = s.body) {
    if (s.kind !== 'for' || s.loop !== 'seq' || dependence(s) !== undefined || chain.some((l) => usesVar((s as For).extent, l.v))) break;
    chain.push(s);
  }
  if (chain.length === 0) {
    const register = accumulates(nest);
    return register === undefined ? [] : [...vectors(nest), 1].map((vector) => (s) => { gridReduce(s, axisOf(nest), register, { lanes: Math.min(256, t.gpu!.workgroup.lanes), vector }); });
  }
  const last = chain.at(-1)!, over = dealt(last.body, last.body), rows = chain.map(axisOf), out: Candidate[] = [];
  const loops = holds(last.body, (s) => s.kind === 'for' || s.kind === 'while');
  const across = loops ? undefined : readAcross(chain);
  const maps = (loops ? [1] : [...vectors(last), 1]).map((vector): Candidate => (s) => { gridMap(s, rows, { vector, lanes: lanesFor(rows.at(-1)!, 256) }); });
  if (across !== undefined) maps.unshift((s) => { gridTranspose(s, { i: rows.at(-2)!, j: rows.at(-1)! }, across, { rows: t.gpu!.language === 'wgsl' ? 32 : 64 }); });
  if (over.length > 0) {
    const longest = over.reduce((a, b) => ((upperBound(b.extent) ?? Infinity) > (upperBound(a.extent) ?? Infinity) ? b : a)), lanes = lanesFor(axisOf(longest), Math.min(512, t.gpu!.workgroup.lanes));
    const vector = over.every((l) => !holds(l.body, (s) => s.kind === 'for' || s.kind === 'while')) ? vectors(...over) : [];
    // What several loops use stays in registers, of fewer lanes with more of it each: so that other workgroups fit beside.
    const kept = alongRows(last, over) && keepable(last.body, over).length > 0, fewer = Math.min(lanes, 256), all = [...vector, 1].flatMap((v): readonly GridOptions[] => [{ lanes: fewer, vector: v, keep: KEPT * fewer }, { lanes, vector: v }]);
    const shared = all.filter((o) => kept || !o.keep).map((o): Candidate => (s) => {
      const rounds = gridRows(s, rows, over.map(axisOf), o);
      // Compilers of WGSL write no loops out: loads wait for each other's uses then.
      if (t.gpu!.language === 'wgsl' && !o.keep && o.vector! > 1) for (const r of Object.values(rounds)) if (!isConst(r.extent)) s.unroll(s.split(r, 4, { tail: 'peel' })[1]);
    });
    out.push(...(alongRows(last, over) ? [...shared, ...maps] : [...maps, ...shared]));
  } else out.push(...maps);
  const [first] = rows;
  out.push((s) => { s.bind({ 'block.x': first! }); });
  return out;
}

/** The one register outside of a loop that it accumulates into. */
function accumulates(nest: For): string | undefined {
  const made = new Set<number>(), into = new Map<number, string>();
  visitStmt(nest.body, (s) => { if (s.kind === 'alloc') made.add(s.buf.id); if (s.kind === 'accum' && s.buf.space === 'reg' && !made.has(s.buf.id)) into.set(s.buf.id, s.buf.name); });
  const [name] = into.values();
  return into.size === 1 ? name : undefined;
}

/** The outermost loops of a row whose iterations lanes can take; of a loop that needs its iterations in order, those inside of it. */
function dealt(s: Stmt, row: Stmt): readonly For[] {
  switch (s.kind) {
    case 'block': return s.body.flatMap((x) => dealt(x, row));
    case 'region': case 'while': return dealt(s.body, row);
    case 'if': return [...dealt(s.then, row), ...(s.else ? dealt(s.else, row) : [])];
    case 'for': {
      const inside = dealt(s.body, row), take = s.loop === 'seq' && !small(s, 1) && dealable(s, row);
      // Long loops inside that walk along memory are what lanes are for; those around them stay in order.
      return take && (walksAlong(s) || inside.every((l) => small(l, 31))) ? [s] : inside;
    }
    default: return [];
  }
}

/** Every access to a tensor in a body: its indices, the bytes of an element, and whether bytes are read as something else. */
function eachAccess(body: Stmt, look: (index: readonly Expr[], bytes: number, reads: boolean, bits: boolean) => void): void {
  visitExprs(body, (e) => { if (e.kind === 'load' && e.buf.space === 'param') look(e.index, bytesOf(e.buf.dtype), true, e.as !== undefined); });
  visitStmt(body, (s) => { if ((s.kind === 'store' || s.kind === 'accum') && s.buf.space === 'param') look(s.index, bytesOf(s.buf.dtype), false, false); });
}

/** Does a loop walk along the rows of a tensor that it reads? */
function walksAlong(l: For): boolean {
  let found = false;
  eachAccess(l.body, (index, _, reads) => { found ||= reads && index.length > 0 && affine(index.at(-1)!, new Set([l.v.id]))?.terms.get(l.v.id)?.coef === 1; });
  return found;
}

/** Is memory walked along the loops inside of a row, rather than from row to row? Then lanes share a row. */
function alongRows(last: For, over: readonly For[]): boolean {
  if (over.every((l) => small(l, 8))) return false;
  let across = 0, along = 0;
  for (const l of over) {
    const inner: For[] = [l];
    visitStmt(l.body, (s) => { if (s.kind === 'for') inner.push(s); });
    const all = new Set([last.v.id, ...inner.map((x) => x.v.id)]);
    eachAccess(l.body, (index) => {
      const form = index.length > 0 ? affine(index.at(-1)!, all) : undefined;
      if (!form) return;
      if (form.terms.get(last.v.id)?.coef === 1) across++;
      else if (inner.some((x) => form.terms.has(x.v.id))) along++;
    });
  }
  return along > across;
}

/** The tensor that two loops read along its columns while they write along rows, if that is all they do. */
function readAcross(chain: readonly For[]): string | undefined {
  const [i, j, ...more] = chain, s = j?.body;
  if (!i || more.length > 0 || s?.kind !== 'store' || s.index.length !== 2) return undefined;
  const of = (index: readonly Expr[], d: number, v: For): boolean => { const f = affine(index[d]!, new Set([i.v.id, j!.v.id])); return f?.terms.size === 1 && f.terms.get(v.v.id)?.coef === 1; };
  const reads: (Expr & { kind: 'load' })[] = [];
  visitExprs(s, (e) => { if (e.kind === 'load') reads.push(e); });
  const [x, other] = reads;
  return x && !other && x.buf.space === 'param' && x.as === undefined && x.index.length === 2 && of(s.index, 0, i) && of(s.index, 1, j!) && of(x.index, 0, j!) && of(x.index, 1, i) ? x.buf.name : undefined;
}

/** Widths of whole accesses for loops that walk dense memory by ones: 16 bytes of the widest element. None where something else is done there. */
function vectors(...loops: readonly For[]): readonly number[] {
  let widest = 0, plain = true;
  for (const l of loops) {
    eachAccess(l.body, (index, bytes, _, bits) => {
      widest = Math.max(widest, bytes);
      index.forEach((e, d) => { const c = affine(e, new Set([l.v.id]))?.terms.get(l.v.id)?.coef; if (usesVar(e, l.v) && (d < index.length - 1 || c !== 1)) plain = false; });
      if (bits) plain = false;
    });
    visitStmt(l.body, (s) => { if (s.kind === 'if' || s.kind === 'atomic' || s.kind === 'alloc') plain = false; });
  }
  const n = 16 / widest;
  return plain && widest > 0 && n > 1 && loops.every((l) => !isConst(l.extent) || l.extent.value >= n) ? [Math.min(n, 8)] : [];
}
