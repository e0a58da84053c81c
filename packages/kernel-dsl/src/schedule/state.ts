import { DslError } from '../errors/index.ts';
import { childrenOf, mapChildren, renew } from '../ir/index.ts';
import type { For, If, KernelIR, Loc, Stmt, Var } from '../ir/index.ts';
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
  /** Shared memory that a copy fills as a whole, zeros where the tensor ends: all of it may be read. */
  readonly filled: Set<number>;
  /** Memory that is written where lanes share the work of a row: what one writes, others may read. */
  readonly dealt: Set<number>;
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
  let found = false;
  const go = (s: Stmt): Stmt => { if (s !== old) return mapChildren(s, go); found = true; return by; };
  const out = go(body);
  if (!found) throw new Error(`the ${old.kind} that was to be replaced is not part of the program`);
  return out;
}

export const setBody = (st: State, body: Stmt): void => { st.ir = { ...st.ir, body }; };

/** A copy in which every variable and buffer bound inside is new: two copies can stand in one program. */
export const refresh = (s: Stmt): Stmt => renew(s).stmt;

/** The statements between a loop and an inner statement: loops and guards in order. */
export function nestBetween(path: readonly Stmt[], from: For): { loops: For[]; guards: If[] } {
  const inner = path.slice(path.indexOf(from) + 1);
  return { loops: inner.filter((s): s is For => s.kind === 'for'), guards: inner.filter((s): s is If => s.kind === 'if') };
}
