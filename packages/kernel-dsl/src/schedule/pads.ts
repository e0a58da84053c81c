import { DslError } from '../errors/index.ts';
import { mapStmt, usesVar, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, If, Stmt, Var } from '../ir/index.ts';
import { affine } from './affine.ts';
import type { At, State } from './state.ts';

/**
 * Removes the guards of padded tails: legal once everything that the padded loops touch is a staged copy.
 * A tensor that is still reached directly, or a sum over padded iterations, is an error that names what to stage.
 */
export function resolvePads(st: State, at: At): void {
  const loops = new Set<number>();
  visitStmt(st.ir.body, (s) => { if (s.kind === 'for') loops.add(s.v.id); });
  const check = (s: If): void => {
    const padded = paddedVars(s.cond, loops);
    const touches = (index: readonly Expr[]): boolean => index.some((e) => padded.some((v) => usesVar(e, v)));
    const fail = (buf: Buffer): never => { throw new DslError('KD-S-PAD', { axis: padded.map((v) => v.name).join(', '), name: buf.name }, { ...at, loc: s.loc ?? at.loc }); };
    visitExprs(s.then, (e) => { if (e.kind === 'load' && e.buf.space === 'param' && touches(e.index)) fail(e.buf); });
    visitStmt(s.then, (x) => {
      if ((x.kind === 'store' || x.kind === 'accum') && (x.buf.space === 'param' || !touches(x.index))) fail(x.buf);
    });
  };
  const body = mapStmt(st.ir.body, (s: Stmt): Stmt => {
    if (s.kind !== 'if' || !s.pad) return s;
    check(s);
    return s.then;
  });
  if (body) st.ir = { ...st.ir, body };
}

/** The variables of the padded inner loop: all in the index but the outermost one. */
function paddedVars(cond: Expr, loops: ReadonlySet<number>): Var[] {
  if (cond.kind !== 'cmp') return [];
  const terms = [...(affine(cond.a, loops)?.terms.values() ?? [])];
  const top = Math.max(...terms.map((t) => Math.abs(t.coef)));
  const inner = terms.filter((t) => Math.abs(t.coef) < top);
  return (inner.length > 0 ? inner : terms).map((t) => t.v);
}
