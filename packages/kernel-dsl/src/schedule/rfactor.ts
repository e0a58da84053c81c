import { DslError } from '../errors/index.ts';
import { binary, block, bytesOf, constant, identity, isConst, load, mapChildren, newBuffer, newVar, printExpr, reduce, reduceOp } from '../ir/index.ts';
import type { Alloc, Buffer, Expr, ReduceFn, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { accesses } from './access.ts';
import { findLoop, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * A register that a loop accumulates into becomes one register for each iteration of that loop, combined by halving at the end.
 * The loop's iterations are then independent: it can be vectorised. The order of the sum changes; the schedule remembers that.
 */
export function rfactor(st: State, name: string, axis: Axis, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-RFACTOR', { name, axis: axis.name, why }, at); };
  const { loop, path } = findLoop(st, axis, at);
  if (!isConst(loop.extent)) return refuse(`the extent ${printExpr(loop.extent)} of ${axis.name} is not a constant`);
  const n = loop.extent.value;
  if (n < 1 || (n & (n - 1)) !== 0) return refuse(`its extent ${n} is not a power of two`);
  const scopes = path.filter((s) => s.kind === 'block').reverse();
  let alloc: Alloc | undefined, scope: Stmt | undefined;
  for (const s of scopes) {
    alloc = s.body.find((x): x is Alloc => x.kind === 'alloc' && x.buf.name === name && x.buf.space === 'reg');
    if (alloc) { scope = s; break; }
  }
  if (!alloc || scope?.kind !== 'block') return refuse('no such register around the loop');
  const acc: Buffer = alloc.buf;
  if (acc.shape.length !== 0) return refuse('it has dimensions already');
  const uses = accesses(loop.body, acc);
  const fns = new Set<ReduceFn>();
  for (const u of uses) if (u.stmt.kind === 'accum' && u.kind === 'accum') fns.add(u.stmt.fn);
  if (uses.length === 0) return refuse('the loop does not use it');
  if (uses.some((u) => u.kind !== 'accum') || fns.size !== 1) return refuse('the loop does more with it than to accumulate with one operator');
  const fn = [...fns][0]!;

  const part = newBuffer({ name: `${name}_part`, dtype: acc.dtype, space: 'reg', shape: [constant(n)], loc: at.loc });
  const v = newVar(axis.name, 'i64', 1, at.loc);
  const origin = { loc: at.loc, step: at.step };
  const init: Stmt[] = [
    { kind: 'alloc', buf: part, ...origin },
    { kind: 'for', v, extent: constant(n), loop: loop.loop === 'vector' || loop.loop === 'unroll' ? loop.loop : 'seq', body: { kind: 'store', buf: part, index: [v], value: identity(fn, acc.dtype), ...origin }, ...origin },
  ];
  st.twins.set(axis.v.id, [...(st.twins.get(axis.v.id) ?? []), v]);
  const combine: Stmt = { kind: 'accum', fn, buf: acc, index: [], value: halves(part, n, fn, Math.max(1, Math.floor(st.target.vecBytes / bytesOf(acc.dtype)))), ...origin };
  const into = (s: Stmt): Stmt => (s.kind === 'accum' && s.buf.id === acc.id ? { ...s, buf: part, index: [loop.v] } : mapChildren(s, into));
  const inLoop = (s: Stmt): Stmt => (s === loop ? { ...loop, body: into(loop.body) } : mapChildren(s, inLoop));
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
