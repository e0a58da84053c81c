import { bytesOf, exprsOf, operands, visitStmt } from '../ir/index.ts';
import type { Expr, Stmt } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';

/** Some neighbouring lanes that fit a vector register: `lanes` of them from `start` on. */
export interface Chunk { readonly start: number; readonly lanes: number }

/** Cuts `extent` lanes into vectors of `native` lanes and, where it is no multiple, smaller powers of two at the end. */
export function chunks(extent: number, native: number): readonly Chunk[] {
  const out: Chunk[] = [];
  for (let start = 0, lanes = native; start < extent; start += lanes) {
    while (lanes > extent - start) lanes = 2 ** Math.floor(Math.log2(extent - start));
    out.push({ start, lanes });
  }
  return out;
}

/** Bytes of the widest dtype among the values of an expression. Conditions have the width of what they choose; indices do not count. */
export function widestValue(e: Expr): number {
  if (e.dtype === 'i64' && e.kind !== 'load' && e.kind !== 'cast') return e.kind === 'ramp' ? 0 : widestOf(operands(e));
  const own = e.dtype === 'bool' ? 0 : bytesOf(e.kind === 'load' && !e.as ? e.buf.dtype : e.dtype);
  return e.kind === 'load' ? own : Math.max(own, widestOf(operands(e)));
}
const widestOf = (es: readonly Expr[]): number => Math.max(0, ...es.map(widestValue));

/** Bytes of the widest dtype that the statements of a vector loop compute with. */
export function widestIn(s: Stmt): number {
  let w = 0;
  visitStmt(s, (x) => {
    if (x.kind === 'store' || x.kind === 'accum') w = Math.max(w, bytesOf(x.buf.dtype), widestValue(x.value));
    else if (x.kind === 'let' && !(x.v.dtype === 'i64')) w = Math.max(w, ...exprsOf(x).map(widestValue));
    else if (x.kind === 'if') w = Math.max(w, widestValue(x.cond));
  });
  return w;
}

/** How many lanes of that many bytes a vector register of the target holds. */
export const nativeLanes = (target: Target, bytes: number): number => Math.max(1, Math.floor(target.vecBytes / Math.max(1, bytes)));
