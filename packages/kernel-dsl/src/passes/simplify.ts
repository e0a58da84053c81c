import { buffersOf, constant, exprKey, isConst, mapChildren, mapOwnExprs, mapStmt, operands, visitExprs } from '../ir/index.ts';
import type { Expr, For, If, KernelIR, Let, Stmt } from '../ir/index.ts';
import { simplifyExpr } from './affine.ts';
import type { Facts } from './affine.ts';
import { rangeOf } from './range.ts';
import type { Range } from './range.ts';

/**
 * Tidies a kernel without changing a result: index arithmetic is folded and collected (see simplifyExpr), guards and loops with one outcome
 * are replaced by it, names for constants and other names vanish, and so does what nothing uses. Assumptions stay: they are numbered.
 */
export const simplify = (k: KernelIR): KernelIR => ({ ...k, body: dropUnused(visit(k.body, new Known()) ?? empty()) });

const empty = (): Stmt => ({ kind: 'block', body: [] });

/** Facts collected on the way down. Variables are unique, so what is known of one stays true; conditions hold within their branch. */
class Known implements Facts {
  private readonly ranges = new Map<number, Range>();
  private readonly extents = new Map<number, readonly Expr[]>();
  private readonly values = new Map<number, Expr>();
  private readonly conditions: string[] = [];

  range(id: number): Range | undefined { return this.ranges.get(id); }
  below(id: number): readonly Expr[] { return this.extents.get(id) ?? []; }
  value(id: number): Expr | undefined { return this.values.get(id); }
  holds(key: string): boolean { return this.conditions.includes(key); }

  replace(id: number, e: Expr): void { this.values.set(id, e); }
  loop(id: number, extent: Expr): void {
    this.extents.set(id, extent.kind === 'binary' && extent.fn === 'min' ? [extent.a, extent.b] : [extent]);
    this.ranges.set(id, { lo: 0, hi: this.rangeOf(extent).hi - 1 });
  }
  name(id: number, value: Expr): void { if (value.dtype === 'i64' && value.lanes === 1) this.ranges.set(id, this.rangeOf(value)); }
  rangeOf(e: Expr): Range { return rangeOf(e, (id) => this.range(id)); }

  /** Runs f knowing that `cond` holds. */
  under<T>(cond: Expr, f: () => T): T {
    const before = this.conditions.length;
    this.conditions.push(...conjuncts(cond).map(exprKey));
    try { return f(); } finally { this.conditions.length = before; }
  }
}

const conjuncts = (cond: Expr): readonly Expr[] =>
  cond.kind === 'binary' && cond.dtype === 'bool' && cond.fn === 'and' ? [...conjuncts(cond.a), ...conjuncts(cond.b)] : [cond];

const isEmpty = (s: Stmt | null): boolean => s === null || (s.kind === 'block' && s.body.length === 0);

function visit(s: Stmt, known: Known): Stmt | null {
  switch (s.kind) {
    case 'block': {
      const b = mapChildren(s, (x) => visit(x, known));
      return isEmpty(b) ? null : b;
    }
    case 'for': return visitFor(s, known);
    case 'while': {
      const max = simplifyExpr(s.max, known);
      known.loop(s.v.id, max);
      return { ...s, max, cond: simplifyExpr(s.cond, known), body: visit(s.body, known) ?? empty() };
    }
    case 'if': return visitIf(s, known);
    case 'let': return visitLet(s, known);
    case 'region': {
      const body = visit(s.body, known);
      return isEmpty(body) ? null : { ...s, body: body! };
    }
    default: return mapOwnExprs(s, (e) => simplifyExpr(e, known));
  }
}

function visitFor(s: For, known: Known): Stmt | null {
  const extent = simplifyExpr(s.extent, known), { hi } = known.rangeOf(extent);
  if (hi <= 0) return null;
  // A GPU loop of one iteration still places its body on a thread.
  if (isConst(extent, 1) && !s.loop.includes('.')) {
    known.replace(s.v.id, constant(0));
    return visit(s.body, known);
  }
  known.loop(s.v.id, extent);
  const body = visit(s.body, known);
  return isEmpty(body) ? null : { ...s, extent, body: body! };
}

function visitIf(s: If, known: Known): Stmt | null {
  const cond = simplifyExpr(s.cond, known);
  if (isConst(cond)) return cond.value ? visit(s.then, known) : s.else ? visit(s.else, known) : null;
  // What a condition read may be overwritten in its branch: only conditions on indices are remembered.
  const then = readsMemory(cond) ? visit(s.then, known) : known.under(cond, () => visit(s.then, known));
  const els = s.else && visit(s.else, known);
  if (isEmpty(then) && (!els || isEmpty(els))) return null;
  return { ...s, cond, then: then ?? empty(), else: els && !isEmpty(els) ? els : undefined };
}

const readsMemory = (e: Expr): boolean => e.kind === 'load' || operands(e).some(readsMemory);

function visitLet(s: Let, known: Known): Stmt | null {
  const value = simplifyExpr(s.value, known);
  if (value.kind === 'const' || value.kind === 'var' || value.kind === 'size' || value.kind === 'scalar') {
    known.replace(s.v.id, value);
    return null;
  }
  known.name(s.v.id, value);
  return { ...s, value };
}

/** Removes Lets and Allocs that nothing refers to, until none is left. */
function dropUnused(s: Stmt): Stmt {
  const used = new Set<number>(), touched = buffersOf(s);
  visitExprs(s, (e) => { if (e.kind === 'var') used.add(e.id); });
  let dropped = false;
  const out = mapStmt(s, (x) => {
    const unused = (x.kind === 'let' && !used.has(x.v.id)) || (x.kind === 'alloc' && !touched.has(x.buf.id));
    dropped ||= unused;
    return unused ? null : x;
  });
  return dropped ? dropUnused(out ?? empty()) : s;
}
