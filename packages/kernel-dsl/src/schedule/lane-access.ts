import { buffersOf, childrenOf, exprsOf, isConst, mapExpr, operands, unary, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, Stmt } from '../ir/index.ts';
import type { LaneNest } from './lane-nest.ts';

/** One use, inside of a nest of lanes, of memory that the lanes share. Names in its expressions are replaced by what they stand for. */
export interface LaneAccess {
  readonly buf: Buffer;
  readonly index: readonly Expr[];
  readonly kind: 'read' | 'write' | 'atomic';
  /** The loops around it inside of the nest, outermost first, and the conditions under which it happens. */
  readonly loops: readonly For[];
  readonly guards: readonly Expr[];
  readonly stmt: Stmt;
}

/** Does a value depend on memory, or on other lanes? */
export const readsMemory = (e: Expr): boolean => e.kind === 'load' || e.kind === 'subgroup' || operands(e).some(readsMemory);

/** Every use, by the statement (of any kind) that holds it. What a lane makes for itself, or what nothing in the nest writes, is left out. */
export function laneAccesses(nest: LaneNest): (s: Stmt) => readonly LaneAccess[] {
  const own = new Set<number>(), written = new Set<number>(), lets = new Map<number, Expr>(), found = new Map<Stmt, readonly LaneAccess[]>();
  for (const { buf, writes } of buffersOf(nest.body).values()) if (writes > 0) written.add(buf.id);
  visitStmt(nest.body, (s) => { if (s.kind === 'alloc') own.add(s.buf.id); if (s.kind === 'let' && !readsMemory(s.value)) lets.set(s.v.id, s.value); });
  const plain = (e: Expr): Expr => mapExpr(e, (x) => { const value = x.kind === 'var' ? lets.get(x.id) : undefined; return value ? plain(value) : x; });
  const go = (s: Stmt, loops: readonly For[], guards: readonly Expr[]): readonly LaneAccess[] => {
    const out: LaneAccess[] = [];
    const note = (buf: Buffer, index: readonly Expr[], kind: LaneAccess['kind']): void => { if (!own.has(buf.id) && written.has(buf.id) && buf.space !== 'reg') out.push({ buf, index: index.map(plain), kind, loops, guards, stmt: s }); };
    const look = (e: Expr): void => { if (e.kind === 'load') note(e.buf, e.index, 'read'); operands(e).forEach(look); };
    exprsOf(s).forEach(look);
    if (s.kind === 'store') note(s.buf, s.index, 'write');
    if (s.kind === 'accum') { note(s.buf, s.index, 'read'); note(s.buf, s.index, 'write'); }
    if (s.kind === 'atomic') note(s.buf, s.index, 'atomic');
    if (s.kind === 'for') out.push(...go(s.body, isConst(s.extent, 1) ? loops : [...loops, s], guards));
    else if (s.kind === 'if') {
      const cond = plain(s.cond);
      out.push(...go(s.then, loops, [...guards, cond]), ...(s.else ? go(s.else, loops, [...guards, unary('not', cond)]) : []));
    } else for (const c of childrenOf(s)) out.push(...go(c, loops, guards));
    found.set(s, out);
    return out;
  };
  go(nest.body, [], []);
  return (s) => found.get(s) ?? [];
}
