import { operands, sameExpr, substituteExpr, usesVar, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, Stmt, Var } from '../ir/index.ts';
import { accesses } from './access.ts';
import type { Access } from './access.ts';

/** A tensor of which lanes keep elements in registers from one dealt loop to the next, by the loop: the first one reads, or all but the last write, what the others find there. */
export interface Keep {
  readonly buf: Buffer;
  /** The loops, in order. */
  readonly loops: readonly For[];
  /** The index in the first of them. */
  readonly index: readonly Expr[];
  /** Is it written? Then by the first loop before it is read, and all of it by the last one. */
  readonly written: boolean;
}

/** Does each iteration come by a use, whatever the values? */
const always = (u: Access): boolean => u.guards.length === 0 && u.loops.length === 0 && u.chain.every((e) => e.kind !== 'select');

/** What of a tensor can be kept while a row (`body`) is worked on by these loops; undefined where nothing can, or only one loop would use it. */
export function keepOf(body: Stmt, dealt: readonly For[], buf: Buffer): Keep | undefined {
  const all = accesses(body, buf), uses = dealt.map((d) => ({ d, own: accesses(d.body, buf) })).filter((x) => x.own.length > 0), [first] = uses, first0 = first?.own.find((u) => usesIndex(u, first.d));
  if (!first || !first0 || buf.space !== 'param' || buf.packed) return undefined;
  const inside: Var[] = [];
  visitStmt(first.d.body, (s) => { if (s.kind === 'let' || s.kind === 'for' || s.kind === 'while') inside.push(s.v); });
  if (first0.index.some((e) => hasLoad(e) || inside.some((v) => usesVar(e, v)))) return undefined;
  const at = (u: Access, d: For): boolean => u.index.every((e, k) => sameExpr(substituteExpr(e, new Map<number, Expr>([[d.v.id, first.d.v]])), first0.index[k]!)) && sameExpr(d.extent, first.d.extent) && !(u.chain[0]?.kind === 'load' && u.chain[0].as);
  const written = all.some((u) => u.kind !== 'load'), same = uses.filter(({ d, own }) => own.every((u) => at(u, d)));
  const keep = (loops: readonly For[]): Keep => ({ buf, loops, index: first0.index, written });
  if (same[0]?.d !== first.d || same.length < 2) return undefined;
  if (!written) return first.own.some(always) ? keep(same.map((x) => x.d)) : undefined;
  // All uses lie in the loops; what the first loop does with an element first is to write it, and the last one writes all of them, once.
  const { own } = uses.at(-1)!, stores = own.filter((u) => u.kind !== 'load'), begins = first.own.find((u) => u.kind !== 'load');
  const whole = (u: Access | undefined): boolean => u?.kind === 'store' && u.stmt.kind === 'store' && always(u);
  const before = first.own.every((u) => u.kind !== 'load' || first.own.indexOf(u) > first.own.indexOf(begins!));
  const fine = same.length === uses.length && uses.reduce((n, x) => n + x.own.length, 0) === all.length && whole(begins) && before && stores.length === 1 && whole(stores[0]) && own.at(-1) === stores[0];
  return fine ? keep(uses.map((x) => x.d)) : undefined;
}
const hasLoad = (e: Expr): boolean => e.kind === 'load' || operands(e).some(hasLoad);
const usesIndex = (u: Access, d: For): boolean => u.index.some((e) => usesVar(e, d.v));

/** The tensors that {@link keepOf} finds something of. */
export const keepable = (body: Stmt, dealt: readonly For[], tensors: readonly Buffer[]): readonly Keep[] => tensors.flatMap((b) => keepOf(body, dealt, b) ?? []);
