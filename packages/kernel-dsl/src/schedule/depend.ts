import { add, affine, binary, constant, exprKey, isConst, operands, printExpr, sameExpr, upperBound, visitExprs, visitStmt } from '../ir/index.ts';
import type { Expr, For, Stmt } from '../ir/index.ts';

/**
 * Why two iterations of a loop could touch the same element, or undefined where they provably do not.
 * For every tensor written in the loop there must be a dimension that tells iterations apart: all uses advance by the same
 * coefficient of the loop's variable, and what the loops inside add spans less than that coefficient. Uses that lie whole multiples of the loop's
 * extent apart are apart too: n, n + N, n + 2 N for n below N.
 */
export function dependence(loop: For): string | undefined {
  if (isConst(loop.extent) && loop.extent.value <= 1) return undefined; // there are no two
  const pair = fusedPair(loop);
  if (pair) return dependence(pair.outer) ?? dependence(pair.inner);
  const own = new Set<number>(), written = new Set<number>();
  const inner = new Map<number, number | undefined>();
  visitStmt(loop.body, (s) => {
    if (s.kind === 'alloc') own.add(s.buf.id);
    if (s.kind === 'for') inner.set(s.v.id, upperBound(s.extent));
    if (s.kind === 'let' || s.kind === 'while') inner.set(s.v.id, undefined);
    if (s.kind === 'atomic' && s.old) inner.set(s.old.id, undefined);
    if (s.kind === 'store' || s.kind === 'accum') written.add(s.buf.id);
  });
  // Atomic updates of a cell do not disturb each other, but anything else that touches it.
  visitStmt(loop.body, (s) => {
    if (s.kind !== 'atomic') return;
    const { id } = s.buf;
    visitExprs(loop.body, (e) => { if (e.kind === 'load' && e.buf.id === id) written.add(id); });
  });
  const uses = new Map<number, { name: string; index: readonly (readonly Expr[])[] }>();
  const note = (buf: { id: number; name: string }, index: readonly Expr[]): void => {
    if (own.has(buf.id) || !written.has(buf.id)) return;
    uses.set(buf.id, { name: buf.name, index: [...(uses.get(buf.id)?.index ?? []), index] });
  };
  visitStmt(loop.body, (s) => {
    if (s.kind === 'store' || s.kind === 'accum' || s.kind === 'atomic') note(s.buf, s.index);
    // A store to a packed tensor writes the next element too.
    if (s.kind === 'store' && s.buf.packed) note(s.buf, s.index.map((e, d) => (d === s.index.length - 1 ? add(e, constant(1)) : e)));
  });
  visitExprs(loop.body, (e) => { if (e.kind === 'load') note(e.buf, e.index); });
  const vars = new Set<number>([loop.v.id, ...inner.keys()]);
  for (const u of uses.values()) {
    const dims = u.index[0]!.map((_, d) => u.index.map((i) => i[d]!));
    if (dims.some((d) => separates(d, loop, vars, inner) || mixedRadix(d, loop, vars, inner))) continue;
    const distinct = [...new Set(u.index.map((i) => `${u.name}[${i.map(printExpr).join(', ')}]`))];
    return `${distinct.join(' and ')} may be the same element in two iterations of ${loop.v.name}`;
  }
  return undefined;
}

/**
 * The two loops that `fuse` made one of, where the names div(e, n) and mod(e, n) stand inside of this loop for an e that differs in each of its
 * iterations: pairs differ, so that one of both loops tells iterations apart.
 */
