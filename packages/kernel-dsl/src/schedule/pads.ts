import { DslError } from '../errors/index.ts';
import { affine, buffersOf, isConst, isFloat, mapStmt, usesVar, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, If, Load, Stmt, Var } from '../ir/index.ts';
import type { At, State } from './state.ts';

/**
 * Removes the guards of padded tails: legal once everything that the padded loops touch is a staged copy, which holds zeros where nothing is.
 * A tensor that is still reached directly, a copy that was made before the loop was split, or a sum over padded iterations whose terms are not zero
 * is an error that names what to stage.
 */
export function resolvePads(st: State, at: At): void {
  const loops = new Set<number>(), once = new Set<number>();
  // What a padded loop writes holds more than zeros where nothing is.
  const written = new Set<number>();
  visitStmt(st.ir.body, (s) => {
    if (s.kind === 'for') loops.add(s.v.id);
    if (s.kind === 'for' && isConst(s.extent, 1)) once.add(s.v.id);
    if (s.kind === 'if' && s.pad) for (const b of buffersOf(s.then).values()) if (b.writes > 0) written.add(b.buf.id);
  });
  const copies = registerCopies(st.ir.body);
  const check = (s: If): void => {
    const { inner, outer } = paddedVars(s.cond, loops, once);
    const touches = (index: readonly Expr[]): boolean => index.some((e) => inner.some((v) => usesVar(e, v)));
    // A copy made for the padded loops has a dimension for them; in one that was made before, both parts of the split loop meet in one index.
    const older = (index: readonly Expr[]): boolean => index.some((e) => inner.some((v) => usesVar(e, v)) && outer.some((v) => usesVar(e, v)));
    const fail = (buf: Buffer): never => { throw new DslError('KD-S-PAD', { axis: inner.map((v) => v.name).join(', '), name: buf.name }, { ...at, loc: s.loc ?? at.loc }); };
    visitExprs(s.then, (e) => { if (e.kind === 'load' && touches(e.index) && (e.buf.space === 'param' || older(e.index))) fail(e.buf); });
    // A register that is filled once inside of the padded loop holds what it was filled with.
    const zero = (l: Load): boolean => {
      const copy = copies.get(l.buf.id);
      return !written.has(l.buf.id) && (touches(l.index) || (copy !== undefined && isZero(copy, zero)));
    };
    visitStmt(s.then, (x) => {
      if (x.kind !== 'store' && x.kind !== 'accum') return;
      if (touches(x.index)) { if (x.buf.space === 'param' || older(x.index)) fail(x.buf); return; }
      if (x.kind !== 'accum' || x.fn !== 'add' || !isZero(x.value, zero)) fail(x.buf);
      if (isFloat(x.buf.dtype)) st.reassociates = true; // -0 + 0 is 0
    });
  };
  let padded = false;
  const body = mapStmt(st.ir.body, (s: Stmt): Stmt => {
    if (s.kind !== 'if' || !s.pad) return s;
    check(s);
    padded = true;
    return s.then;
  });
  if (body && padded) st.ir = { ...st.ir, body };
}

/** What each register holds that one statement fills, not adds to: the value of that store, in which the loops around both have the same iteration. */
function registerCopies(body: Stmt): ReadonlyMap<number, Expr> {
  const stores = new Map<number, Expr | undefined>(), regs = new Set<number>();
  visitStmt(body, (s) => {
    if (s.kind === 'alloc' && s.buf.space === 'reg') regs.add(s.buf.id);
    if (s.kind === 'store') stores.set(s.buf.id, stores.has(s.buf.id) ? undefined : s.value);
    if (s.kind === 'accum' || s.kind === 'atomic') stores.set(s.buf.id, undefined);
  });
  return new Map([...stores].flatMap(([id, value]) => (value && regs.has(id) ? [[id, value] as const] : [])));
}

/** Is it zero, all bits of it, where the copies that it reads hold their padding? Both factors of a float product must be: zero times infinity is not. */
function isZero(e: Expr, padded: (l: Load) => boolean): boolean {
  switch (e.kind) {
    case 'const': return Object.is(e.value, 0);
    case 'load': return padded(e);
    case 'cast': case 'bitcast': return isZero(e.x, padded);
    case 'binary': {
      const a = isZero(e.a, padded), b = isZero(e.b, padded);
      return (e.fn === 'mul' && !isFloat(e.dtype)) || e.fn === 'and' ? a || b : (e.fn === 'mul' || e.fn === 'add' || e.fn === 'or' || e.fn === 'xor') && a && b;
    }
    default: return false;
  }
}

/** The variables of the padded inner loop, all in the index but the outermost one; and that one. Of several that move as far, those that run `once` are at zero. */
function paddedVars(cond: Expr, loops: ReadonlySet<number>, once: ReadonlySet<number>): { readonly inner: readonly Var[]; readonly outer: readonly Var[] } {
  if (cond.kind !== 'cmp') return { inner: [], outer: [] };
  const terms = [...(affine(cond.a, loops)?.terms.values() ?? [])];
  const top = Math.max(...terms.map((t) => Math.abs(t.coef)));
  const inner = terms.filter((t) => Math.abs(t.coef) < top), outer = terms.filter((t) => !inner.includes(t));
  return inner.length > 0 ? { inner: inner.map((t) => t.v), outer: outer.filter((t) => outer.every((x) => once.has(x.v.id)) || !once.has(t.v.id)).map((t) => t.v) } : { inner: terms.map((t) => t.v), outer: [] };
}
