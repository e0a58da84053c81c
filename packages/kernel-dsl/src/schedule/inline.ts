import { DslError } from '../errors/index.ts';
import { buffersOf, mapExprs, mapStmt, substituteExpr } from '../ir/index.ts';
import type { Stmt } from '../ir/index.ts';
import { findProducer, placeOf } from './producer.ts';
import { setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * Computes the elements of a register or of working memory where they are read, and takes the memory away. Needs one store, element by element,
 * of a value whose inputs are not written afterwards. No bit changes: the same value is computed, perhaps more often.
 */
export function inline(st: State, name: string, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-INLINE', { name, why }, at); };
  const p = findProducer(st.ir.body, name, refuse), { buf } = p.alloc;
  const from = p.scope.body.indexOf(p.top);
  const early = p.scope.body.find((s, i) => i <= from && (buffersOf(s).get(buf.id)?.reads ?? 0) > 0);
  if (early) return refuse(`it is read${placeOf(early)} before the loops that make it have ended`);
  const value = (index: readonly Parameters<typeof substituteExpr>[0][]): Parameters<typeof substituteExpr>[0] => substituteExpr(p.store.value, new Map(p.loops.map((l, d) => [l.v.id, index[d]!])));
  const read = mapExprs(st.ir.body, (e) => (e.kind === 'load' && e.buf.id === buf.id ? value(e.index) : e));
  setBody(st, without(read, (s) => (s.kind === 'alloc' || s.kind === 'store') && s.buf.id === buf.id));
  for (const l of p.loops) st.consumed.set(l.v.id, `${at.step} computes ${name} where it is read`);
}

/** Without certain statements, and without the loops that held nothing else. */
export function without(body: Stmt, drop: (s: Stmt) => boolean): Stmt {
  const empty = (s: Stmt): boolean => s.kind === 'block' && s.body.length === 0;
  return mapStmt(body, (s) => (drop(s) || (s.kind === 'for' && empty(s.body)) || (s.kind === 'region' && empty(s.body)) ? null : s)) ?? { kind: 'block', body: [] };
}
