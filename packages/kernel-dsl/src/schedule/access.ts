import { exprsOf, operands, unary } from '../ir/index.ts';
import type { Buffer, Expr, For, Load, Stmt } from '../ir/index.ts';

/** One use of a buffer under a loop, with the loops and the conditions around it. */
export interface Access {
  readonly kind: 'load' | 'store' | 'accum';
  readonly index: readonly Expr[];
  readonly loops: readonly For[];
  readonly guards: readonly Expr[];
  /** Those of the guards that tell padding. */
  readonly pads: readonly Expr[];
  readonly stmt: Stmt;
  /** For loads: the load and the expressions around it, innermost first. */
  readonly chain: readonly Expr[];
}

/** Every use of a buffer under a statement. */
export function accesses(body: Stmt, buf: Buffer): Access[] {
  const out: Access[] = [];
  const padding = new Set<Expr>(), pads = (guards: readonly Expr[]): readonly Expr[] => guards.filter((g) => padding.has(g));
  const inExpr = (e: Expr, up: readonly Expr[], s: Stmt, loops: readonly For[], guards: readonly Expr[]): void => {
    if (e.kind === 'load' && e.buf.id === buf.id) out.push({ kind: 'load', index: e.index, loops, guards, pads: pads(guards), stmt: s, chain: [e, ...up] });
    for (const x of operands(e)) inExpr(x, [e, ...up], s, loops, guards);
  };
  const go = (s: Stmt, loops: readonly For[], guards: readonly Expr[]): void => {
    for (const e of exprsOf(s)) inExpr(e, [], s, loops, guards);
    if ((s.kind === 'store' || s.kind === 'accum') && s.buf.id === buf.id) out.push({ kind: s.kind, index: s.index, loops, guards, pads: pads(guards), stmt: s, chain: [] });
    if (s.kind === 'atomic' && s.buf.id === buf.id) out.push({ kind: 'store', index: s.index, loops, guards, pads: pads(guards), stmt: s, chain: [] });
    if (s.kind === 'block') for (const c of s.body) go(c, loops, guards);
    else if (s.kind === 'region' || s.kind === 'while') go(s.body, loops, guards);
    else if (s.kind === 'instr' && s.body) go(s.body, loops, guards);
    else if (s.kind === 'for') go(s.body, [...loops, s], guards);
    else if (s.kind === 'if') {
      if (s.pad) padding.add(s.cond);
      go(s.then, loops, [...guards, s.cond]);
      if (s.else) go(s.else, loops, [...guards, unary('not', s.cond)]);
    }
  };
  go(body, [], []);
  return out;
}

/** The largest expression around a load that holds nothing else but scalars and constants: what can be packed in its place. */
export function foldable(chain: readonly Expr[]): Expr {
  const constantBut = (e: Expr, inner: Expr): boolean =>
    operands(e).every((x) => x === inner || x.kind === 'const' || x.kind === 'scalar') && e.kind !== 'load' && e.kind !== 'reduce';
  let at: Expr = chain[0]! as Load;
  for (const up of chain.slice(1)) {
    if (!constantBut(up, at)) break;
    at = up;
  }
  return at;
}
