/** Lowered kernels with arguments, which the tests of OpenCL and CUDA share. */
import { binary, constant, load, newVar, reduce, shuffle } from '../../src/ir/index.ts';
import type { Expr, Stmt } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { fill } from '../emit/harness.ts';
import type { Case } from '../emit/harness.ts';
import { array, bindTo, kernelOf, loop, param, store } from '../run/helpers.ts';
import { GPU_CORPUS } from './corpus.ts';
import { exchanges, sums, transpose, waves } from './kernels.ts';

const f32 = (shape: number[], seed: number) => ({ data: array('f32', fill('f32', shape.reduce((a, b) => a * b, 1), seed)), shape });
const i32 = (shape: number[], seed: number) => ({ data: array('i32', fill('i32', shape.reduce((a, b) => a * b, 1), seed)), shape });

/** Shared memory, barriers, exchanges, atomics. */
export const workgroupCases = (t: Target): readonly Case[] => [
  { k: lower(sums.ir, t), runs: [64, 100, 200].map((n) => ({ x: f32([n], 1), y: f32([Math.ceil(n / 64)], 2) })) },
  { k: lower(sums.with({ T: 16 }).ir, t), runs: [{ x: f32([50], 1), y: f32([4], 2) }] },
  { k: lower(transpose.ir, t), runs: [[1, 1], [8, 8], [11, 21]].map(([m, n]) => ({ X: i32([m!, n!], 1), Y: i32([n!, m!], 2) })) },
  { k: lower(exchanges.ir, t), runs: [{ x: f32([3, 16], 1), Y: f32([3, 10, 16], 2) }] },
  { k: lower(waves.ir, t), runs: [1, 5].map((r) => ({ rounds: { data: new Uint8Array(r), shape: [r] }, x: i32([3, 8], 1), count: i32([1], 2) })) },
];

/** Each kernel of the corpus as it stands and with each of its schedules. */
export const corpusCases = (t: Target): readonly Case[] =>
  GPU_CORPUS.flatMap(({ kernel, schedules, runs }) => [kernel.ir, ...schedules.map((f) => f(t))].map((ir, i) => ({ k: { ...lower(ir, t), name: `${kernel.name}_${i}` }, runs })));

/** Vectors that are read and written in one statement: reversed in place, rows whose elements lie apart among them. */
export function inPlace(): Case {
  const x = param('x', 'f32', ['M', 4], 'inout'), y = param('y', 'f32', ['M', 4], 'inout', true), c0 = constant(0);
  const reversed = (b: typeof x, i: Expr): Stmt => { const v = load(b, [i, c0], { lanes: 4 }); return store(b, [i, c0], shuffle(v, v, [3, 2, 1, 0])); };
  const sum = newVar('sum', 'f32'), k = kernelOf([x, y], [loop('i', 'M', (i) => [
    bindTo(sum, reduce('add', load(x, [i, c0], { lanes: 4 }))), reversed(x, i), reversed(y, i), store(x, [i, constant(1)], binary('add', load(x, [i, constant(1)]), sum)),
  ])], 'in_place');
  return { k, runs: [{ x: { data: array('f32', fill('f32', 12, 1)), shape: [3, 4] }, y: { data: array('f32', fill('f32', 40, 2)), shape: [3, 4], strides: [12, 3] } }] };
}
