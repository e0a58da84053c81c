import { above, atLane, conditionCases, formOf, formTerm, newSpace, newTerm, rangeOfForm, scope, scopeOf, varTerm } from '../affine/index.ts';
import type { Cases, Constraint, Scope, Space } from '../affine/index.ts';
import { meant } from '../run/index.ts';
import { buffersOf, bytesOf, exprsOf, mapExpr, operands, sameExpr, visitExpr, visitStmt } from '../ir/index.ts';
import type { Assume, Buffer, Expr, For, If, KernelIR, Loc, Stmt, Var, While } from '../ir/index.ts';

/** What surrounds a place: a loop, one that ends when a condition fails, or a branch that is taken where a condition holds (or does not). */
export type Around = For | While | { readonly kind: 'branch'; readonly of: If; readonly cond: Expr; readonly holds: boolean };

/** A place of the program: what surrounds it and what is known there. */
export interface Place {
  readonly loc: Loc | undefined;
  readonly step: string | undefined;
  /** Loops and branches around it, outermost first. */
  readonly path: readonly Around[];
  readonly scope: Scope;
}

/** One use of a buffer. */
export interface Access {
  readonly kind: 'load' | 'store' | 'accum' | 'atomic';
  readonly buf: Buffer;
  readonly index: readonly Expr[];
  /** Neighbours in the innermost dimension that it takes: lanes, times the bytes of `as`. With indices that are vectors, per lane. */
  readonly width: number;
  /** Lanes of its indices: more than 1 where they are vectors. */
  readonly lanes: number;
  readonly place: Place;
}

/** A kernel taken apart: its accesses in the order of the text, in a space in which their indices become forms. */
export interface Program {
  readonly kernel: KernelIR;
  readonly space: Space;
  readonly accesses: readonly Access[];
  /** Loops whose iterations may run at once, with their accesses: `first` to `end` - 1. */
  readonly parallel: readonly { readonly loop: For; readonly place: Place; readonly first: number; readonly end: number }[];
  /** Where each buffer is made that is no parameter: what surrounds its Alloc, and how many accesses came before. */
  readonly allocs: ReadonlyMap<number, { readonly depth: number; readonly first: number }>;
  /** Barriers of a workgroup, each with the number of accesses that stand before it in the text. */
  readonly barriers: readonly { readonly place: Place; readonly after: number }[];
  /** Divisions of integers by what is no constant. */
  readonly divisions: readonly { readonly e: Expr; readonly by: Expr; readonly place: Place }[];
  /** The same space, at any one lane of vectors of so many. */
  readonly atLane: (lanes: number) => Space;
}

const isParallel = (f: For): boolean => f.loop === 'parallel' || f.loop.includes('.');

/** Takes a kernel of any phase apart. */
export function programOf(given: KernelIR): Program {
  const k = meant(given);
  const buffers = buffersOf(k.body), space = newSpace((b) => (buffers.get(b.id)?.writes ?? 0) === 0);
  visitStmt(k.body, (s) => { if (s.kind === 'let') space.lets.set(s.v.id, s.value); });
  const accesses: Access[] = [], parallel: Program['parallel'][number][] = [], divisions: Program['divisions'][number][] = [], barriers: Program['barriers'][number][] = [];
  const lanes = new Map<number, Space>(), allocs = new Map<number, { depth: number; first: number }>();
  const laneSpace = (n: number): Space => {
    const known = lanes.get(n) ?? atLane(space, newTerm(space, 'lane', { lo: 0, hi: n - 1 }).id);
    lanes.set(n, known);
    return known;
  };
  const root = launchFacts(k, space);

  const uses = (e: Expr, p: Place, seen: Set<Expr>): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === 'load') accesses.push(accessOf('load', e.buf, e.index, e.lanes, e.as ? bytesOf(e.as) : 1, { ...p, loc: e.loc ?? p.loc }));
    if (e.kind === 'binary' && (e.fn === 'div' || e.fn === 'mod') && e.dtype === 'i64' && e.b.kind !== 'const' && e.lanes === 1) divisions.push({ e, by: e.b, place: { ...p, loc: e.loc ?? p.loc } });
    for (const x of operands(e)) uses(x, p, seen);
  };
  const walk = (s: Stmt, outer: Place): Place => {
    const p = s.loc || s.step ? { ...outer, loc: s.loc ?? outer.loc, step: s.step ?? outer.step } : outer;
    const seen = new Set<Expr>();
    for (const e of exprsOf(s)) uses(e, p, seen);
    switch (s.kind) {
      case 'block': { let q = outer; for (const c of s.body) q = { ...walk(c, q), loc: outer.loc, step: outer.step }; return outer; }
      case 'region': walk(s.body, p); return outer;
      case 'for': {
        const first = accesses.length;
        walk(s.body, { ...p, path: [...p.path, s], scope: scopeIn(space, p.scope, s) });
        if (isParallel(s)) parallel.push({ loop: s, place: p, first, end: accesses.length });
        return outer;
      }
      case 'while': walk(s.body, { ...p, path: [...p.path, s], scope: scopeIn(space, p.scope, s) }); return outer;
      case 'if': {
        const into = (holds: boolean): Place => { const b: Around = { kind: 'branch', of: s, cond: s.cond, holds }; return { ...p, path: [...p.path, b], scope: scopeIn(space, p.scope, b) }; };
        walk(s.then, into(true));
        if (s.else) walk(s.else, into(false));
        return outer;
      }
      case 'store': accesses.push(accessOf('store', s.buf, s.index, s.value.lanes, 1, p)); return outer;
      case 'accum': accesses.push(accessOf('accum', s.buf, s.index, s.value.lanes, 1, p)); return outer;
      case 'atomic': accesses.push(accessOf('atomic', s.buf, s.index, s.value.lanes, 1, p)); return outer;
      case 'alloc': allocs.set(s.buf.id, { depth: p.path.length, first: accesses.length }); return outer;
      case 'barrier': if (s.scope === 'workgroup') barriers.push({ place: p, after: accesses.length }); return outer;
      case 'assume': return { ...outer, scope: scopeOf(outer.scope, conditionCases(space, s.cond, true)) };
      default: return outer;
    }
  };
  walk(k.body, { loc: k.loc, step: undefined, path: [], scope: root });
  return { kernel: k, space, accesses, parallel, allocs, barriers, divisions, atLane: laneSpace };
}

