/** Register tiles in two halves, tiles of both factors in shared memory, fetched ahead: what the schedules of GEMM for GPUs are made of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../tools/test/spread.ts';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { mapStmt, printKernel, visitStmt } from '../../src/ir/index.ts';
import { axes, kernel, reg, tensor } from '../../src/lang/index.ts';
import type { Axis, Kernel } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, ScheduledKernel } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';
import { saxpy } from '../schedule/corpus.ts';
import { MACHINE, compare } from '../schedule/fuzz.ts';
import { why } from '../errors/refusal.ts';

const gemm: Kernel<{ i: Axis; j: Axis; k: Axis }> = kernel('gemm', { A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(A.at(i, k).mul(B.at(k, j)));
    C.at(i, j).set(acc);
  }
  return ax;
});
/** 2 x 2 lanes of 2 x 2 halves of 2 elements, far apart. */
const tiles = (o: { readonly ahead?: boolean; readonly stages?: number; readonly resident?: number; readonly first?: (s: Schedule, ko: Axis) => void } = {}) => (s: Schedule, { i, j, k }: { i: Axis; j: Axis; k: Axis }): void => {
  const [bm, i1] = s.split(i, 8, { tail: 'pad' }), [bn, j1] = s.split(j, 8, { tail: 'pad' });
  const [ih, i2] = s.split(i1, 4), [ti, il] = s.split(i2, 2), [jh, j2] = s.split(j1, 4), [tj, jl] = s.split(j2, 2);
  s.reorder(bm, bn, ti, tj, ih, il, jh, jl);
  s.bind({ 'block.y': bm, 'block.x': bn, 'lane.y': ti, 'lane.x': tj });
  s.expand('acc', ih, il, jh, jl);
  const [ko, ki] = s.split(k, 2, { tail: 'pad' });
  s.reorder(ko, ki, ih, il, jh, jl);
  o.first?.(s, ko);
  s.stage('A', ko, 'shared', { ...(o.stages === undefined && { vector: 2 }), panel: il });
  s.stage('B', ko, 'shared', o.stages === undefined ? { vector: 4 } : {});
  if (o.ahead) s.prefetch(ko);
  if (o.stages !== undefined) s.pipeline(ko, o.stages);
  s.stage('A_shared', ki, 'reg');
  s.stage('B_shared', ki, 'reg');
  for (const a of [ih, il, jh]) s.unroll(a);
  s.vectorize(jl);
  s.unroll(ki);
  if (o.resident !== undefined) s.resident(o.resident);
};
const barriers = (s: ScheduledKernel): number => { let n = 0; visitStmt(s.ir.body, (x) => { if (x.kind === 'barrier') n++; }); return n; };

