import type { Buffer, Expr, Stmt } from '../../../ir/index.ts';
import { block, bytesOf, isConst, mapChildren, sameExpr, visitStmt } from '../../../ir/index.ts';
import { isAligned, isChunk } from '../family/index.ts';
import type { ModuleState } from './frame.ts';

/** What is known of sizes: the name of each, and a number that it is a multiple of. */
type Multiples = ReadonlyMap<string, number>;

/**
 * WGSL has one element type for a binding: a tensor that is stored in vectors here and element by element there is one of elements. So where nothing but what is left over at the ends of rows keeps a tensor
 * from being one of vectors, and calls whose rows are whole vectors leave nothing over, the text is for those calls: the module says so, and others take the text without wide accesses.
 */
export function wholeRows(m: ModuleState, body: Stmt): Stmt {
  if (!m.options.aligned || m.options.bounds) return body;
  const written = new Map<number, { buf: Buffer; wide: (readonly Expr[])[]; single: boolean }>();
  const look = (s: Stmt): typeof written => {
    written.clear();
    visitStmt(s, (x) => {
      if ((x.kind !== 'store' && x.kind !== 'accum' && x.kind !== 'atomic') || x.buf.space !== 'param' || bytesOf(x.buf.dtype) !== 4) return;
      const u = written.get(x.buf.id) ?? { buf: x.buf, wide: [], single: false };
      written.set(x.buf.id, u);
      if (x.kind === 'store' && x.value.lanes === 4) u.wide.push(x.index); else u.single = true;
    });
    return written;
  };
  const mixed = [...look(body).values()].filter((u) => u.single && u.wide.length > 0), counters = new Set<number>();
  if (mixed.length === 0) return body;
  const facts = new Map(mixed.flatMap(({ buf }) => { const n = buf.shape.at(-1); return n?.kind === 'size' ? [[n.name, 4] as const] : []; }));
  visitStmt(body, (s) => { if (s.kind === 'for') counters.add(s.v.id); });
  const less = without(body, facts, counters, []) ?? block([]), open = look(less), won = mixed.filter(({ buf }) => open.get(buf.id)?.single === false);
  // Only what is wide from then on is worth it.
  if (won.length === 0 || won.some(({ buf, wide }) => wide.some((index) => !isAligned({ m: { options: m.options, alignment: new Map() } }, buf, index, 4)))) return body;
  for (const { buf, wide } of won) isChunk({ m }, buf, wide[0]!, 4);
  return less;
}

/** The statements without what never runs. `past`: sums that are not below a size. */
function without(s: Stmt, facts: Multiples, counters: ReadonlySet<number>, past: readonly { readonly a: Expr; readonly b: Expr }[]): Stmt | null {
  if (s.kind !== 'if') return mapChildren(s, (x) => without(x, facts, counters, past));
  if (never(s.cond, facts, counters, past)) return s.else ? without(s.else, facts, counters, past) : null;
  const { cond } = s, beyond = cond.kind === 'cmp' && cond.fn === 'lt' ? [...past, { a: cond.a, b: cond.b }] : past;
  const then = without(s.then, facts, counters, past) ?? block([]), other = s.else && without(s.else, facts, counters, beyond);
  const empty = !other || (other.kind === 'block' && other.body.length === 0);
  const { else: _, ...rest } = s;
  return empty ? { ...rest, then } : { ...rest, then, else: other };
}

function never(e: Expr, facts: Multiples, counters: ReadonlySet<number>, past: readonly { readonly a: Expr; readonly b: Expr }[]): boolean {
  if (e.kind === 'binary' && e.fn === 'and') return never(e.a, facts, counters, past) || never(e.b, facts, counters, past);
  if (e.kind !== 'cmp' || e.fn !== 'lt') return false;
  // Nothing is left over.
  if (e.a.kind === 'var' && counters.has(e.a.id) && e.b.kind === 'binary' && e.b.fn === 'mod' && isConst(e.b.b) && isMultiple(e.b.a, e.b.b.value, facts)) return true;
  // Of the elements of a vector, all are below the size or none.
  const mine = offsetOf(e.a);
  return past.some(({ a, b }) => { const last = offsetOf(a); return sameExpr(b, e.b) && sameExpr(last.x, mine.x) && last.n === 3 && mine.n >= 0 && isMultiple(last.x, 4, facts) && isMultiple(b, 4, facts); });
}
const offsetOf = (e: Expr): { readonly x: Expr; readonly n: number } => (e.kind === 'binary' && e.fn === 'add' && isConst(e.b) ? { x: e.a, n: e.b.value } : { x: e, n: 0 });

/** Is a value a multiple of n, whatever its variables are? */
function isMultiple(e: Expr, n: number, facts: Multiples): boolean {
  if (e.kind === 'const') return e.value % n === 0;
  if (e.kind === 'size') return (facts.get(e.name) ?? 1) % n === 0;
  if (e.kind !== 'binary') return false;
  const a = isMultiple(e.a, n, facts), b = isMultiple(e.b, n, facts);
  return e.fn === 'mul' ? a || b : e.fn === 'add' || e.fn === 'sub' || e.fn === 'min' || e.fn === 'max' ? a && b : e.fn === 'mod' ? a && b : false;
}
