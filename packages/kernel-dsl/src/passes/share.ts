import { block, buffersOf, exprsOf, mapOperands, mapOwnExprs, newVar, operands } from '../ir/index.ts';
import type { Buffer, Expr, KernelIR, Stmt, Var } from '../ir/index.ts';
import { numbering } from './numbering.ts';

/**
 * Names what is computed twice. In a run of statements without control flow, a load or an operation that occurs again with the same value is
 * bound by a Let just before its first use; a load that is broadcast is bound as the vector. A store to a buffer ends what was loaded from it
 * (different buffers do not overlap: the runtime refuses such calls). Registers and scalar index arithmetic have names enough already.
 */
export const share = (k: KernelIR): KernelIR => {
  const taken = new Set([...k.sizes, ...k.params.map((p) => p.name)]);
  return { ...k, body: scope(k.body, { taken, alias: new Map() }) };
};

/** What is visible at a statement: names in use, and variables that turned out to equal earlier ones. */
interface Scope { readonly taken: ReadonlySet<string>; readonly alias: Map<number, Var> }

const isRun = (s: Stmt): boolean => s.kind === 'let' || s.kind === 'store' || s.kind === 'accum' || s.kind === 'instr' || s.kind === 'assume' || s.kind === 'alloc';

const writtenBy = (s: Stmt): readonly Buffer[] => [...buffersOf(s).values()].filter((b) => b.writes > 0).map((b) => b.buf);

/** A statement whose names end with it. */
function scope(s: Stmt, sc: Scope): Stmt {
  const taken = new Set(sc.taken), out: Stmt[] = [];
  const list = s.kind === 'block' ? s.body : [s];
  for (let i = 0; i < list.length;) {
    const end = list.findIndex((x, j) => j >= i && !isRun(x));
    const run = list.slice(i, end < 0 ? list.length : end);
    if (run.length > 0) out.push(...shareRun(run, taken, sc.alias));
    const next = list[i + run.length];
    if (next) out.push(inner(next, { taken, alias: sc.alias }));
    i += run.length + 1;
  }
  return block(out, { loc: s.loc, step: s.step });
}

function inner(s: Stmt, sc: Scope): Stmt {
  const own = mapOwnExprs(s, (e) => unalias(e, sc.alias));
  switch (own.kind) {
    case 'for': case 'while': return { ...own, body: scope(own.body, { ...sc, taken: new Set([...sc.taken, own.v.name]) }) };
    case 'region': return { ...own, body: scope(own.body, sc) };
    case 'call': return own.meaning ? { ...own, meaning: scope(own.meaning, sc) } : own;
    case 'if': return { ...own, then: scope(own.then, sc), else: own.else && scope(own.else, sc) };
    default: return own;
  }
}

const unalias = (e: Expr, alias: ReadonlyMap<number, Var>): Expr =>
  e.kind === 'var' ? alias.get(e.id) ?? e : mapOperands(e, (x) => unalias(x, alias));

/** Is it worth a name? */
function worthy(e: Expr): boolean {
  switch (e.kind) {
    case 'load': return e.buf.space !== 'reg';
    case 'broadcast': return worthy(e.x);
    case 'const': case 'size': case 'stride': case 'scalar': case 'var': case 'ramp': case 'join': return false;
    case 'shuffle': return e.lanes > 1;
    // A condition is cheap, and vectors of conditions have no type of their own in every target.
    default: return e.dtype !== 'bool' && (e.dtype !== 'i64' || e.lanes > 1);
  }
}

/** Shares within statements that follow each other; adds the names it makes to `taken`. */
function shareRun(run: readonly Stmt[], taken: Set<string>, alias: Map<number, Var>): readonly Stmt[] {
  const byKey = new Map<string, number>(), uses = countUses(run, byKey);
  const numbers = numbering(byKey), bound = new Map<number, Var>(), out: Stmt[] = [];
  for (const s of run) { if (s.kind === 'let') taken.add(s.v.name); if (s.kind === 'alloc') taken.add(s.buf.name); }

  const rewrite = (e: Expr): Expr => {
    if (e.kind === 'var') return alias.get(e.id) ?? e;
    const id = numbers.of(e), known = bound.get(id);
    if (known && known.lanes === e.lanes) return known;
    const x = mapOperands(e, rewrite);
    if ((uses.get(id) ?? 0) < 2 || !worthy(e)) return x;
    const v = newVar(name(e, taken), e.dtype, e.lanes, e.loc);
    bound.set(id, v);
    out.push({ kind: 'let', v, value: x, loc: e.loc });
    return v;
  };

  for (const s of run) {
    if (s.kind === 'let') {
      const id = numbers.of(s.value), known = bound.get(id);
      numbers.bind(s.v, id);
      if (known) { alias.set(s.v.id, known); continue; }
      const value = s.value.kind === 'var' ? rewrite(s.value) : mapOperands(s.value, rewrite);
      out.push({ ...s, value });
      if (worthy(s.value)) bound.set(id, s.v);
    } else {
      out.push(mapOwnExprs(s, rewrite));
      for (const buf of writtenBy(s)) numbers.written(buf);
    }
  }
  return out;
}

/** How often each value is asked for. What lies inside of a value that has a name already is not asked for again. */
function countUses(run: readonly Stmt[], byKey: Map<string, number>): ReadonlyMap<number, number> {
  const numbers = numbering(byKey), uses = new Map<number, number>();
  const visit = (e: Expr): void => {
    const id = numbers.of(e), n = (uses.get(id) ?? 0) + 1;
    uses.set(id, n);
    if (n === 1 || !worthy(e)) operands(e).forEach(visit);
  };
  for (const s of run) {
    if (s.kind === 'let') {
      visit(s.value);
      numbers.bind(s.v, numbers.of(s.value));
    } else {
      exprsOf(s).forEach(visit);
      for (const buf of writtenBy(s)) numbers.written(buf);
    }
  }
  return uses;
}

/** b0, b1, … for values of B_pack; t0, t1, … for others. */
function name(e: Expr, taken: Set<string>): string {
  let x = e;
  while (x.kind === 'broadcast' || x.kind === 'cast') x = x.x;
  const stem = x.kind === 'load' && /^[a-z]/i.test(x.buf.name) ? x.buf.name[0]!.toLowerCase() : 't';
  let i = 0;
  while (taken.has(`${stem}${i}`)) i++;
  taken.add(`${stem}${i}`);
  return `${stem}${i}`;
}
