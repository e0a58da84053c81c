import { describe, expect, it } from 'vitest';
import { axes, barrier, kernel, shared, subgroupAdd, tensor, when } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { target } from '../../src/targets/index.ts';
import { RUNNABLE, fill, sameAsInterpreter } from '../emit/harness.ts';
import type { Case } from '../emit/harness.ts';
import { array } from '../run/helpers.ts';
import { emitKernelC } from '../../src/emit/c/index.ts';
import { exchanges, sums, transpose, waves } from './kernels.ts';

const f32 = (shape: number[], seed: number) => ({ data: array('f32', fill('f32', shape.reduce((a, b) => a * b, 1), seed)), shape });
const i32 = (shape: number[], seed: number) => ({ data: array('i32', fill('i32', shape.reduce((a, b) => a * b, 1), seed)), shape });

function cases(t: Target): Case[] {
  return [
    { k: lower(sums.ir, t), runs: [64, 100, 200].map((n) => ({ x: f32([n], 1), y: f32([Math.ceil(n / 64)], 2) })) },
    { k: lower(sums.with({ T: 16 }).ir, t), runs: [{ x: f32([50], 1), y: f32([4], 2) }] },
    { k: lower(transpose.ir, t), runs: [[1, 1], [8, 8], [11, 21]].map(([m, n]) => ({ X: i32([m!, n!], 1), Y: i32([n!, m!], 2) })) },
    { k: lower(exchanges.ir, t), runs: [{ x: f32([3, 16], 1), Y: f32([3, 10, 16], 2) }] },
    { k: lower(waves.ir, t), runs: [0, 1, 5].map((r) => ({ rounds: { data: new Uint8Array(r), shape: [r] }, x: i32([3, 8], 1), count: i32([1], 2) })) },
  ];
}

describe('workgroups on a CPU', () => {
  it.each(RUNNABLE.filter((t) => t.isa !== 'x86-64-v4-vnni').map((t) => ({ isa: t.isa, t })))('give the bits of the interpreter in C: $isa', ({ t }) => { sameAsInterpreter(cases(t), t); });

  it('run blocks on threads and lanes in loops that are cut at barriers', () => {
    const { source, meta } = emitKernelC(lower(sums.with({ T: 4 }).ir, target('x86-64')), target('x86-64'));
    expect(source.match(/for \(int64_t t\d* = 0; t\d* < 4; t\d*\+\+\)/g)).toHaveLength(4);
    expect(source).toContain('ctx->parallel(ctx, sums_T4_b, &env, B, 1);');
    expect(meta.scratchBytes).toBe(64);
    const plain = kernel('plain', { y: tensor('f32', 'N').inout() }, ({ y }) => { const ax = axes({ b: 4, t: 8 }); for (const b of ax.b.bind('block.x')) for (const t of ax.t.bind('lane.x')) y.at(b.mul(8).add(t)).addAssign(1); return ax; });
    expect(emitKernelC(lower(plain.ir, target('x86-64')), target('x86-64')).meta).toMatchObject({ scratchBytes: 0, sharedBytes: 0 });
  });

  it('need barriers that all lanes provably reach', () => {
    const k = (body: (t: Parameters<typeof when>[0]) => void) => kernel('k', { x: tensor('f32', 64), y: tensor('f32', 64).inout() }, ({ x, y }) => {
      const ax = axes({ b: 1, t: 64 });
      for (const b of ax.b.bind('block.x')) {
        const tile = shared('f32', 'tile', 64);
        for (const t of ax.t.bind('lane.x')) { void b; tile.at(t).set(x.at(t)); body(t.lt(32)); y.at(t).set(tile.at(t)); }
      }
      return ax;
    });
    expect(() => lower(k((half) => when(half, () => barrier())).ir, target('x86-64'))).toThrow(/KD-L-DIVERGED the workgroup barrier is not reached by all lanes alike: t < 32 may differ from lane to lane\n {2}--> .*emit\.test\.ts:/);
    expect(() => lower(k((half) => when(half, () => { subgroupAdd(half.to('f32')); })).ir, target('x86-64'))).toThrow(/KD-L-DIVERGED subgroup_add\(f32\(t < 32\)\)/);
  });
});
