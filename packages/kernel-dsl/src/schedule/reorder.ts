import { DslError } from '../errors/index.ts';
import { usesVar } from '../ir/index.ts';
import type { For, If, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { dependence, onlyAccumulates } from './depend.ts';
import { findLoop, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/** The nest of loops in a new order, outermost first. Guards between them move to the innermost place. */
export function reorder(st: State, order: readonly Axis[], at: At): void {
  const names = order.map((a) => a.name).join(', ');
  const ids = new Set(order.map((a) => a.v.id));
  const found = order.map((a) => findLoop(st, a, at));
  const top = found.reduce((a, b) => (b.path.length < a.path.length ? b : a)).loop;
  const loops: For[] = [], guards: If[] = [];
  let s: Stmt = top;
  while (loops.length < order.length) {
    if (s.kind === 'for' && ids.has(s.v.id)) { loops.push(s); s = s.body; }
    else if (s.kind === 'if' && !s.else) { guards.push(s); s = s.then; }
    else throw new DslError('KD-S-ORDER', { axes: names, why: s.kind === 'for' ? `${s.v.name} lies between them` : 'statements lie between them' }, at);
  }
  let body = s;
  for (let i = guards.length - 1; i >= 0; i--) body = { ...guards[i]!, then: body };
  const rank = new Map(order.map((a, i) => [a.v.id, i]));
  for (const [i, a] of loops.entries()) {
    for (const b of loops.slice(i + 1)) {
      if (usesVar(b.extent, a.v) && rank.get(b.v.id)! < rank.get(a.v.id)!) throw new DslError('KD-S-DEPENDS', { axis: b.v.name, other: b.v.name }, at);
      if (rank.get(b.v.id)! > rank.get(a.v.id)!) continue;
      const why = dependence(a) === undefined ? undefined : dependence(b);
      if (why === undefined) continue;
      if (!onlyAccumulates(a)) throw new DslError('KD-S-CARRIED', { verb: 'reorder', axis: `${a.v.name}, ${b.v.name}`, why }, at);
      st.reassociates = true;
    }
  }
  const byId = new Map(loops.map((l) => [l.v.id, l]));
  for (let i = order.length - 1; i >= 0; i--) body = { ...byId.get(order[i]!.v.id)!, body };
  setBody(st, replaceStmt(st.ir.body, top, body));
}
