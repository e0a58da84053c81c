import { DslError } from '../errors/index.ts';
import { add, block, ceilDiv, constant, isConst, lt, min, mul, newVar, sub, substitute } from '../ir/index.ts';
import type { Expr, For, Stmt, Var } from '../ir/index.ts';
import { Axis } from '../lang/index.ts';
import { isLane, sharedIn } from './lane-nest.ts';
import { findLoop, refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * What happens to the iterations that do not fill the last inner loop.
 * `clamp`: the last inner loop is shorter. `peel`: whole inner loops, then a copy of the body for the rest.
 * `mask`: every iteration asks whether it exists. `pad`: it runs, on staged copies that are padded with zeros.
 */
export type Tail = 'clamp' | 'peel' | 'mask' | 'pad';

/** i becomes outer * factor + inner. */
export function split(st: State, axis: Axis, factor: number, o: { tail: Tail; names: readonly [string, string] }, at: At): readonly [Axis, Axis, Axis | undefined] {
  if (!Number.isInteger(factor) || factor < 1) throw new DslError('KD-S-FACTOR', { axis: axis.name, factor }, at);
  const { loop } = findLoop(st, axis, at);
  const shared = isLane(loop) ? sharedIn(loop) : undefined;
  if (shared !== undefined) throw new DslError('KD-S-LANES', { axis: axis.name, why: `they share ${shared}, which all of them fill together` }, at);
  if (isLane(loop) && o.tail === 'peel' && isConst(loop.extent) && loop.extent.value < factor) throw new DslError('KD-S-LANES', { axis: axis.name, why: `the ${loop.extent.value} of them do not fill one inner loop of ${factor}: no lane would be left to run the rest` }, at);
  const outer = newVar(o.names[0], 'i64', 1, loop.loc), inner = newVar(o.names[1], 'i64', 1, loop.loc);
  const n = loop.extent;
  const index = add(mul(outer, constant(factor)), inner);
  const body = substitute(loop.body, new Map<number, Expr>([[loop.v.id, index]]));
  const divides = isConst(n) && n.value % factor === 0;
  const origin = { loc: loop.loc, step: at.step };
  const nest = (outerExtent: Expr, innerExtent: Expr, b: Stmt): For =>
    ({ kind: 'for', v: outer, extent: outerExtent, loop: loop.loop, ...origin, body: { kind: 'for', v: inner, extent: innerExtent, loop: 'seq', ...origin, body: b } });
  let out: Stmt, rest: Axis | undefined;
  if (factor === 1) out = nest(n, constant(1), body); // whatever n is
  else if (divides) out = nest(constant((n as { value: number }).value / factor), constant(factor), body);
  else if (o.tail === 'clamp') out = nest(ceilDiv(n, factor), min(constant(factor), sub(n, mul(outer, constant(factor)))), body);
  else if (o.tail === 'peel') {
    const whole = isConst(n) ? constant(Math.floor(n.value / factor)) : ({ kind: 'binary', fn: 'div', dtype: 'i64', lanes: 1, a: n, b: constant(factor) } as const);
    const done = mul(whole, constant(factor));
    const v: Var = newVar(`${axis.name}_rest`, 'i64', 1, loop.loc);
    const tail: For = { kind: 'for', v, extent: sub(n, done), loop: 'seq', ...origin, body: refresh(substitute(loop.body, new Map<number, Expr>([[loop.v.id, add(done, v)]]))) };
    rest = new Axis(v.name, tail.extent, v, loop.loc);
    out = block([nest(whole, constant(factor), body), tail]);
  } else {
    out = nest(ceilDiv(n, factor), constant(factor), { kind: 'if', cond: lt(index, n), then: body, ...origin, ...(o.tail === 'pad' ? { pad: true } : {}) });
  }
  setBody(st, replaceStmt(st.ir.body, loop, out));
  st.consumed.set(axis.v.id, `${at.step} made ${outer.name} and ${inner.name} of it`);
  const first = out.kind === 'block' ? (out.body[0] as For) : (out as For);
  return [new Axis(outer.name, first.extent, outer, loop.loc), new Axis(inner.name, (first.body as For).extent, inner, loop.loc), rest];
}
