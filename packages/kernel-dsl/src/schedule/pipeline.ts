import { DslError } from '../errors/index.ts';
import { add, binary, block, buffersOf, childrenOf, compare, constant, newBuffer, substitute } from '../ir/index.ts';
import type { Alloc, Buffer, Expr, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { pipelineShared } from './pipeline-shared.ts';
import { placeOf } from './producer.ts';
import { inSlot } from './slot.ts';
import { findLoop, refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * Software pipelining: the copies that a loop's body starts with (what `stage` makes) run `stages` - 1 iterations ahead, into a ring of `stages`
 * copies of their memory, while the rest works on what was copied before. Needs a sequential loop, and sources that it does not write. No bit changes. Copies
 * that the lanes of a workgroup make into shared memory are asynchronous where the target has such copies.
 */
export function pipeline(st: State, axis: Axis, stages: number, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-PIPELINE', { axis: axis.name, stages, why }, at); };
  if (!Number.isInteger(stages) || stages < 2) return refuse('a pipeline has two stages or more');
  const { loop, path } = findLoop(st, axis, at);
  if (loop.loop !== 'seq') return refuse(`it is ${loop.loop}`);
  if (path.some((s) => s.kind === 'for' && s.loop.startsWith('lane.'))) return pipelineShared(st, axis, stages, at, refuse);
  const list = loop.body.kind === 'block' ? loop.body.body : [loop.body], allocs: Alloc[] = [], copies: Stmt[] = [];
  let from = 0;
  for (const [i, s] of list.entries()) {
    if (s.kind === 'alloc' && (s.buf.space === 'pack' || s.buf.space === 'shared')) allocs.push(s);
    else {
      const writes = [...buffersOf(s).values()].filter((b) => b.writes > 0);
      if (s.kind !== 'for' && s.kind !== 'if' && s.kind !== 'store') break;
      if (!copiesOnly(s) || writes.length === 0 || !writes.every((b) => allocs.some((a) => a.buf.id === b.buf.id) && b.reads === 0)) break;
      copies.push(s);
    }
    from = i + 1;
  }
  const ring = allocs.filter((a) => copies.some((s) => buffersOf(s).has(a.buf.id))), rest = list.slice(from);
  if (ring.length === 0) return refuse('its body does not start with copies into memory of its own: stage something at it first');
  for (const s of rest) {
    for (const b of buffersOf(s).values()) {
      if (b.writes === 0) continue;
      if (ring.some((a) => a.buf.id === b.buf.id)) return refuse(`${b.buf.name} is written again${placeOf(s)}`);
      const source = copies.find((c) => buffersOf(c).has(b.buf.id));
      if (source) return refuse(`${b.buf.name}, which is copied${placeOf(source)}, is written in the loop${placeOf(s)}`);
    }
  }
  const origin = { loc: at.loc, step: at.step }, n = constant(stages);
  const wide = new Map(ring.map((a): [number, Buffer] => [a.buf.id, newBuffer({ ...a.buf, shape: [n, ...a.buf.shape] })]));
  const slot = (i: Expr): Expr => binary('mod', i, n);
  const copy = (to: Expr): Stmt => inSlot(refresh(substitute(block(copies), new Map([[loop.v.id, to]]))), wide, slot(to));
  const ahead = add(loop.v, constant(stages - 1));
  const prologue: Stmt[] = Array.from({ length: stages - 1 }, (_, i) => ({ kind: 'if', cond: compare('lt', constant(i), loop.extent), then: copy(constant(i)), ...origin }));
  const body: Stmt[] = [
    ...allocs.filter((a) => !ring.includes(a)),
    { kind: 'if', cond: compare('lt', ahead, loop.extent), then: copy(ahead), ...origin },
    ...rest.map((s) => inSlot(s, wide, slot(loop.v))),
  ];
  setBody(st, replaceStmt(st.ir.body, loop, block([...ring.map((a): Stmt => ({ ...a, buf: wide.get(a.buf.id)! })), ...prologue, { ...loop, body: block(body) }])));
}

const copiesOnly = (s: Stmt): boolean => s.kind !== 'print' && s.kind !== 'atomic' && s.kind !== 'while' && childrenOf(s).every(copiesOnly);
