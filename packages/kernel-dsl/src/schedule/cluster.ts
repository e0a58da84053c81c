import { DslError } from '../errors/index.ts';
import { dependsOn, differs, isConst, visitStmt } from '../ir/index.ts';
import type { Expr, For, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { findLoop, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/** The workgroups of a block loop run as one cluster, and bring tiles of rings that are the same for all of them together. No bit changes. */
export function cluster(st: State, axis: Axis, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-CLUSTER', { axis: axis.name, why }, at); };
  if (!st.target.features.includes('cluster')) throw new DslError('KD-S-NEEDS', { name: 'clusters', missing: 'cluster', isa: st.target.isa }, at);
  const { loop, path } = findLoop(st, axis, at), n = isConst(loop.extent) ? loop.extent.value : 0, { v } = loop;
  if (!loop.loop.startsWith('block.')) return refuse('it is not bound to workgroups');
  if (![2, 4, 8].includes(n)) return refuse(n ? `it has ${n} iterations` : 'the number of its iterations is not constant');
  if ([loop, ...path].some((s) => s.kind === 'for' && s.cluster)) return refuse('its workgroups are a cluster, or part of one, already');
  let teams = false;
  visitStmt(loop.body, (s) => { teams ||= s.kind === 'for' && s.loop === 'team.warpgroup'; });
  if (!teams) return refuse('no warpgroups are inside of it');
  const rings = ringsIn(loop.body), same = rings.flatMap(({ copies }) => copies.filter((c) => !differs(c, loop)));
  for (const { ring, around } of rings) for (const e of [ring.extent, ...around]) if (dependsOn(e, loop)) return refuse(`how often ${ring.v.name} runs depends on it: its workgroups could not go in step`);
  if (same.length === 0) return refuse(rings.length ? `each tile of a ring depends on ${v.name}` : 'no ring is inside of it');
  for (const c of same) {
    let rows = 0;
    visitStmt(c, (s) => { if (s.kind === 'store') { const r = s.buf.shape.at(-2)!; rows = isConst(r) ? r.value : 0; } });
    if (rows % (8 * n) !== 0) return refuse(`a tile of ${rows} rows is not cut into ${n} parts of a multiple of 8 rows`);
  }
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, cluster: true }));
}

interface Found { readonly ring: For; readonly copies: readonly Stmt[]; readonly around: readonly Expr[] }

/** The rings inside of a statement: their bulk copies, and what decides whether and how often they run. */
function ringsIn(s: Stmt, around: readonly Expr[] = []): readonly Found[] {
  switch (s.kind) {
    case 'block': return s.body.flatMap((c) => ringsIn(c, around));
    case 'region': return ringsIn(s.body, around);
    case 'if': return [s.then, ...(s.else ? [s.else] : [])].flatMap((c) => ringsIn(c, [...around, s.cond]));
    case 'for': return [
      ...(s.ring ? [{ ring: s, copies: (s.body.kind === 'block' ? s.body.body : [s.body]).filter((c) => c.kind === 'instr' && c.def.name === 'copy_tile'), around }] : []),
      ...ringsIn(s.body, [...around, s.extent]),
    ];
    default: return [];
  }
}
