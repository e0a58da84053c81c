import { DslError } from '../errors/index.ts';
import { boundBy, childrenOf, mapChildren, newBuffer, newVar, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, If, KernelIR, Loc, Stmt, Var } from '../ir/index.ts';
import { mapOwnExprs, mapExpr } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import type { Target } from '../targets/index.ts';

/** What a schedule works on: the program so far and what became of the axes. */
export interface State {
  ir: KernelIR;
  readonly target: Target;
  /** Axes that a step took away, with what replaced them. */
  readonly consumed: Map<number, string>;
  /** Copy loops that staging made for an axis: they are unrolled and vectorised with it. */
  readonly twins: Map<number, Var[]>;
  /** Does any step change the order in which numbers are added up? */
  reassociates: boolean;
}

/** Where an error of a step points, and what it is called. */
export interface At { readonly loc: Loc | undefined; readonly step: string }

/** The loop of an axis with everything around it, outermost first. */
export interface Found { readonly loop: For; readonly path: readonly Stmt[] }

export function findVar(body: Stmt, id: number): Found | undefined {
  const path: Stmt[] = [];
  const go = (s: Stmt): Found | undefined => {
    if (s.kind === 'for' && s.v.id === id) return { loop: s, path: [...path] };
    path.push(s);
    for (const c of childrenOf(s)) {
      const f = go(c);
      if (f) return f;
    }
    path.pop();
    return undefined;
  };
  return go(body);
}

/** The loop of an axis; an error that says what happened to it where there is none. */
export function findLoop(st: State, axis: Axis, at: At): Found {
  const f = findVar(st.ir.body, axis.v.id);
  if (f) return f;
  const how = st.consumed.get(axis.v.id);
  if (how) throw new DslError('KD-S-CONSUMED', { axis: axis.name, how }, at);
  throw new DslError('KD-S-UNKNOWN', { what: `axis ${axis.name}` }, at);
}

/** The program with one statement replaced (by identity). */
export function replaceStmt(body: Stmt, old: Stmt, by: Stmt): Stmt {
  const go = (s: Stmt): Stmt => (s === old ? by : mapChildren(s, go));
  return go(body);
}

export const setBody = (st: State, body: Stmt): void => { st.ir = { ...st.ir, body }; };

/** A copy in which every variable and buffer bound inside is new: two copies can stand in one program. */
export function refresh(s: Stmt): Stmt {
  const vars = new Map<number, Var>(), bufs = new Map<number, Buffer>();
  visitStmt(s, (x) => {
    const v = boundBy(x);
    if (v) vars.set(v.id, newVar(v.name, v.dtype, v.lanes, v.loc));
    if (x.kind === 'alloc') bufs.set(x.buf.id, newBuffer({ ...x.buf }));
  });
  const expr = (e: Expr): Expr => mapExpr(e, (x) => {
    if (x.kind === 'var') return vars.get(x.id) ?? x;
    if (x.kind === 'load') { const b = bufs.get(x.buf.id); return b ? { ...x, buf: b } : x; }
    return x;
  });
  const go = (x: Stmt): Stmt => {
    const y = mapOwnExprs(mapChildren(x, go), expr);
    if (y.kind === 'for' || y.kind === 'while' || y.kind === 'let') return { ...y, v: vars.get(y.v.id) ?? y.v };
    if (y.kind === 'atomic') return { ...y, buf: bufs.get(y.buf.id) ?? y.buf, ...(y.old && { old: vars.get(y.old.id) ?? y.old }) };
    if (y.kind === 'alloc' || y.kind === 'store' || y.kind === 'accum') return { ...y, buf: bufs.get(y.buf.id) ?? y.buf };
    return y;
  };
  return go(s);
}

/** The statements between a loop and an inner statement: loops and guards in order. */
export function nestBetween(path: readonly Stmt[], from: For): { loops: For[]; guards: If[] } {
  const inner = path.slice(path.indexOf(from) + 1);
  return { loops: inner.filter((s): s is For => s.kind === 'for'), guards: inner.filter((s): s is If => s.kind === 'if') };
}
