import { block, broadcast, constant, exprKey, load, mapChildren, mapExpr, mapOwnExprs, newBuffer, newVar, reduce, select, visitExprs } from '../ir/index.ts';
import type { Binary, Buffer, Expr, KernelIR, Stmt, Store, Unary } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { FORMULAS, POW, arithmetic } from './math/index.ts';
import type { Inner, Parts, Real } from './math/index.ts';

/**
 * Replaces exp, exp2, log, log2, sin, cos, tanh, erf and pow, scalar or vector, by arithmetic (see math/). The intermediate values are bound by Lets
 * in front of the statement that asked. Results are within the ulps of math/accuracy.ts; all machines that fuse multiply and add agree on their bits.
 */
export const mathlib = (k: KernelIR, target: Target): KernelIR => ({ ...k, body: walk(k.body, { fused: target.fma, splits: target.gpu !== undefined || target.features.includes('avx512f'), own: target.gpu?.ownFunctions ?? [], approximate: (k.approximate ?? []).filter((fn) => target.gpu?.approximate?.includes(fn)) }) });

/** Does the target fuse, does it take floats apart by itself, which functions does its emitter have texts of its own for, and which may it compute in its own way. */
interface How { readonly fused: boolean; readonly splits: boolean; readonly own: readonly string[]; readonly approximate: readonly string[] }

/** Stores that follow each other and read nothing that one of them writes: the vectors of a longer loop, mostly. */
function walk(s: Stmt, how: How): Stmt {
  if (s.kind !== 'block') return s.kind === 'store' ? block(expand(s, how)) : mapInner(s, how);
  const out: Stmt[] = [];
  for (let i = 0; i < s.body.length;) {
    const group: Store[] = [];
    for (let x = s.body[i + group.length]; x?.kind === 'store' && independent(group, x); x = s.body[i + group.length]) group.push(x);
    if (group.length > 0) out.push(...interleaved(group.map((x) => expand(x, how))));
    else out.push(walk(s.body[i]!, how));
    i += Math.max(1, group.length);
  }
  return { ...s, body: out.flatMap((x) => (x.kind === 'block' ? x.body : [x])) };
}

const mapInner = (s: Stmt, how: How): Stmt => block(expand(mapChildren(s, (x) => walk(x, how)), how));

function independent(before: readonly Store[], next: Store): boolean {
  const reads = (s: Store): ReadonlySet<number> => { const ids = new Set<number>(); visitExprs(s, (e) => { if (e.kind === 'load') ids.add(e.buf.id); }); return ids; };
  const mine = reads(next);
  return before.every((s) => !mine.has(s.buf.id) && !reads(s).has(next.buf.id)) && !mine.has(next.buf.id);
}

/** One statement of each in turn: chains of dependent operations run side by side. Lists of other lengths stay one after the other. */
const interleaved = (lists: readonly (readonly Stmt[])[]): readonly Stmt[] =>
  lists.every((x) => x.length === lists[0]!.length) ? lists[0]!.flatMap((_, i) => lists.map((x) => x[i]!)) : lists.flat();


const isReal = (e: Expr): boolean => e.dtype === 'f32' || e.dtype === 'f64';

/** The statement, after those that it asks for. */
function expand(s: Stmt, how: How): readonly Stmt[] {
  if (s.kind === 'while') return [s]; // its condition is computed again and again, not in front of it
  const before: Stmt[] = [], known = new Map<string, Expr>();
  const call = (e: Unary | Binary): Expr => {
    const unary = e.kind === 'unary' ? FORMULAS[e.fn] : undefined;
    if (!isReal(e) || how.own.includes(e.fn) || (e.dtype === 'f32' && how.approximate.includes(e.fn)) || (!unary && !(e.kind === 'binary' && e.fn === 'pow'))) return e;
    const key = exprKey(e), same = known.get(key);
    if (same) return same;
    const p = partsInto(before, e.dtype as Real, how, e.loc ?? s.loc, s.step);
    const value = e.kind === 'unary' ? unary!(p.name(`${e.fn}_x`, e.x), p) : POW(p.name('pow_p', e.a), p.name('pow_e', e.b), p), y = p.name(`${e.fn}_v`, value);
    known.set(key, y);
    return y;
  };
  const own = mapOwnExprs(s, (e) => mapExpr(e, (x) => (x.kind === 'unary' || x.kind === 'binary' ? call(x) : x)));
  return [...before, own];
}

