import { DslError } from '../errors/index.ts';
import { binary, block, bytesOf, constant, identity, isConst, isFloat, load, mapChildren, newBuffer, newVar, printExpr, reduce, reduceOp } from '../ir/index.ts';
import type { Alloc, Buffer, Expr, For, ReduceFn, Stmt } from '../ir/index.ts';
import { Axis } from '../lang/index.ts';
import { accesses } from './access.ts';
import { findLoop, setBody } from './state.ts';
import type { At, State } from './state.ts';

/** A register that a loop accumulates into, with one operator and nothing else, and the list of statements that makes it. */
interface Accumulated { readonly loop: For; readonly path: readonly Stmt[]; readonly acc: Buffer; readonly fn: ReduceFn; readonly scope: Stmt & { readonly kind: 'block' } }

function accumulated(st: State, name: string, axis: Axis, at: At, refuse: (why: string) => never): Accumulated {
  const { loop, path } = findLoop(st, axis, at);
  if (!isConst(loop.extent)) return refuse(`the extent ${printExpr(loop.extent)} of ${axis.name} is not a constant`);
  const scopes = path.filter((s) => s.kind === 'block').reverse();
  for (const scope of scopes) {
    const alloc = scope.body.find((x): x is Alloc => x.kind === 'alloc' && x.buf.name === name && x.buf.space === 'reg');
    if (!alloc) continue;
    if (alloc.buf.shape.length !== 0) return refuse('it has dimensions already');
    const uses = accesses(loop.body, alloc.buf), fns = new Set<ReduceFn>();
    for (const u of uses) if (u.stmt.kind === 'accum' && u.kind === 'accum') fns.add(u.stmt.fn);
    if (uses.length === 0) return refuse('the loop does not use it');
    if (uses.some((u) => u.kind !== 'accum') || fns.size !== 1) return refuse('the loop does more with it than to accumulate with one operator');
    return { loop, path, acc: alloc.buf, fn: [...fns][0]!, scope };
  }
  return refuse('no such register around the loop');
}

/** Statements with what they accumulate into a register going elsewhere. */
export const redirected = (s: Stmt, acc: Buffer, buf: Buffer, index: readonly Expr[]): Stmt => {
  const into = (x: Stmt): Stmt => (x.kind === 'accum' && x.buf.id === acc.id ? { ...x, buf, index } : mapChildren(x, into));
  return into(s);
};

/**
 * A register that a loop accumulates into becomes one register for each iteration of that loop, combined by halving at the end.
 * The loop's iterations are then independent: it can be vectorised. The order of the sum changes; the schedule remembers that.
 */
export function rfactor(st: State, name: string, axis: Axis, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-RFACTOR', { name, axis: axis.name, why }, at); };
  const { loop, path, acc, fn, scope } = accumulated(st, name, axis, at, refuse), n = (loop.extent as Expr & { kind: 'const' }).value;
  if (n < 1 || (n & (n - 1)) !== 0) return refuse(`its extent ${n} is not a power of two`);

  const part = newBuffer({ name: `${name}_part`, dtype: acc.dtype, space: 'reg', shape: [constant(n)], loc: at.loc });
  const v = newVar(axis.name, 'i64', 1, at.loc);
  const origin = { loc: at.loc, step: at.step };
  const init: Stmt[] = [
    { kind: 'alloc', buf: part, ...origin },
    { kind: 'for', v, extent: constant(n), loop: loop.loop === 'vector' || loop.loop === 'unroll' ? loop.loop : 'seq', body: { kind: 'store', buf: part, index: [v], value: identity(fn, acc.dtype), ...origin }, ...origin },
  ];
  st.twins.set(axis.v.id, [...(st.twins.get(axis.v.id) ?? []), v]);
  const combine: Stmt = { kind: 'accum', fn, buf: acc, index: [], value: halves(part, n, fn, Math.max(1, Math.floor(st.target.vecBytes / bytesOf(acc.dtype)))), ...origin };
  const inLoop = (s: Stmt): Stmt => (s === loop ? { ...loop, body: redirected(loop.body, acc, part, [loop.v]) } : mapChildren(s, inLoop));
  const outer = scope.body.find((s) => s === loop || path.includes(s))!;
  const rebuilt = block(scope.body.flatMap((s) => (s === outer ? [...init, inLoop(s), combine] : [s])), { loc: scope.loc, step: scope.step });
  const go = (s: Stmt): Stmt => (s === scope ? rebuilt : mapChildren(s, go));
  setBody(st, go(st.ir.body));
  st.reassociates = true;
}

/** All elements of a register array combined by halving: whole vectors first, so that lane i meets lane i + n/2, then inside of one, as Reduce does. */
export function halves(part: Buffer, n: number, fn: ReduceFn, native: number): Expr {
  const width = Math.min(native, n);
  let level: Expr[] = Array.from({ length: n / width }, (_, i) => load(part, [constant(i * width)], { lanes: width }));
  while (level.length > 1) {
    const h = level.length / 2;
    level = level.slice(0, h).map((x, i) => binary(reduceOp(fn), x, level[i + h]!));
  }
  return reduce(fn, level[0]!);
}

/**
 * Each iteration of a loop accumulates into a register of its own and leaves it in memory; a loop of as many iterations joins them, in order, and is returned. The
 * iterations are then independent: they can go to threads or to workgroups. The order of the sum changes.
 */
export function partials(st: State, name: string, axis: Axis, at: At): Axis {
  const refuse = (why: string): never => { throw new DslError('KD-S-RFACTOR', { name, axis: axis.name, why }, at); };
  const { loop, path, acc, fn, scope } = accumulated(st, name, axis, at, refuse), between = path.slice(path.indexOf(scope) + 1).find((s) => s.kind !== 'region');
  if (between) return refuse(`it is made outside of ${between.kind === 'for' ? between.v.name : `the ${between.kind} around ${axis.name}`}, which would leave its results over and over`);
  const origin = { loc: at.loc, step: at.step }, one = newBuffer({ name: `${name}_part`, dtype: acc.dtype, space: 'reg', shape: [], loc: at.loc }), all = newBuffer({ name: `${name}_parts`, dtype: acc.dtype, space: 'pack', shape: [loop.extent], loc: at.loc }), v = newVar(`${axis.name}_part`, 'i64', 1, at.loc);
  const apart: For = {
    ...loop, body: block([
      { kind: 'alloc', buf: one, ...origin }, { kind: 'store', buf: one, index: [], value: identity(fn, acc.dtype), ...origin },
      redirected(loop.body, acc, one, []), { kind: 'store', buf: all, index: [loop.v], value: load(one, []), ...origin },
    ]),
  };
  const join: For = { kind: 'for', v, extent: loop.extent, loop: 'seq', body: { kind: 'accum', fn, buf: acc, index: [], value: load(all, [v]), ...origin }, ...origin };
  const go = (s: Stmt): Stmt => (s === loop ? apart : mapChildren(s, go)), outer = scope.body.find((s) => s === loop || path.includes(s))!;
  const rebuilt = block(scope.body.flatMap((s) => (s === outer ? [{ kind: 'alloc', buf: all, ...origin } satisfies Alloc, go(s), join] : [s])), { loc: scope.loc, step: scope.step });
  const whole = (s: Stmt): Stmt => (s === scope ? rebuilt : mapChildren(s, whole));
  setBody(st, whole(st.ir.body));
  st.reassociates ||= isFloat(acc.dtype);
  return new Axis(v.name, loop.extent, v, at.loc);
}
