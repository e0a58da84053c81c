/** Copies ahead: when they start, what a launch may do before the one before it ends, and how they look where parts of rows are missing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { printKernel } from '../../src/ir/index.ts';
import { axes, kernel, reg, tensor, when } from '../../src/lang/index.ts';
import type { Axis, Kernel, Val } from '../../src/lang/index.ts';
import { gridTranspose } from '../../src/library/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { verify } from '../../src/verify/index.ts';
import { MACHINE, compare } from '../schedule/fuzz.ts';

type Turns = { group: Axis; lane: Axis; once: Axis; turn: Axis };
type At = (r: Val<'i64'>, i: Val<'i64'>) => Val<'f32'>;
/** Two workgroups take rows in turns; what a lane adds to all of them, it reads once before, and may write to where it reads then. */
const turns = (R: Val<'i64'>, x: At, c: (i: Val<'i64'>) => Val<'f32'>, y: (r: Val<'i64'>, i: Val<'i64'>, v: Val<'f32'>) => void, before?: (r: Val<'i64'>, i: Val<'i64'>, v: Val<'f32'>) => void): Turns => {
  const ax = axes({ group: 2, lane: 16, once: 1, turn: R.add(1).div(2) });
  for (const group of ax.group.bind('block.x')) for (const lane of ax.lane.bind('lane.x')) {
    const own = reg('f32', 0, 'own');
    for (const once of ax.once) {
      own.set(c(once.add(lane)));
      if (before) when(group.lt(R), () => before(group, lane.mul(4), own));
    }
    for (const turn of ax.turn) {
      const r = turn.mul(2).add(group);
      when(r.lt(R), () => y(r, lane, [0, 1, 2, 3].map((v) => x(r, lane.mul(4).add(v))).reduce((a, b) => a.add(b)).add(own)));
    }
  }
  return ax;
};
const y = tensor('f32', 'R', 16).out(), c = tensor('f32', 64);
const KERNELS: Record<'reads' | 'writes', Kernel<Turns>> = {
  reads: kernel('rows', { x: tensor('f32', 'R', 64), c, y }, ({ x, c, y, R }) => turns(R, (r, i) => x.at(r, i), (i) => c.at(i), (r, i, v) => y.at(r, i).set(v))),
  writes: kernel('rows', { x: tensor('f32', 'R', 64).inout(), c, y }, ({ x, c, y, R }) => turns(R, (r, i) => x.at(r, i), (i) => c.at(i), (r, i, v) => y.at(r, i).set(v), (r, i, v) => x.at(r, i).set(v))),
};
const ring = (s: Schedule, { turn }: Turns): void => {
  s.stage('x', turn, 'shared', { vector: 4 });
  s.pipeline(turn, 2);
};

describe('copies ahead', () => {
  it.each(['reads', 'writes'] as const)('compute what the algorithm says where what stands before %s', (first) => {
    const k = KERNELS[first], s = schedule(k, MACHINE, ring);
    expect(verify(s.ir).findings.map((f) => f.message)).toEqual([]);
    fc.assert(fc.property(fc.record({ R: fc.integer({ min: 0, max: 7 }) }), fc.nat(100), (sizes, seed) => { compare(k, s, sizes, seed); }), { numRuns: 6 });
  });
  it('start before what stands in front of their loop, unless it writes what they read', () => {
    const at = (first: 'reads' | 'writes'): readonly [copies: number, own: number] => { const text = printKernel(schedule(KERNELS[first], MACHINE, ring).ir); return [text.indexOf('x_shared[0, '), text.indexOf('own[] = c[')]; };
    const [copies, own] = at('reads'), [copies2, own2] = at('writes');
    expect(copies).toBeGreaterThan(0);
    expect(copies).toBeLessThan(own);
    expect(copies2).toBeGreaterThan(own2);
  });
  it('do not wait for the launch before, on compute capability 9.0; all else does, and then lets the next one start', () => {
    const of = (name: string) => { const t = target(name), { source, plan } = emitGpu(lower(schedule(KERNELS.reads, t, ring).ir, t), t), [step] = plan; return { source, launch: step!.kind === 'launch' ? step!.launch : undefined }; };
    const { source, launch } = of('cuda-sm90a');
    const body = source.slice(source.indexOf('rows_kernel(')), places = ['copy_chunk(', 'copies_commit();', 'wait_for_launch_before();', 'start_launch_after();', '= c[', 'for (int turn'].map((x) => body.indexOf(x));
    expect(places.every((p, i) => p > 0 && (i === 0 || p > places[i - 1]!)), String(places)).toBe(true);
    expect(launch).toMatchObject({ overlap: true, early: ['x'] });
    const older = of('cuda-sm80');
    expect(older.source).toContain('copy_chunk(');
    expect(older.source).not.toContain('wait_for_launch_before');
    expect(older.launch!.overlap).toBeUndefined();
  });
  it('copy a piece that exists whole or not at all without looking at its elements', () => {
    const t = target('cuda-sm90a'), { source } = emitGpu(lower(schedule(KERNELS.reads, t, ring).ir, t), t);
    expect(source).toMatch(/copy_chunk\(&x_shared\[.*, group < R \? 4 : 0\);/);
    expect(source).not.toContain('x_piece');
  });
});

describe('copies of elements under conditions', () => {
  const transpose = kernel('transpose', { x: tensor('f32', 'T', 'D'), y: tensor('f32', 'D', 'T').out() }, ({ x, y, T, D }) => {
    const ax = axes({ i: D, j: T });
    for (const i of ax.i) for (const j of ax.j) y.at(i, j).set(x.at(j, i));
    return ax;
  });
  const text = (name: string): string => { const t = target(name); return emitGpu(lower(schedule(transpose, t, (s, ax) => gridTranspose(s, ax, 'x')).ir, t), t).source; };
  it('are all fetched before the first is stored, in OpenCL', () => {
    const source = text('opencl'), loads = [...source.matchAll(/= x\[/g)].map((m) => m.index), stores = [...source.matchAll(/x_shared\[[^\]]*\] = /g)].map((m) => m.index);
    expect([loads.length, stores.length]).toEqual([4, 4]);
    expect(Math.max(...loads)).toBeLessThan(Math.min(...stores));
    expect(text('cuda-sm80')).toMatch(/x_shared\[[^\]]*\] = x\[/);
  });
});