function fusedPair(loop: For): { readonly outer: For; readonly inner: For } | undefined {
  const inner = new Map<number, number | undefined>();
  let s: Stmt = loop.body;
  while (s.kind === 'for' || (s.kind === 'if' && !s.else)) {
    if (s.kind === 'for') inner.set(s.v.id, upperBound(s.extent));
    s = s.kind === 'for' ? s.body : s.then;
  }
  if (s.kind !== 'block') return undefined;
  const [a, b, ...rest] = s.body;
  if (a?.kind !== 'let' || b?.kind !== 'let' || a.value.kind !== 'binary' || b.value.kind !== 'binary' || a.value.fn !== 'div' || b.value.fn !== 'mod') return undefined;
  const e = a.value.a, n = a.value.b, vars = new Set([loop.v.id, ...inner.keys()]);
  if (!sameExpr(e, b.value.a) || !sameExpr(n, b.value.b) || !separates([e], loop, vars, inner)) return undefined;
  const direct = (x: Expr): boolean => (x.kind === 'var' && vars.has(x.id)) || operands(x).some(direct);
  let other = direct(n);
  for (const x of rest) {
    visitStmt(x, (y) => { if (y.kind === 'store' || y.kind === 'accum') other ||= y.index.some(direct); if (y.kind === 'let') other ||= direct(y.value); });
    visitExprs(x, (y) => { if (y.kind === 'load') other ||= y.index.some(direct); });
  }
  if (other) return undefined;
  const second: For = { ...loop, v: b.v, extent: n, body: { kind: 'block', body: rest } };
  return { outer: { ...loop, v: a.v, extent: binary('div', loop.extent, n), body: second }, inner: second };
}

/**
 * Are the uses one and the same sum of loops, whose coefficients are those of a number system: each larger than all that the smaller ones add up to? Then no two
 * combinations of iterations give one index, wherever in the sum the loop stands.
 */
function mixedRadix(uses: readonly Expr[], loop: For, vars: ReadonlySet<number>, inner: ReadonlyMap<number, number | undefined>): boolean {
  const [e] = uses, a = e && affine(e, vars), own = upperBound(loop.extent);
  if (!a || !a.terms.has(loop.v.id) || own === undefined || uses.some((u) => !sameExpr(u, e))) return false;
  let reach = 0;
  for (const [id, t] of [...a.terms].sort((x, y) => Math.abs(x[1].coef) - Math.abs(y[1].coef))) {
    const n = id === loop.v.id ? own : inner.get(id);
    if (n === undefined || Math.abs(t.coef) <= reach) return false;
    reach += Math.abs(t.coef) * Math.max(0, n - 1);
  }
  return true;
}

/** Do these uses of one dimension differ between any two iterations of the loop? */
function separates(uses: readonly Expr[], loop: For, vars: ReadonlySet<number>, inner: ReadonlyMap<number, number | undefined>): boolean {
  const v = loop.v.id, rests = new Set<string>();
  let coef: number | undefined, lo = Infinity, hi = -Infinity, multiples = true;
  for (const e of uses) {
    const a = affine(e, vars);
    const c = a?.terms.get(v)?.coef;
    if (!a || c === undefined || c !== (coef ?? c)) return false;
    coef = c;
    rests.add(exprKey(a.rest));
    multiples &&= isMultiple(a.rest, loop.extent);
    let least = a.offset, most = a.offset;
    for (const [id, t] of a.terms) {
      if (id === v) continue;
      const n = inner.get(id);
      if (n === undefined) return false;
      if (t.coef > 0) most += t.coef * (n - 1);
      else least += t.coef * (n - 1);
    }
    lo = Math.min(lo, least);
    hi = Math.max(hi, most);
  }
  const span = coef === undefined || rests.size === 1 ? coef : coef === 1 && multiples ? 1 : undefined;
  return span !== undefined && hi - lo < Math.abs(span);
}

/** Is e the n-fold of a loop's extent, n a constant? */
const isMultiple = (e: Expr, extent: Expr): boolean =>
  isConst(e, 0) || sameExpr(e, extent) || (e.kind === 'binary' && e.fn === 'mul' && ((isConst(e.a) && sameExpr(e.b, extent)) || (isConst(e.b) && sameExpr(e.a, extent))));

/** Are all writes of a loop accumulations with one operator, so that its iterations may run in any order up to rounding? */
export function onlyAccumulates(loop: For): boolean {
  const fns = new Set<string>();
  const own = new Set<number>();
  visitStmt(loop.body, (s) => {
    if (s.kind === 'alloc') own.add(s.buf.id);
    if (s.kind === 'accum' && !own.has(s.buf.id)) fns.add(s.fn);
    if ((s.kind === 'store' || s.kind === 'atomic') && !own.has(s.buf.id)) fns.add('store');
  });
  return fns.size === 1 && !fns.has('store');
}
