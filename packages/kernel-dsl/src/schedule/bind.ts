import { DslError } from '../errors/index.ts';
import { buffersOf, isConst, isFloat, printExpr, visitStmt } from '../ir/index.ts';
import type { For, LoopKind, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { dependence } from './depend.ts';
import { isLane } from './lane-nest.ts';
import { findLoop, findVar, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/** The places of a grid that a loop may be bound to: workgroups, or the threads (lanes) of one. */
export type GridPlace = Extract<LoopKind, `block.${string}` | `lane.${string}` | `team.${string}`>;

/**
 * The iterations of a loop run on the workgroups of a grid, or on the threads of a workgroup. They must not depend on each other; threads lie
 * inside of workgroups, their number is constant, and no two loops of one nest take the same place.
 */
export function bind(st: State, place: GridPlace, axis: Axis, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-BIND', { axis: axis.name, place, why }, at); };
  if (!/^((block|lane)\.[xyz]|team\.(warpgroup|warp\.[xy]))$/.test(place)) return refuse('there is no such place');
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
  if (place.startsWith('team.')) {
    if (!isConst(loop.extent)) return refuse(`its extent ${printExpr(loop.extent)} is not constant`);
    if (near.some((l) => l.loop.startsWith('lane.'))) return refuse('lanes of a team are not bound one by one');
  }
  for (const v of [axis.v, ...(place.startsWith('team.') ? st.twins.get(axis.v.id) ?? [] : [])]) {
    const one = findVar(st.ir.body, v.id)?.loop;
    if (one === undefined) continue;
    const why = dependence(one);
    if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'bind', axis: axis.name, why }, at);
    // The lanes of a team add up their own shares of a sum, and then these.
    if (place.startsWith('team.')) visitStmt(one.body, (x) => { if (x.kind === 'accum' && (x.fn === 'add' || x.fn === 'mul') && isFloat(x.buf.dtype)) st.reassociates = true; });
    setBody(st, replaceStmt(st.ir.body, one, { ...one, loop: place, step: one.step ?? at.step }));
  }
}

/** The most threads of a workgroup, all directions together. */
const MOST_THREADS = 1024;

/**
 * Checked when a schedule ends, since later steps may move loops: the threads of a workgroup are one nest of loops, each directly in the other, with
 * neither workgroups nor worker threads inside; and no two nests share what one of them writes.
 */
export function checkLanes(st: State, at: At): void {
  const nest = (top: For): void => {
    let body: Stmt = top, threads = 1;
    for (; isLane(body); body = body.body) threads *= isConst(body.extent) ? body.extent.value : Infinity;
    const refuse = (why: string): never => { throw new DslError('KD-S-LANES', { axis: top.v.name, why }, { ...at, loc: top.loc ?? at.loc }); };
    if (threads > MOST_THREADS) refuse(`they are ${Number.isFinite(threads) ? threads : 'of no constant number'}, at most ${MOST_THREADS} can be`);
    visitStmt(body, (s) => { if (s.kind === 'for' && (s.loop === 'parallel' || s.loop.includes('.'))) refuse(`the ${s.loop} loop ${s.v.name} lies inside of them, apart from their nest`); });
  };
  const tops: For[] = [];
  visitStmt(st.ir.body, (s) => { if (!isLane(s)) return; nest(s); tops.push(s); return false; });
  // What one nest of threads writes and another one touches would need a barrier between them, which a schedule does not place.
  for (const [i, a] of tops.entries()) for (const b of tops.slice(i + 1)) {
    const other = buffersOf(b), shared = [...buffersOf(a).values()].find((x) => (x.writes > 0 && other.has(x.buf.id)) || (other.get(x.buf.id)?.writes ?? 0) > 0);
    if (shared) throw new DslError('KD-S-LANES', { axis: a.v.name, why: `those at ${b.v.name} share ${shared.buf.name} with them, and no barrier lies between` }, { ...at, loc: b.loc ?? at.loc });
  }
}

/**
 * Checked when a schedule ends: workgroups inside of a loop that those around them run each for itself do not wait for each other between its iterations, so that
 * theirs must be independent over all of these.
 * @throws DslError KD-S-CARRIED
 */
export function checkBlocks(st: State, at: At): void {
  const rounds = (s: Stmt, inGrid: boolean): void => visitStmt(s, (x) => {
    if (isBlock(x)) { if (x === s) return undefined; rounds(x, true); return false; }
    if (!inGrid || !('body' in x && 'v' in x)) return undefined;
    visitStmt(x.body, (b) => {
      const why = isBlock(b) ? dependence({ ...b, body: replaceStmt(x, b, b.body) }) : undefined;
      if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'bind', axis: (b as For).v.name, why: `its workgroups do not wait for each other in ${x.v.name}: ${why}` }, { ...at, loc: b.loc ?? at.loc, step: b.step ?? at.step });
    });
    return undefined;
  });
  rounds(st.ir.body, isBlock(st.ir.body));
}
const isBlock = (s: Stmt): s is For => s.kind === 'for' && s.loop.startsWith('block.');
