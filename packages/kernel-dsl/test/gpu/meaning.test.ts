import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, spread } from '../../../../tools/test/spread.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import { printKernel, specViolation } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import type { InterpretArg, TypedArray } from '../../src/run/index.ts';
import { opencl } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { fill } from '../emit/harness.ts';
import type { TensorValue, Value } from '../emit/harness.ts';
import { accessCase, bytesCase, parallelCase, rampCase } from '../emit/memory-cases.ts';
import { build, numbers, program } from '../passes/random-program.ts';
import { array } from '../run/helpers.ts';
import { inPlace } from './cases.ts';
import { GPU_CORPUS } from './corpus.ts';
import { beside, exchanges, handedOn, rounds, sums, transpose } from './kernels.ts';

/** A GPU that does not fuse, so that lowering changes no bit. */
const plain: Target = { ...opencl, fma: false };
const f32 = (shape: readonly number[], seed: number): TensorValue => ({ data: array('f32', fill('f32', shape.reduce((a, b) => a * b, 1), seed)), shape });

/** What a program leaves in its tensors. */
function after(k: KernelIR, args: Readonly<Record<string, Value>>, seed: number): Record<string, readonly (number | bigint)[]> {
  const own = Object.fromEntries(Object.entries(args).map(([n, v]) => [n, typeof v === 'number' ? v : { ...v, data: v.data.slice() as TypedArray }]));
  interpret(k, own as Record<string, InterpretArg>, { seed });
  return Object.fromEntries(Object.entries(own).flatMap(([n, v]) => (typeof v === 'number' ? [] : [[n, [...v.data]]])));
}
function expectSame(k: KernelIR, args: Readonly<Record<string, Value>>): void {
  const low = lower(k, plain);
  expect(specViolation(low, 'lowered-gpu'), printKernel(low)).toBeUndefined();
  for (const seed of [1, 2]) expect(after(low, args, seed), `${printKernel(k)}\n${printKernel(low)}`).toEqual(after(k, args, 1));
}

describe('lowering for a GPU keeps the meaning', () => {
  it('of random vector loops', () => {
    fc.assert(fc.property(program, (p) => {
      const k = build(p), args = Object.fromEntries(k.params.flatMap((x, i): [string, TensorValue][] => {
        if (x.kind === 'scalar') return [];
        const shape = x.buf.shape.map((e) => (e.kind === 'const' ? e.value : NaN)), n = shape.reduce((a, b) => a * b, 1);
        return [[x.name, { shape, data: x.buf.dtype === 'i32' ? Int32Array.from({ length: n }, (_, j) => (j * 7 + p.seed) % 5) : numbers(n, p.seed + i) }]];
      }));
      expectSame(k, args);
    }), { numRuns: runs(150) });
  });
  it('of the corpus on workgroups', () => {
    for (const { schedules, runs: sizes, kernel } of GPU_CORPUS) if (kernel.name !== 'softmax') for (const [i, s] of schedules.entries()) for (const r of spread(sizes, 2, i)) expectSame(s(plain), r);
  });
  it('of vectors in memory of every kind', () => {
    for (const { k, runs } of [accessCase(4), bytesCase(4), bytesCase(8), rampCase(4), parallelCase(), inPlace()]) for (const r of runs) expectSame(k, r);
  });
  it('of workgroups, what stands beside their lanes, and what they hand on', () => {
    expectSame(sums.ir, { x: f32([100], 1), y: f32([2], 2) });
    expectSame(transpose.ir, { X: { data: Int32Array.from({ length: 77 }, (_, i) => i), shape: [7, 11] }, Y: { data: new Int32Array(77), shape: [11, 7] } });
    expectSame(exchanges.ir, { x: f32([2, 16], 1), Y: f32([2, 10, 16], 2) });
    expectSame(beside.ir, { x: f32([3, 32], 1), y: f32([3, 32], 2), sums: f32([3], 3) });
    expectSame(handedOn.ir, { x: f32([64], 1), y: f32([64], 2) });
    expectSame(rounds.ir, { x: { data: Int32Array.of(1, 2, 3, 4, 5, 6, 7), shape: [7] }, often: { data: new Uint8Array(4), shape: [4] } });
  });
});
