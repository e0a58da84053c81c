import { DTYPES, buffersOf, isConst, mapStmt, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, For, ReduceFn, Stmt } from '../ir/index.ts';
import { accesses } from './access.ts';
import { dependence } from './depend.ts';

/** A register that a dealt loop adds to, and the operator. */
export interface Joined { readonly buf: Buffer; readonly fn: ReduceFn }

/** What becomes of the memory that an iteration makes for itself, once many lanes run it. */
export interface Roles {
  /** Registers that the lanes add to apart, by the dealt loop. */
  readonly joins: ReadonlyMap<For, readonly Joined[]>;
  /** What lanes fill together: it becomes memory of the workgroup. */
  readonly shared: ReadonlySet<number>;
  /** What each lane has for itself, always with the same content. */
  readonly own: ReadonlySet<number>;
}

/**
 * Looks at what an iteration (`body`) makes for itself outside of the loops that are dealt out. Registers that such a loop only adds to are joined after it;
 * memory that it writes otherwise is shared; everything else each lane has for itself. `refuse` throws.
 */
export function rolesOf(body: Stmt, dealt: readonly For[], refuse: (why: string) => never): Roles {
  const inside = new Set<Stmt>(dealt), mine: Buffer[] = [];
  visitStmt(body, (s) => { if (s.kind === 'alloc') mine.push(s.buf); return inside.has(s) ? false : undefined; });
  const joins = new Map<For, Joined[]>(dealt.map((d) => [d, []])), shared = new Set<number>();
  for (const buf of mine) for (const d of dealt) {
    const uses = accesses(d.body, buf), writes = uses.filter((u) => u.kind !== 'load');
    if (writes.length === 0) continue;
    const fns = new Set<ReduceFn>();
    for (const u of writes) if (u.stmt.kind === 'accum') fns.add(u.stmt.fn);
    const [fn] = fns;
    if (buf.space === 'reg' && buf.shape.length === 0) {
      if (uses.some((u) => u.kind !== 'accum') || fns.size !== 1) return refuse(`the loop ${d.v.name} does more with the register ${buf.name} than to accumulate with one operator`);
      if (fn === 'mul' || !DTYPES[buf.dtype].arithmetic || buf.dtype === 'bool') return refuse(`lanes join sums, minima and maxima of numbers, and ${d.v.name} makes a ${fn} of ${buf.dtype} in ${buf.name}`);
      joins.get(d)!.push({ buf, fn: fn! });
    } else {
      if (!buf.shape.every((n) => isConst(n))) return refuse(`${buf.name}, which lanes fill together, has no constant shape`);
      shared.add(buf.id);
    }
  }
  return { joins, shared, own: new Set(mine.map((b) => b.id).filter((id) => !shared.has(id))) };
}

/** Elements of working memory that a lane keeps in registers, at most. */
export const MOST_KEPT = 64;

/**
 * Working memory of one dimension of which iteration i of each dealt loop touches element i and nothing else does: where whole rounds of `lanes` runs of `vector` make it up, each lane keeps its own
 * elements.
 */
export function keptBy(body: Stmt, dealt: readonly For[], { shared }: Roles, lanes: number, vector: number): readonly Buffer[] {
  const out: Buffer[] = [];
  visitStmt(body, (s) => {
    const [n] = s.kind === 'alloc' && shared.has(s.buf.id) && s.buf.shape.length === 1 ? s.buf.shape : [];
    if (s.kind !== 'alloc' || !n || !isConst(n) || n.value % (lanes * vector) !== 0 || n.value > MOST_KEPT * lanes) return;
    const own = (d: For): number => accesses(d.body, s.buf).filter((u) => u.index[0]!.kind === 'var' && u.index[0].id === d.v.id && isConst(d.extent, n.value) && !(u.chain[0]?.kind === 'load' && u.chain[0].as) && u.stmt.kind !== 'atomic').length;
    if (dealt.reduce((sum, d) => sum + own(d), 0) === accesses(body, s.buf).length) out.push(s.buf);
  });
  return out;
}

/** The loop without its sums into joined registers: what is left of it must not depend on other iterations. */
export const withoutJoins = (d: For, joins: readonly Joined[]): For => {
  const ids = new Set(joins.map((j) => j.buf.id));
  return { ...d, body: mapStmt(d.body, (s) => (s.kind === 'accum' && ids.has(s.buf.id) ? null : s)) ?? { kind: 'block', body: [] } };
};

/** Can the iterations of a loop of a row go to different lanes: are they independent but for sums into registers that the row makes? */
export function dealable(d: For, row: Stmt): boolean {
  class No extends Error {}
  try {
    return dependence(withoutJoins(d, rolesOf(row, [d], () => { throw new No(); }).joins.get(d)!)) === undefined;
  } catch (e) {
    if (e instanceof No) return false;
    throw e;
  }
}

/** Does a statement write memory that is not each lane's own? And does it change what is? */
export function writesOf(s: Stmt, roles: Roles): { readonly memory: boolean; readonly own: boolean } {
  const made = new Set<number>();
  visitStmt(s, (x) => { if (x.kind === 'alloc') made.add(x.buf.id); });
  let memory = false, own = false;
  for (const { buf, writes } of buffersOf(s).values()) {
    if (writes === 0 || made.has(buf.id)) continue;
    if (roles.own.has(buf.id)) own = true; else memory = true;
  }
  visitStmt(s, (x) => { if (x.kind === 'print') memory = true; });
  return { memory, own };
}

/** Is the old value of an atomic update used outside of the statement? */
export function leaksOld(s: Stmt, body: Stmt): boolean {
  const olds = new Set<number>();
  visitStmt(s, (x) => { if (x.kind === 'atomic' && x.old) olds.add(x.old.id); });
  if (olds.size === 0) return false;
  const count = (x: Stmt): number => { let n = 0; visitExprs(x, (e) => { if (e.kind === 'var' && olds.has(e.id)) n++; }); return n; };
  return count(body) > count(s);
}
