import { DslError } from '../errors/index.ts';
import { add, affine, and, block, boundBy, compare, constant, exprKey, mapExprs, mul, newBuffer, newVar, operands, sub, substituteExpr, upperBound, visitExprs, visitStmt } from '../ir/index.ts';
import type { Expr, Stmt } from '../ir/index.ts';
import { Axis } from '../lang/index.ts';
import { accesses } from './access.ts';
import { without } from './inline.ts';
import { findProducer, placeOf } from './producer.ts';
import { findLoop, findVar, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * Computes the elements of working memory inside of a loop that reads them: each iteration makes the range that it needs, in memory of that size.
 * Elements that two iterations need are computed twice; no bit changes. Returns the loops over the range, by the names of the loops that were.
 */
export function computeAt(st: State, name: string, axis: Axis, at: At): Readonly<Record<string, Axis>> {
  const refuse = (why: string): never => { throw new DslError('KD-S-COMPUTE-AT', { name, axis: axis.name, why }, at); };
  const p = findProducer(st.ir.body, name, refuse), { buf } = p.alloc, { loop, path } = findLoop(st, axis, at);
  if (!path.includes(p.scope) || p.scope.body.findIndex((s) => s === loop || path.includes(s)) <= p.scope.body.indexOf(p.top)) return refuse('the loop does not come after those that make it');
  const inside = (s: Stmt): number => { let n = 0; visitExprs(s, (e) => { if (e.kind === 'load' && e.buf.id === buf.id) n++; }); return n; };
  if (inside(loop.body) === 0) return refuse('it is not read there');
  if (inside(loop.body) !== inside(st.ir.body)) return refuse('it is read outside of that loop too');

  // A padded tail reads what is not there: staged copies hold zeros for it, this memory does not.
  if (accesses(loop.body, buf).some((a) => a.pads.length > 0)) return refuse('it is read where a padded tail runs');

  const inner = new Map<number, Expr>(), names = new Set<number>();
  visitStmt(loop.body, (s) => { if (s.kind === 'for') inner.set(s.v.id, s.extent); else { const v = boundBy(s); if (v) names.add(v.id); } });
  const vars = new Set(inner.keys()), ranges = p.loops.map(() => ({ rest: undefined as Expr | undefined, lo: Infinity, hi: -Infinity }));
  const bound = (e: Expr): boolean => (e.kind === 'var' && names.has(e.id)) || e.kind === 'load' || operands(e).some(bound);
  visitExprs(loop.body, (e, s) => {
    if (e.kind !== 'load' || e.buf.id !== buf.id) return;
    e.index.forEach((x, d) => {
      const a = affine(x, vars), r = ranges[d]!;
      if (!a || bound(a.rest)) return refuse(`an index into it is not affine in the loops${placeOf(s)}`);
      if (r.rest && exprKey(r.rest) !== exprKey(a.rest)) return refuse(`it is read at places whose distance is not constant${placeOf(s)}`);
      r.rest = a.rest;
      let lo = a.offset, hi = a.offset;
      for (const t of a.terms.values()) {
        const n = upperBound(inner.get(t.v.id)!);
        if (n === undefined) return refuse(`no constant upper bound is known for the extent of ${t.v.name}`);
        if (t.coef > 0) hi += t.coef * Math.max(0, n - 1); else lo += t.coef * Math.max(0, n - 1);
      }
      r.lo = Math.min(r.lo, lo);
      r.hi = Math.max(r.hi, hi);
    });
  });
  const origin = { loc: at.loc, step: at.step };
  const part = newBuffer({ ...buf, shape: ranges.map((r) => constant(r.hi - r.lo + 1)) });
  const steps = p.loops.map((l) => newVar(l.v.name, 'i64', 1, l.v.loc));
  const places = ranges.map((r, d) => add(add(r.rest!, constant(r.lo)), steps[d]!));
  const known = new Map(p.loops.map((l, d): [number, Expr] => [l.v.id, places[d]!]));
  const store: Stmt = { kind: 'store', buf: part, index: steps, value: substituteExpr(p.store.value, known), ...origin };
  // The range is that of whole loops: what lies outside of the elements that were made before is not made now.
  const exists = places.map((x, d) => and(compare('ge', x, constant(0)), compare('lt', x, p.loops[d]!.extent))).reduce<Expr>((a, b) => and(a, b), constant(1, 'bool'));
  const guarded: Stmt = ranges.length > 0 ? { kind: 'if', cond: exists, then: store, ...origin } : store;
  const nest = steps.reduceRight<Stmt>((b, v, d) => ({ kind: 'for', v, extent: part.shape[d]!, loop: 'seq', body: b, loc: p.loops[d]!.loc, step: at.step }), guarded);
  const body = mapExprs(loop.body, (e) => (e.kind === 'load' && e.buf.id === buf.id ? { ...e, buf: part, index: e.index.map((x, d) => relative(x, vars, ranges[d]!.lo)) } : e));
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, body: block([{ kind: 'alloc', buf: part, ...origin }, nest, body]) }));
  setBody(st, without(st.ir.body, (s) => (s.kind === 'alloc' || s.kind === 'store') && s.buf.id === buf.id));
  if (!findVar(st.ir.body, axis.v.id)) throw new Error('the loop vanished');
  for (const l of p.loops) st.consumed.set(l.v.id, `${at.step} moved it`);
  return Object.fromEntries(steps.map((v, d) => [v.name, new Axis(v.name, part.shape[d]!, v, p.loops[d]!.loc)]));
}

/** An index less what all iterations inside have in common. */
function relative(e: Expr, vars: ReadonlySet<number>, lo: number): Expr {
  const a = affine(e, vars)!;
  return [...a.terms.values()].reduce<Expr>((x, t) => add(x, mul(t.v, constant(t.coef))), sub(constant(a.offset), constant(lo)));
}