/** Parts whose names, branches and loops become statements at the end of `out`. */
function partsInto(out: Stmt[], t: Real, how: Pick<How, 'fused' | 'splits'>, loc: Stmt['loc'], step: string | undefined): Inner {
  const at = { loc, step };
  const fresh = (name: string, space: Buffer['space'], dtype: Real, n: number, dims: readonly Expr[] = n > 1 ? [constant(n)] : []): Buffer => {
    const buf = newBuffer({ name, dtype, space, shape: dims, loc });
    out.push({ kind: 'alloc', buf, ...at });
    return buf;
  };
  const zero = (b: Buffer): readonly Expr[] => b.shape.map(() => constant(0));
  const set = (into: Stmt[], buf: Buffer, index: readonly Expr[], value: Expr): void => { into.push({ kind: 'store', buf, index, value, ...at }); };
  const name: Parts['name'] = (stem, value) => {
    if (value.kind === 'const' || value.kind === 'var') return value;
    const v = newVar(stem, value.dtype, value.lanes, loc);
    out.push({ kind: 'let', v, value, ...at });
    return v;
  };
  return {
    ...arithmetic(t, how.fused), splits: how.splits, name,
    in: (other) => partsInto(out, other, how, loc, step),
    rarely: (condition, x, usual, unusual) => {
      const lanes = x.lanes, y = fresh('rare_y', 'reg', t, lanes), then: Stmt[] = [], inner = partsInto(then, t, how, loc, step);
      set(out, y, zero(y), broadcast(usual, lanes));
      if (lanes === 1) set(then, y, [], unusual(x, inner));
      else {
        const stack = newBuffer({ name: 'rare_lanes', dtype: t, space: 'local', shape: [constant(lanes)], loc }), v = newVar('lane'), one: Stmt[] = [], each = partsInto(one, t, how, loc, step);
        then.push({ kind: 'alloc', buf: stack, ...at });
        set(then, stack, [constant(0)], x);
        set(one, stack, [v], unusual(each.name('rare_x', load(stack, [v])), each));
        then.push({ kind: 'for', v, extent: constant(lanes), loop: 'seq', body: block(one), ...at });
        set(then, y, zero(y), select(condition, load(stack, [constant(0)], { lanes }), load(y, zero(y), { lanes })));
      }
      out.push({ kind: 'if', cond: lanes === 1 ? condition : reduce('max', condition), then: block(then), rare: true, ...at });
      return load(y, zero(y), { lanes });
    },
    table: (values) => {
      const buf = fresh('digits', 'local', t, values.length);
      values.forEach((x, i) => { set(out, buf, [constant(i)], constant(x, t)); });
      return (i) => load(buf, [i]);
    },
    loop: (n, start, next) => {
      const kept = start.map((x) => fresh('kept', 'reg', x.dtype as Real, 1)), v = newVar('i'), body: Stmt[] = [], inner = partsInto(body, t, how, loc, step);
      start.forEach((x, i) => { set(out, kept[i]!, [], x); });
      const after = next(v, kept.map((b) => inner.name('now', load(b, []))), inner).map((x) => inner.name('next', x));
      after.forEach((x, i) => { set(body, kept[i]!, [], x); });
      out.push({ kind: 'for', v, extent: constant(n), loop: 'seq', body: block(body), ...at });
      return kept.map((b) => name('kept', load(b, [])));
    },
  };
}