describe('tiles of registers and shared memory', () => {
  it('need one barrier a round, however many copies of large tiles a lane makes ahead', () => {
    // 16 x 256 of B on 256 lanes, in a ring of three: 16 copies a lane, all of which must be told from each other's.
    const s = schedule(gemm, target('cuda-sm80'), (s, { i, j, k }) => {
      const [bm, i1] = s.split(i, 32, { tail: 'pad' }), [ti, il] = s.split(i1, 2), [bn, j1] = s.split(j, 256, { tail: 'pad' }), [tj, jl] = s.split(j1, 16);
      s.reorder(bm, bn, ti, tj, il, jl);
      s.bind({ 'block.y': bm, 'block.x': bn, 'lane.y': ti, 'lane.x': tj });
      s.expand('acc', il, jl);
      const [ko, ki] = s.split(k, 16, { tail: 'pad' });
      s.reorder(ko, ki, il, jl);
      for (const name of ['A', 'B']) s.stage(name, ko, 'shared');
      s.pipeline(ko, 3);
    });
    expect(barriers(s)).toBeLessThanOrEqual(2);
  });
  it.each([[{ ahead: false }, 2], [{ ahead: true }, 2], [{ stages: 2 }, 2], [{ stages: 3 }, 2]] as const)('compute what the algorithm says: %o', (o, most) => {
    const s = schedule(gemm, MACHINE, tiles(o));
    expect(verify(s.ir).findings.map((f) => f.message)).toEqual([]);
    expect(barriers(s)).toBeLessThanOrEqual(most);
    const size = fc.integer({ min: 0, max: 11 });
    fc.assert(fc.property(fc.record({ M: size, N: size, K: size }), fc.nat(100), (sizes, seed) => { compare(gemm, s, sizes, seed); }), { numRuns: runs(12) });
  });

  it('fetched ahead, lanes meet once an iteration, and memory has two halves', () => {
    const s = schedule(gemm, MACHINE, tiles({ ahead: true })), text = printKernel(s.ir);
    expect(text).toMatch(/shared A_shared: f32\[2, 2, 8\]/);
    let inLoop = 0;
    visitStmt(s.ir.body, (x) => { if (x.kind === 'for' && x.v.name === 'ko') visitStmt(x.body, (y) => { if (y.kind === 'barrier') inLoop++; }); });
    expect(inLoop).toBe(1);
  });

  it('in a pipeline, copies are groups that each barrier waits for, asynchronous where the target has such copies', () => {
    const text = (isa: string): string => { const t = target(isa); return emitGpu(lower(schedule(gemm, t, tiles({ stages: 3 })).ir, t), t).source; }, ampere = text('cuda-sm80');
    expect(printKernel(schedule(gemm, MACHINE, tiles({ stages: 3 })).ir)).toMatch(/shared A_shared: f32\[3, 2, 8\]/);
    // What lies transposed is copied by elements; two tiles ahead, and one more in the loop.
    expect(ampere.match(/copy_chunk_word\(&A_shared/g)).toHaveLength(3 * 4);
    expect(ampere.match(/^ +copies_commit\(\);/gm)).toHaveLength(3);
    expect(ampere).toMatch(/copies_wait_1\(\);\n +__syncthreads\(\);/);
    for (const isa of ['cuda-sm75', 'opencl']) expect(text(isa)).not.toMatch(/copy_chunk|copies_wait/);
    // Checked, they are accesses like any others.
    const t = target('cuda-sm80');
    expect(emitGpu(lower(schedule(gemm, t, tiles({ stages: 3 })).ir, t), t, { bounds: true }).source).not.toMatch(/copy_chunk|copies_wait/);
  });

  it('a loop of a copy that was vectorized stays so when its axis is unrolled', () => {
    const text = printKernel(schedule(saxpy, MACHINE, (t, { i }) => {
      const [o, l] = t.split(i, 4, { tail: 'peel' });
      t.vectorize(t.stage('x', o, 'reg')[l.name]!);
      t.unroll(l);
    }).ir);
    expect(text).toMatch(/vector ii in 0\.\.4:.*\n +x_reg\[ii\] = /);
    expect(text).toMatch(/unroll ii in 0\.\.4:.*\n +y\[/);
  });

  it('a barrier that is taken away is missed: copies of the next round would overtake readers', () => {
    const s = schedule(gemm, MACHINE, tiles({ stages: 2 })), without = { ...s.ir, body: mapStmt(s.ir.body, (x) => (x.kind === 'barrier' && x.groups !== undefined ? null : x))! };
    expect(verify(without).findings.map((f) => f.message).join('\n')).toContain('it is not proved that a barrier lies between A_shared[(ko + 1) % 2');
  });

  it('keep everything in names, as few as fit', () => {
    const t = target('cuda-sm80'), source = emitGpu(lower(schedule(gemm, t, tiles({ ahead: true, resident: 4 })).ir, t), t).source;
    expect(source).toContain('__launch_bounds__(4, 4)');
    expect(source).not.toMatch(/^ +float \w+\[\d+\];/m); // no array but those in shared memory
    expect(why(() => schedule(gemm, t, tiles({ resident: 0 })))).toMatch(/KD-S-FACTOR/);
  });

  it('loops whose coefficients are digits of an index are independent; others are not', () => {
    expect(() => schedule(gemm, MACHINE, tiles())).not.toThrow();
    const overlapping = kernel('overlapping', { y: tensor('f32', 'N').out() }, ({ y, N }) => {
      const ax = axes({ b: N.div(8), t: 4, h: 2 });
      for (const b of ax.b) for (const t of ax.t) for (const h of ax.h) y.at(b.mul(8).add(t.mul(2)).add(h.mul(2))).set(1);
      return ax;
    });
    expect(why(() => schedule(overlapping, MACHINE, (s, { b, t }) => s.bind({ 'block.x': b, 'lane.x': t })))).toMatch(/KD-S-CARRIED/);
  });

  it('refuse to fetch ahead what is not copied, or used elsewhere', () => {
    expect(why(() => schedule(gemm, MACHINE, tiles({ first: (s, ko) => s.prefetch(ko) })))).toMatch(/KD-S-PREFETCH .*does not start with copies into shared memory/);
    expect(why(() => schedule(gemm, MACHINE, (s, { i }) => { const [b] = s.split(i, 2, { tail: 'mask' }); s.bind({ 'block.x': b }); s.prefetch(b); }))).toMatch(/KD-S-PREFETCH .*it is block\.x/);
  });
});
