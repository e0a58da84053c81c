import { DslError } from '../errors/index.ts';
import { isConst } from '../ir/index.ts';
import type { For, If, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { dependence } from './depend.ts';
import { readsMemory } from './lane-access.ts';
import { findLoop } from './state.ts';
import type { At, State } from './state.ts';

/** Loops directly in each other, the conditions between them, and what stands inside. */
export interface Nest { readonly outer: For; readonly loops: readonly For[]; readonly guards: readonly If[]; readonly body: Stmt }

/**
 * The nest of some loops, outermost first, each of which can run once for every statement inside: sequential, of constant extent, iterations independent, no condition
 * between them that reads memory.
 */
export function nestOf(st: State, verb: string, order: readonly Axis[], at: At, refuse: (why: string) => never): Nest {
  if (order.length === 0) return refuse('no loops are given');
  const outer = order.map((a) => findLoop(st, a, at))[0]!.loop, loops: For[] = [], guards: If[] = [];
  let body: Stmt = outer;
  for (; ; ) {
    if (body.kind === 'for' && order.some((a) => a.v.id === (body as For).v.id)) { loops.push(body); body = body.body; }
    else if (body.kind === 'if' && !body.else) { guards.push(body); body = body.then; }
    else if (body.kind === 'region') body = body.body;
    else break;
  }
  if (loops.length !== order.length) return refuse('they are not one nest');
  for (const l of loops) {
    if (l.loop !== 'seq') return refuse(`${l.v.name} is ${l.loop}`);
    if (!isConst(l.extent)) return refuse(`the extent of ${l.v.name} is no constant: split it first`);
    const why = dependence(l);
    if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb, axis: l.v.name, why }, at);
  }
  if (guards.some((g) => readsMemory(g.cond))) return refuse('a condition around it reads memory');
  return { outer, loops, guards, body };
}
