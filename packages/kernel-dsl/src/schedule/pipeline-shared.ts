import { add, binary, block, compare, constant, mapChildren, newBuffer, substitute } from '../ir/index.ts';
import type { Buffer, Expr, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { sharedCopies } from './prefetch.ts';
import { inSlot } from './slot.ts';
import { refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * The pipeline of a workgroup: its lanes copy tiles into shared memory `stages` - 1 iterations before they use them. One barrier an iteration says both that the
 * iteration's tile is there and that the one before has been used, so that the next copies may take its place.
 */
export function pipelineShared(st: State, axis: Axis, stages: number, at: At, refuse: (why: string) => never): void {
  const { loop, names, copies, filled, rest } = sharedCopies(st, axis, at, refuse), origin = { loc: at.loc, step: at.step }, n = constant(stages);
  const wide = new Map([...filled.values()].map((b): [number, Buffer] => [b.id, newBuffer({ ...b, shape: [n, ...b.shape] })])), slot = (i: Expr): Expr => binary('mod', i, n);
  const copyOf = (i: Expr): Stmt => ({
    kind: 'region', name: 'copies ahead', ahead: true, ...origin,
    body: { kind: 'if', cond: compare('lt', i, loop.extent), then: inSlot(refresh(substitute(block([...names, ...copies]), new Map([[loop.v.id, i]]))), wide, slot(i)), ...origin },
  });
  const start = Array.from({ length: stages - 1 }, (_, i) => copyOf(constant(i)));
  const body = block([
    { kind: 'barrier', scope: 'workgroup', groups: stages - 2, ...origin },
    copyOf(add(loop.v, constant(stages - 1))),
    ...rest.map((s) => inSlot(s, wide, slot(loop.v))),
  ]);
  const allocs = (s: Stmt): Stmt => (s.kind === 'alloc' && wide.has(s.buf.id) ? { ...s, buf: wide.get(s.buf.id)! } : mapChildren(s, allocs));
  setBody(st, allocs(replaceStmt(st.ir.body, loop, block([...start, { ...loop, body }]))));
  for (const b of wide.values()) st.filled.add(b.id);
}
