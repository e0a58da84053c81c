import { DslError } from '../errors/index.ts';
import { block, boundBy, buffersOf, compare, constant, exprsOf, isConst, operands, visitStmt } from '../ir/index.ts';
import type { Expr, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { placeOf } from './producer.ts';
import { findLoop, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * Computes a register, working memory or a named value once, in front of a loop, where every iteration computed the same. Needs statements directly
 * in the loop's body that make it from nothing that the loop changes.
 */
export function hoist(st: State, name: string, axis: Axis, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-HOIST', { name, axis: axis.name, why }, at); };
  const { loop } = findLoop(st, axis, at), list = loop.body.kind === 'block' ? loop.body.body : [loop.body];
  const maker = list.find((s) => (s.kind === 'alloc' && s.buf.name === name) || (s.kind === 'let' && s.v.name === name));
  if (!maker) return refuse('its body makes nothing of that name');
  const id = maker.kind === 'alloc' ? maker.buf.id : -1;
  const moved = list.filter((s) => s === maker || (buffersOf(s).get(id)?.writes ?? 0) > 0);
  const names = new Set<number>([loop.v.id]), own = new Set<number>(), changed = new Set<number>();
  for (const s of list) { const v = s === maker ? undefined : boundBy(s); if (v) names.add(v.id); }
  visitStmt(loop.body, (s) => { if (s.kind === 'alloc' && s !== maker) own.add(s.buf.id); });
  for (const s of list) for (const b of buffersOf(s).values()) if (b.writes > 0 && b.buf.id !== id) changed.add(b.buf.id);
  let loads = false;
  const check = (e: Expr, s: Stmt): void => {
    if (e.kind === 'var' && names.has(e.id)) refuse(`${e.name} differs from iteration to iteration${placeOf(s)}`);
    if (e.kind === 'load') {
      loads = true;
      if (own.has(e.buf.id) || changed.has(e.buf.id)) refuse(`${e.buf.name}, which it is computed from${placeOf(s)}, is written in the loop`);
    }
    for (const x of operands(e)) check(x, s);
  };
  for (const m of moved) {
    visitStmt(m, (s) => {
      for (const e of exprsOf(s)) check(e, s);
      if (s.kind === 'instr' || s.kind === 'print' || s.kind === 'atomic') refuse(`${s.kind === 'instr' ? 'an instruction' : s.kind === 'print' ? 'a print' : 'an atomic update'} takes part${placeOf(s)}`);
    });
    for (const b of buffersOf(m).values()) if (b.writes > 0 && b.buf.id !== id) refuse(`the statement that makes it${placeOf(m)} writes ${b.buf.name} too`);
  }
  const last = list.lastIndexOf(moved.at(-1)!), early = list.find((s, i) => i < last && !moved.includes(s) && (buffersOf(s).get(id)?.reads ?? 0) > 0);
  if (early) return refuse(`it is read${placeOf(early)} before it is complete`);
  // A loop that never runs computed nothing, and may not have been able to.
  const certain = isConst(loop.extent) && loop.extent.value > 0;
  if (maker.kind === 'let' && loads && !certain) return refuse('it reads memory, and the loop may not run at all');
  const steps = moved.filter((s) => s !== maker), runs = compare('lt', constant(0), loop.extent);
  const front: Stmt[] = [maker, ...(steps.length === 0 ? [] : certain ? steps : [{ kind: 'if' as const, cond: runs, then: block(steps), loc: maker.loc, step: at.step }])];
  setBody(st, replaceStmt(st.ir.body, loop, block([...front, { ...loop, body: block(list.filter((s) => !moved.includes(s))) }])));
}
