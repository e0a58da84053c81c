import { childrenOf, exprsOf, isConst, visitExpr, visitStmt } from '../../../ir/index.ts';
import type { Stmt } from '../../../ir/index.ts';

const holdsBarrier = (s: Stmt): boolean => s.kind === 'barrier' || childrenOf(s).some(holdsBarrier);

/**
 * Do lanes of a workgroup meet between two uses of one element of device memory, one of which may be a write? If not, its barriers need to order nothing but shared
 * memory. Told by buffers: one that is written is used on one side of every barrier.
 */
export function crossesBarriers(body: Stmt): boolean {
  const used = new Map<number, number>(), written = new Set<number>(), crossing = new Set<number>();
  let epoch = 0;
  const use = (s: Stmt, often: boolean): void => {
    const see = (b: { readonly id: number; readonly space: string }, writes: boolean): void => {
      if (b.space !== 'param' && b.space !== 'pack') return;
      if (writes) written.add(b.id);
      if (often || (used.get(b.id) ?? epoch) !== epoch) crossing.add(b.id);
      used.set(b.id, epoch);
    };
    if (s.kind === 'store' || s.kind === 'accum' || s.kind === 'atomic') see(s.buf, true);
    if (s.kind === 'call') for (const a of s.args) if (a.kind !== 'value') see(a.buf, a.kind === 'place' && a.writes);
    for (const e of exprsOf(s)) visitExpr(e, (x) => { if (x.kind === 'load') see(x.buf, false); });
  };
  const go = (s: Stmt, often: boolean): void => {
    use(s, often);
    // What runs again after a barrier of its loop lies on both sides of it.
    const again = often || ((s.kind === 'for' || s.kind === 'while') && !(s.kind === 'for' && (s.loop.includes('.') || isConst(s.extent, 1))) && holdsBarrier(s));
    if (s.kind === 'barrier') epoch++;
    if (again && !often) visitStmt(s, (x) => use(x, true));
    for (const c of childrenOf(s)) go(c, again);
  };
  go(body, false);
  return [...crossing].some((id) => written.has(id));
}
