import { DslError } from '../errors/index.ts';
import { affine, and, constant, isConst, isFloat, printExpr, substituteExpr, usesVar, visitStmt } from '../ir/index.ts';
import type { Expr, For, If, LoopKind, Stmt, Var } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { needPlain } from './arguments.ts';
import { dependence } from './depend.ts';
import { findLoop, findVar, refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

const constantExtent = (loop: For, verb: string, at: At): number => {
  if (isConst(loop.extent)) return loop.extent.value;
  throw new DslError('KD-S-EXTENT', { verb, axis: loop.v.name, extent: printExpr(loop.extent) }, at);
};

/** The conjuncts of a condition. */
export const conjuncts = (c: Expr): readonly Expr[] => (c.kind === 'binary' && c.fn === 'and' && c.dtype === 'bool' ? [...conjuncts(c.a), ...conjuncts(c.b)] : [c]);

/** Holds for every value of v below n exactly where it holds for the last: `increasing in v < bound`. */
function upwards(c: Expr, v: Var): boolean {
  if (!usesVar(c, v)) return true;
  if (c.kind !== 'cmp' || (c.fn !== 'lt' && c.fn !== 'le') || usesVar(c.b, v)) return false;
  const a = affine(c.a, new Set([v.id]));
  return a !== undefined && (a.terms.get(v.id)?.coef ?? 0) > 0;
}

/** The condition under which a guard holds in all n iterations of v, or undefined where that is not one test. */
export function holdsThroughout(cond: Expr, v: Var, n: number): Expr | undefined {
  const parts = conjuncts(cond);
  if (!parts.every((c) => upwards(c, v))) return undefined;
  return substituteExpr(parts.reduce(and), new Map<number, Expr>([[v.id, constant(n - 1)]]));
}

const setKind = (st: State, loop: For, kind: LoopKind, at: At): void => setBody(st, replaceStmt(st.ir.body, loop, { ...loop, loop: kind, step: loop.step ?? at.step }));

/** Twins follow their axis where no step has said of them alone how they run. */
const isOpen = (loop: For, axis: Axis): boolean => loop.v.id === axis.v.id || loop.loop === 'seq';

/** The loop becomes its iterations, written one after another. */
export function unroll(st: State, axis: Axis, at: At): void {
  const plain = findLoop(st, axis, at).loop;
  constantExtent(plain, 'unroll', at);
  needPlain(plain, 'unroll', at);
  for (const v of [axis.v, ...(st.twins.get(axis.v.id) ?? [])]) {
    const f = findVar(st.ir.body, v.id);
    if (f && isOpen(f.loop, axis)) setKind(st, f.loop, 'unroll', at);
  }
}

/** The guard around a body, all of them as one where they stand in each other, and the loops of constant extent between. */
function guarded(body: Stmt): { readonly guard: If | undefined; readonly inside: readonly For[] } {
  const inside: For[] = [];
  let s = body;
  for (; s.kind === 'for' && isConst(s.extent) && s.extent.value > 0 && (s.loop === 'seq' || s.loop === 'unroll'); s = s.body) inside.push(s);
  let guard: If | undefined;
  for (; s.kind === 'if' && !s.pad; s = s.then) guard = guard ? { ...guard, cond: and(guard.cond, s.cond), then: s.then } : s;
  return { guard, inside };
}

/** The loop's iterations become lanes. A guard around its body becomes a test for all lanes, with the scalar loop where it fails. */
export function vectorize(st: State, axis: Axis, at: At): void {
  needPlain(findLoop(st, axis, at).loop, 'vectorize', at);
  for (const v of [axis.v, ...(st.twins.get(axis.v.id) ?? [])]) {
    const f = findVar(st.ir.body, v.id);
    if (!f || !isOpen(f.loop, axis)) continue;
    const n = constantExtent(f.loop, 'vectorize', at);
    const why = dependence(f.loop);
    if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'vectorize', axis: axis.name, why }, at);
    const { guard, inside } = guarded(f.loop.body);
    if (guard && usesVar(guard.cond, v)) {
      const full = inside.reduce<Expr | undefined>((c, l) => c && isConst(l.extent) ? holdsThroughout(c, l.v, l.extent.value) : undefined, holdsThroughout(guard.cond, v, n));
      if (full) {
        const whole: Stmt = { ...f.loop, loop: 'vector', body: inside.reduceRight<Stmt>((b, l) => ({ ...l, body: b }), guard.then) };
        setBody(st, replaceStmt(st.ir.body, f.loop, { kind: 'if', cond: full, then: whole, else: refresh(st.target.gpu ? { ...f.loop, loop: 'unroll' } : f.loop), loc: f.loop.loc, step: at.step }));
        continue;
      }
    }
    setKind(st, f.loop, 'vector', at);
  }
}

/** The loop's iterations run on the worker threads. */
export function parallel(st: State, axis: Axis, at: At): void {
  const { loop, path } = findLoop(st, axis, at);
  needPlain(loop, 'parallel', at);
  const outer = path.find((s): s is For => s.kind === 'for' && s.loop === 'parallel');
  if (outer) throw new DslError('KD-S-NESTED-PARALLEL', { axis: axis.name, outer: outer.v.name }, at);
  visitStmt(loop.body, (s) => {
    if (s.kind === 'for' && s.loop === 'parallel') throw new DslError('KD-S-NESTED-PARALLEL', { axis: s.v.name, outer: axis.name }, at);
  });
  const why = dependence(loop);
  if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'parallel', axis: axis.name, why }, at);
  // Threads come to a sum of floats in any order.
  visitStmt(loop.body, (s) => { if (s.kind === 'atomic' && s.fn === 'add' && isFloat(s.buf.dtype)) st.reassociates = true; });
  setKind(st, loop, 'parallel', at);
}