function accessOf(kind: Access['kind'], buf: Buffer, index: readonly Expr[], lanes: number, bytes: number, place: Place): Access {
  const wide = index.some((e) => e.lanes > 1), each = kind === 'load' || !buf.packed ? bytes : 2; // packed elements are written in pairs
  return { kind, buf, index, width: wide ? each : lanes * each, lanes: wide ? lanes : 1, place };
}

/** The scope inside of a loop or branch. */
export const scopeIn = (space: Space, at: Scope, a: Around): Scope =>
  (a.kind === 'for' ? scope(at, loopFacts(space, a.v, a.extent)) : a.kind === 'while' ? scopeOf(scope(at, loopFacts(space, a.v, a.max)), conditionCases(space, a.cond, true)) : scopeOf(at, conditionCases(space, a.cond, a.holds)));

/** The terms of an extent that bound a loop: of min(a, b), both do. */
export const bounds = (e: Expr): readonly Expr[] => (e.kind === 'binary' && e.fn === 'min' ? [...bounds(e.a), ...bounds(e.b)] : [e]);

/** What holds in the body of a loop. */
function loopFacts(space: Space, counter: Var, extent: Expr): Constraint[] {
  const t = varTerm(space, counter), v = formTerm(t.id), limits = bounds(extent).map((e) => formOf(space, e));
  t.lo = 0;
  t.hi = Math.min(t.hi, ...limits.map((f) => rangeOfForm(space, f).hi - 1));
  return limits.map((f) => above(f, v));
}

/** What the assumptions tell, all of which hold before anything else runs. */
function launchFacts(k: KernelIR, space: Space): Scope {
  const found: { s: Assume; loops: For[] }[] = [];
  const find = (s: Stmt, loops: For[], plain: boolean): void => {
    if (s.kind === 'assume') { if (plain) found.push({ s, loops }); return; }
    if (s.kind === 'block') s.body.forEach((c) => find(c, loops, plain));
    else if (s.kind === 'region') find(s.body, loops, plain);
    else if (s.kind === 'for') find(s.body, [...loops, s], plain);
    // What is assumed in a branch holds in the branch alone.
  };
  find(k.body, [], true);
  for (const { s, loops } of found) if (loops.length > 0) dataFacts(s, loops, space); // names that passes gave to parts of it are looked through
  return found.filter((x) => x.loops.length === 0 && !reads(x.s.cond)).reduce<Scope>((at, { s }) => {
    const cases: Cases = conditionCases(space, s.cond, true);
    // A size or scalar that is bounded by a constant has that range everywhere.
    for (const c of cases.length === 1 ? cases[0]! : []) if (!c.eq && c.f.t.size === 1) {
      const [id, q] = [...c.f.t][0]!, t = space.terms[id]!;
      if (q > 0) t.lo = Math.max(t.lo, Math.ceil(-c.f.c / q)); else t.hi = Math.min(t.hi, Math.floor(c.f.c / -q));
    }
    return scopeOf(at, cases);
  }, scope(undefined, []));
}

const reads = (e: Expr): boolean => e.kind === 'load' || operands(e).some(reads);

/** An assumption about every element of a tensor that is not written: its loops run over whole dimensions, its indices are their variables. */
function dataFacts(s: Assume, loops: readonly For[], space: Space): void {
  const plain = (e: Expr): Expr => mapExpr(e, (x) => { const value = x.kind === 'var' ? space.lets.get(x.id) : undefined; return value ? plain(value) : x; });
  const stated = plain(s.cond);
  visitExpr(stated, (e) => {
    if (e.kind !== 'load' || e.as || !space.stable(e.buf)) return;
    const vars: Var[] = [];
    for (const [d, i] of e.index.entries()) {
      const loop = i.kind === 'var' ? loops.find((l) => l.v.id === i.id) : undefined;
      if (!loop || vars.includes(loop.v) || !sameExpr(loop.extent, e.buf.shape[d]!)) return;
      vars.push(loop.v);
    }
    const cond = (index: readonly Expr[]): Expr => {
      const to = new Map(vars.map((v, i) => [v.id, index[i]!]));
      return mapExpr(stated, (x) => (x.kind === 'var' ? to.get(x.id) ?? x : x));
    };
    space.data.push({ buf: e.buf, vars, cond });
  });
}