import { DslError } from '../errors/index.ts';
import { isConst, printExpr, visitStmt } from '../ir/index.ts';
import type { For, LoopKind } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { dependence } from './depend.ts';
import { findLoop, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/** The places of a grid that a loop may be bound to: workgroups, or the threads (lanes) of one. */
export type GridPlace = Extract<LoopKind, `block.${string}` | `lane.${string}`>;

/**
 * The iterations of a loop run on the workgroups of a grid, or on the threads of a workgroup. They must not depend on each other; threads lie
 * inside of workgroups, their number is constant, and no two loops of one nest take the same place.
 */
export function bind(st: State, place: GridPlace, axis: Axis, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-BIND', { axis: axis.name, place, why }, at); };
  const { loop, path } = findLoop(st, axis, at);
  if (loop.loop !== 'seq') return refuse(`it is ${loop.loop} already`);
  const near: For[] = path.filter((s): s is For => s.kind === 'for'), around = near.length;
  visitStmt(loop.body, (s) => { if (s.kind === 'for') near.push(s); });
  for (const [i, l] of near.entries()) {
    const outside = i < around;
    if (l.loop === place) return refuse(`${l.v.name} ${outside ? 'around' : 'inside of'} it is bound there`);
    if (l.loop === 'parallel' || (l.loop === 'vector' && outside)) return refuse(`${l.v.name} ${outside ? 'around' : 'inside of'} it is ${l.loop}`);
    if (place.startsWith('block.') && outside && l.loop.startsWith('lane.')) return refuse(`${l.v.name} around it is bound to ${l.loop}: threads lie inside of workgroups`);
    if (place.startsWith('lane.') && !outside && l.loop.startsWith('block.')) return refuse(`${l.v.name} inside of it is bound to ${l.loop}: threads lie inside of workgroups`);
  }
  if (place.startsWith('lane.') && !(isConst(loop.extent) && loop.extent.value <= 1024)) return refuse(`its extent ${printExpr(loop.extent)} is not a constant up to 1024`);
  const why = dependence(loop);
  if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'bind', axis: axis.name, why }, at);
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, loop: place, step: loop.step ?? at.step }));
}
