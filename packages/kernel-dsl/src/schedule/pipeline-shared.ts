import { add, binary, block, boundBy, buffersOf, compare, constant, mapChildren, newBuffer, substitute, usesVar, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { sharedCopies } from './prefetch.ts';
import { inSlot } from './slot.ts';
import { refresh, setBody } from './state.ts';
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
  setBody(st, allocs(inFront(st.ir.body, loop, { ...loop, body }, start)));
  for (const b of wide.values()) st.filled.add(b.id);
}

/** The program with `next` in the place of a loop, and copies as early before it in its block as what they read, use and fill allows. */
function inFront(s: Stmt, loop: For, next: For, start: readonly Stmt[]): Stmt {
  const list = s.kind === 'block' ? s.body : [], at = list.indexOf(loop);
  if (at < 0) return s === loop ? block([...start, next]) : mapChildren(s, (c) => inFront(c, loop, next, start));
  const touched = buffersOf(block(start));
  const passes = (x: Stmt): boolean => {
    let free = true;
    visitStmt(x, (y) => {
      const v = boundBy(y);
      if (v) for (const c of start) visitExprs(c, (e) => { free &&= !usesVar(e, v); });
      free &&= y.kind !== 'barrier' && y.kind !== 'instr' && !(y.kind === 'region' && y.ahead) && !(y.kind === 'alloc' && touched.has(y.buf.id));
    });
    return free && [...buffersOf(x).values()].every((b) => !touched.has(b.buf.id) || (b.writes === 0 && touched.get(b.buf.id)!.writes === 0));
  };
  let first = at;
  while (first > 0 && passes(list[first - 1]!)) first--;
  return { ...s, body: [...list.slice(0, first), ...start, ...list.slice(first, at), next, ...list.slice(at + 1)] } as Stmt;
}
