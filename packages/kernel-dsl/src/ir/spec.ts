import { visitExprs, visitStmt } from './walk.ts';
import type { KernelIR } from './stmt.ts';
import { printStmt } from './print.ts';
import type { LoopKind } from './stmt.ts';

/**
 * What a kernel may contain at each stage.
 * `algorithm`: as traced: scalar, sequential loops. `scheduled`: any loop kind, packs, pads. `lowered`: no unroll or vector loop, no pad, registers named.
 * `lowered-gpu`: lowered, and values are scalar; vectors are whole loads that a name holds, and joined scalars that are stored whole.
 */
export type Phase = 'algorithm' | 'scheduled' | 'lowered' | 'lowered-gpu';

/** Is a loop kind a place on a GPU, which authors may give too? */
export const isBound = (k: LoopKind): boolean => k.startsWith('block.') || k.startsWith('lane.');

/** The first breach of a phase's rules as text, or undefined. Asserted between passes in tests. */
export function specViolation(k: KernelIR, stage: Phase): string | undefined {
  const phase = stage === 'lowered-gpu' ? 'lowered' : stage, scalar = stage === 'lowered-gpu';
  let bad: string | undefined;
  const fail = (why: string): void => { bad ??= why; };
  const bound = new Set<number>();
  visitStmt(k.body, (s) => {
    if (s.kind === 'for') {
      if (phase === 'algorithm' && s.loop !== 'seq' && !isBound(s.loop)) fail(`loop ${s.v.name} is ${s.loop} before any schedule`);
      if (phase === 'lowered' && (s.loop === 'unroll' || s.loop === 'vector')) fail(`loop ${s.v.name} is still ${s.loop}`);
      if (bound.has(s.v.id)) fail(`two loops bind ${s.v.name}`);
      bound.add(s.v.id);
    }
    if (s.kind === 'while') {
      if (bound.has(s.v.id)) fail(`two loops bind ${s.v.name}`);
      if (s.cond.dtype !== 'bool' || s.cond.lanes !== 1) fail(`while ${s.cond.dtype}x${s.cond.lanes}`);
      bound.add(s.v.id);
    }
    if (s.kind === 'atomic') {
      if (s.buf.space === 'reg' || s.buf.packed || s.value.lanes !== 1 || s.value.dtype !== s.buf.dtype || s.index.length !== s.buf.shape.length) fail(`atomic_${s.fn} of ${s.value.dtype}x${s.value.lanes} on ${s.buf.space} ${s.buf.name}`);
      if (s.old) bound.add(s.old.id);
    }
    if (s.kind === 'print' && s.values.some((e) => e.lanes !== 1)) fail('a vector is printed');
    if (s.kind === 'let') {
      if (bound.has(s.v.id)) fail(`${s.v.name} is bound twice`);
      if (s.v.lanes !== s.value.lanes || s.v.dtype !== s.value.dtype) fail(`${s.v.name} is ${s.v.dtype}x${s.v.lanes}, its value ${s.value.dtype}x${s.value.lanes}`);
      bound.add(s.v.id);
    }
    if (s.kind === 'instr' && phase === 'algorithm') fail(`instruction ${s.def.name} before any schedule`);
    if (s.kind === 'instr' && (s.body === undefined) !== (phase === 'lowered')) fail(`instruction ${s.def.name} ${s.body ? 'still has' : 'lacks'} its loops`);
    if (s.kind === 'if' && s.pad && phase === 'lowered') fail(`a padded tail is not staged: ${printStmt(s).split('\n')[0]}`);
    if (s.kind === 'alloc' && s.buf.space === 'reg' && phase === 'lowered' && s.buf.shape.length > 1) fail(`register ${s.buf.name} has ${s.buf.shape.length} dimensions`);
    if ((s.kind === 'store' || s.kind === 'accum') && s.index.length !== s.buf.shape.length) fail(`${s.buf.name} has ${s.buf.shape.length} dimensions, ${s.index.length} indices`);
    if (s.kind === 'alloc' && s.buf.packed) fail(`${s.buf.space} ${s.buf.name} is packed: only parameters are`);
    if (s.kind === 'accum' && s.buf.packed) fail(`${s.buf.name} holds half bytes, which cannot be accumulated into`);
    if ((s.kind === 'store' || s.kind === 'accum') && phase === 'algorithm' && s.value.lanes !== 1) fail(`vector store to ${s.buf.name}`);
  });
  visitExprs(k.body, (e, s) => {
    if (scalar && e.lanes > 1 && !(s.kind === 'let' && s.value === e && e.kind === 'load') && !(s.kind === 'store' && s.value === e && e.kind === 'join') && !(e.kind === 'var')) fail(`a ${e.kind} of ${e.lanes} lanes inside of a ${s.kind}`);
    if (scalar && (e.kind === 'ramp' || e.kind === 'broadcast' || e.kind === 'reduce' || (e.kind === 'bitcast' && e.x.lanes > 1))) fail(`a ${e.kind} of vectors`);
    if (e.kind === 'subgroup' && !(s.kind === 'let' && s.value === e)) fail(`subgroup_${e.fn} is part of a larger expression`);
    if (e.kind === 'shuffle' && (e.a.dtype !== e.b.dtype || e.a.lanes !== e.b.lanes || e.a.lanes < 2 || e.pick.length !== e.lanes || e.pick.some((i) => i < 0 || i >= 2 * e.a.lanes))) fail(`shuffle of ${e.a.dtype}x${e.a.lanes} and ${e.b.dtype}x${e.b.lanes} by ${e.pick.join(' ')}`);
    if (e.kind === 'join' && (e.parts.length !== e.lanes || e.parts.some((x) => x.lanes !== 1 || x.dtype !== e.dtype))) fail(`join of ${e.parts.map((x) => `${x.dtype}x${x.lanes}`).join(', ')}`);
    if (phase === 'algorithm' && e.lanes !== 1) fail(`${e.kind} has ${e.lanes} lanes before any schedule`);
    if (e.kind === 'load' && e.index.length !== e.buf.shape.length) fail(`${e.buf.name} has ${e.buf.shape.length} dimensions, ${e.index.length} indices`);
    if ((e.kind === 'binary' || e.kind === 'cmp') && (e.a.dtype !== e.b.dtype || e.a.lanes !== e.b.lanes)) fail(`${e.fn} of ${e.a.dtype}x${e.a.lanes} and ${e.b.dtype}x${e.b.lanes}`);
  });
  return bad;
}
