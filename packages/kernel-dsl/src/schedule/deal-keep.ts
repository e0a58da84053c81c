import { buffersOf, exprKey, substituteExpr, usesVar } from '../ir/index.ts';
import type { Buffer, Expr, For, Stmt } from '../ir/index.ts';
import { accesses } from './access.ts';
import { readsMemory } from './lane-access.ts';

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

/** What of tensors can be kept while a row (`body`) is worked on by these loops: what several of them use at one index, whatever the values are. */
export function keepable(body: Stmt, dealt: readonly For[]): readonly Keep[] {
  return [...buffersOf(body).values()].flatMap(({ buf }) => {
    const all = accesses(body, buf), uses = all.flatMap((u) => { const d = u.loops[0]; return d && dealt.includes(d) ? [{ ...u, d }] : []; }), [first] = uses, last = uses.at(-1);
    if (!first || !last || buf.space !== 'param' || buf.packed || first.index.some(readsMemory) || !first.index.some((e) => usesVar(e, first.d.v)) || uses.some(({ chain: [e] }) => e?.kind === 'load' && e.as)) return [];
    // Names that a loop makes are its own: indices of two loops that are the same have none.
    const key = (u: (typeof uses)[number]): string => [u.d.extent, ...u.index].map((e) => exprKey(substituteExpr(e, new Map<number, Expr>([[u.d.v.id, first.d.v]])))).join();
    const same = uses.filter((u) => key(u) === key(first)), loops = [...new Set(same.map((u) => u.d))], written = all.some((u) => u.kind !== 'load');
    const always = (u: typeof first): boolean => u.stmt.kind === (written ? 'store' : u.stmt.kind) && (u.kind === 'load') !== written && u.guards.length === 0 && u.loops.length === 1 && !u.chain.some((e) => e.kind === 'select');
    const fine = loops.length > 1 && always(first) && (!written || (always(last) && same.length === all.length && uses.filter((u) => u.d === last.d && u.kind !== 'load').length === 1));
    return fine ? [{ buf, loops, index: first.index, written }] : [];
  });
}
