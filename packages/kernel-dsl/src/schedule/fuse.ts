import { DslError } from '../errors/index.ts';
import { block, isConst, mul, newVar, usesVar } from '../ir/index.ts';
import type { Expr, Stmt } from '../ir/index.ts';
import { Axis } from '../lang/index.ts';
import { findLoop, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

const over = (fn: 'div' | 'mod', a: Expr, b: Expr): Expr => ({ kind: 'binary', fn, dtype: 'i64', lanes: 1, a, b });

/** Two loops, the second directly in the first, become one over all pairs, in the same order. Needs an inner extent that is the same in every iteration. */
export function fuse(st: State, outer: Axis, inner: Axis, name: string | undefined, at: At): Axis {
  const refuse = (why: string): never => { throw new DslError('KD-S-FUSE', { a: outer.name, b: inner.name, why }, at); };
  const { loop: a } = findLoop(st, outer, at), { loop: b } = findLoop(st, inner, at);
  if (a.body !== b) return refuse(`${inner.name} is not all that ${outer.name} holds`);
  if (usesVar(b.extent, a.v)) return refuse(`the extent of ${inner.name} depends on ${outer.name}`);
  if (a.loop !== 'seq' || b.loop !== 'seq') return refuse(`${(a.loop === 'seq' ? b : a).v.name} is ${a.loop === 'seq' ? b.loop : a.loop} already`);
  const v = newVar(name ?? `${outer.name}_${inner.name}`, 'i64', 1, a.loc), extent = mul(a.extent, b.extent), origin = { loc: a.loc, step: at.step };
  const body: Stmt[] = [
    { kind: 'let', v: a.v, value: isConst(b.extent, 1) ? v : over('div', v, b.extent), ...origin },
    { kind: 'let', v: b.v, value: over('mod', v, b.extent), ...origin },
    b.body,
  ];
  setBody(st, replaceStmt(st.ir.body, a, { kind: 'for', v, extent, loop: 'seq', body: block(body), ...origin }));
  for (const x of [outer, inner]) st.consumed.set(x.v.id, `${at.step} made ${v.name} of it`);
  return new Axis(v.name, extent, v, a.loc);
}
