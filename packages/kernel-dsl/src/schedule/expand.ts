import { DslError } from '../errors/index.ts';
import { and, block, buffersOf, mapExprs, mapStmt, newBuffer, newVar, printStmt, substitute, usesVar, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, Stmt, Var } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { nestOf } from './nest.ts';
import { refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * Scalar expansion and loop distribution: a register becomes an array over some loops, and these loops run once for what stands before the reduction,
 * inside of the reduction's loop, and once for what follows it. `for i, j { acc = 0; for k { acc += … }; C = acc }` becomes
 * `for i, j { acc[i, j] = 0 }; for k { for i, j { acc[i, j] += … } }; for i, j { C = acc[i, j] }`. The iterations must not depend on each other; no order
 * of sums changes. Guards of padded tails stay with the sum, and become tests around what follows.
 */
export function expand(st: State, register: string, order: readonly Axis[], at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-EXPAND', { name: register, axes: order.map((a) => a.name).join(', '), why }, at); };
  const { outer, loops, guards, body } = nestOf(st, 'expand', order, at, refuse);
  const list = body.kind === 'block' ? body.body : [body], at0 = list.findIndex((s) => s.kind === 'for' && buffersOf(s).size > 0 && [...buffersOf(s).values()].some((b) => b.buf.name === register && b.writes > 0));
  if (at0 < 0) return refuse(`no loop inside of them adds to ${register}`);
  const before = list.slice(0, at0), sum = list[at0] as For, after = list.slice(at0 + 1);
  const registers = before.flatMap((s) => (s.kind === 'alloc' && s.buf.space === 'reg' ? [s.buf] : []));
  if (!registers.some((b) => b.name === register)) return refuse(`${register} is not made inside of them`);
  for (const s of before) if (s.kind === 'let' || (s.kind === 'alloc' && s.buf.space !== 'reg')) refuse(`'${printStmt(s).trim().split('\n')[0]}' is needed in more than one part`);
  visitStmt(sum.body, (s) => { if ((s.kind === 'store' || s.kind === 'accum') && s.buf.name !== register) refuse(`its loop writes ${s.buf.name} too`); });
  if (sum.loop !== 'seq' || loops.some((l) => usesVar(sum.extent, l.v))) return refuse(`the loop ${sum.v.name} is ${sum.loop}, or depends on them`);

  // One array a register, an element for each iteration.
  const wide = new Map(registers.map((b): [number, Buffer] => [b.id, newBuffer({ ...b, shape: [...loops.map((l) => l.extent), ...b.shape] })]));
  const vars: readonly Var[] = loops.map((l) => l.v);
  const widened = (s: Stmt): Stmt => {
    const index = (i: readonly Expr[]): readonly Expr[] => [...vars, ...i];
    const reads = mapExprs(s, (e) => (e.kind === 'load' && wide.has(e.buf.id) ? { ...e, buf: wide.get(e.buf.id)!, index: index(e.index) } : e));
    return mapStmt(reads, (x) => ((x.kind === 'store' || x.kind === 'accum') && wide.has(x.buf.id) ? { ...x, buf: wide.get(x.buf.id)!, index: index(x.index) } : x))!;
  };
  const origin = { loc: outer.loc, step: at.step };
  const [outermost] = guards;
  // Around what follows they are one test, which vector loops can ask for all lanes.
  const guarded = (s: Stmt, pads: boolean): Stmt => (pads || !outermost
    ? guards.reduceRight<Stmt>((b, g) => ({ kind: 'if', cond: g.cond, then: b, ...(g.pad && { pad: true }), loc: g.loc, step: g.step }), s)
    : { kind: 'if', cond: guards.map((g) => g.cond).reduce(and), then: s, loc: outermost.loc, step: outermost.step });
  const nest = (s: Stmt): Stmt => loops.reduceRight<Stmt>((b, l) => ({ ...l, body: b }), s);
  /** The same loops once more, with variables of their own, which follow what later steps do to the first ones. */
  const twin = (s: Stmt): Stmt => {
    const fresh = loops.map((l) => newVar(l.v.name, 'i64', 1, l.v.loc)), map = new Map<number, Expr>(loops.map((l, i) => [l.v.id, fresh[i]!]));
    loops.forEach((l, i) => st.twins.set(l.v.id, [...(st.twins.get(l.v.id) ?? []), fresh[i]!]));
    return loops.reduceRight<Stmt>((b, l, i) => ({ ...l, v: fresh[i]!, body: b }), substitute(refresh(s), map));
  };
  const start = before.filter((s) => s.kind !== 'alloc').map(widened), end = after.map(widened);
  const out = block([
    ...[...wide.values()].map((buf): Stmt => ({ kind: 'alloc', buf, ...origin })),
    ...(start.length ? [twin(guarded(block(start), true))] : []),
    { ...sum, body: nest(guarded(widened(sum.body), true)) },
    ...(end.length ? [twin(guarded(block(end), false))] : []),
  ]);
  setBody(st, replaceStmt(st.ir.body, outer, out));
}
