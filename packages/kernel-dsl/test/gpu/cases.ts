/** Lowered kernels with arguments, which the tests of OpenCL and CUDA share. */
import { lower } from '../../src/passes/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { fill } from '../emit/harness.ts';
import type { Case } from '../emit/harness.ts';
import { array } from '../run/helpers.ts';
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
