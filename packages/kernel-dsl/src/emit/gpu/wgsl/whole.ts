import type { Buffer, Expr, Stmt } from '../../../ir/index.ts';
import { block, isConst, mapChildren, sameExpr, visitStmt } from '../../../ir/index.ts';
import { Namer } from '../../names.ts';
import { formsOf } from './forms.ts';
import type { ModuleState } from './frame.ts';

/** Sizes that are multiples of 4, and counters, which are not negative. */
interface Known { readonly sizes: ReadonlySet<string>; readonly counters: ReadonlySet<number> }

/**
 * WGSL has one element type for a binding: a tensor that is stored in vectors here and element by element there is one of elements. So where nothing but what is left over at the ends of rows keeps a tensor
 * from being one of vectors, and calls whose rows are whole vectors leave nothing over, the text is for those calls: the module says so, and others take the text without wide accesses.
 */
export function wholeRows(m: ModuleState, body: Stmt): Stmt {
  const wide = new Map<string, Buffer>(), counters = new Set<number>();
  visitStmt(body, (s) => {
    if (s.kind === 'for') counters.add(s.v.id);
    if (s.kind === 'store' && s.value.lanes === 4 && s.buf.space === 'param') wide.set(s.buf.name, s.buf);
  });
  const sizes = new Set([...wide.values()].map((b) => { const n = b.shape.at(-1); return n?.kind === 'size' ? n.name : ''; }));
  const vectors = (s: Stmt): number => [...formsOf({ ...m, alignment: new Map() }, s, new Namer([])).values()].filter((x) => x.quad && wide.has(x.buf.name)).length;
  const less = without(body, { sizes, counters });
  if (vectors(less) === vectors(body)) return body;
  for (const name of wide.keys()) m.alignment.set(name, { elements: 4, dims: m.alignment.get(name)?.dims ?? new Set(), whole: true });
  return less;
}

/** The statements without what never runs. `past`: what is not below a size. */
function without(s: Stmt, known: Known, past: readonly (readonly [Expr, Expr])[] = []): Stmt {
  if (s.kind !== 'if') return mapChildren(s, (x) => without(x, known, past));
  const { cond, else: other, ...rest } = s;
  if (never(cond, known, past)) return other ? without(other, known, past) : block([]);
  const below = cond.kind === 'cmp' && cond.fn === 'lt' ? [...past, [cond.a, cond.b] as const] : past;
  return { ...rest, cond, then: without(s.then, known, past), ...(other && { else: without(other, known, below) }) };
}

function never(e: Expr, known: Known, past: readonly (readonly [Expr, Expr])[]): boolean {
  if (e.kind !== 'cmp' || e.fn !== 'lt') return false;
  const { a, b } = e, [x, n] = parts(a);
  // Nothing is left over; and of the elements of a vector, all are below the size or none.
  return (a.kind === 'var' && known.counters.has(a.id) && b.kind === 'binary' && b.fn === 'mod' && isConst(b.b, 4) && isMultiple(b.a, known))
    || (isMultiple(x, known) && isMultiple(b, known) && n >= 0 && past.some(([last, size]) => { const [y, most] = parts(last); return most === 3 && sameExpr(size, b) && sameExpr(x, y); }));
}
const parts = (e: Expr): readonly [Expr, number] => (e.kind === 'binary' && e.fn === 'add' && isConst(e.b) ? [e.a, e.b.value] : [e, 0]);

/** Is a value a multiple of 4, whatever its variables are? */
function isMultiple(e: Expr, known: Known): boolean {
  if (e.kind === 'const') return e.value % 4 === 0;
  if (e.kind === 'size') return known.sizes.has(e.name);
  if (e.kind !== 'binary') return false;
  const a = isMultiple(e.a, known), b = isMultiple(e.b, known);
  return e.fn === 'mul' ? a || b : e.fn !== 'div' && e.fn !== 'shr' && a && b;
}
