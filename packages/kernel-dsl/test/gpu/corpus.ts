/** The kernels of the schedule tests with loops bound by hand, and arguments to run them on. */
import type { KernelIR } from '../../src/ir/index.ts';
import type { Kernel } from '../../src/lang/index.ts';
import { gridRows, gridShortRows } from '../../src/library/gpu/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Schedule, StageOptions } from '../../src/schedule/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { array } from '../run/helpers.ts';
import { fill } from '../emit/harness.ts';
import type { TensorValue, Value } from '../emit/harness.ts';
import { blur, bytes, gemm, matvec, norm, saxpy, scan, softmax, transpose, triangle } from '../schedule/corpus.ts';

type Run = Readonly<Record<string, Value>>;
const tensor = (t: 'f32' | 'u8' | 'i8' | 'i32', shape: readonly number[], seed: number, pad = 0): TensorValue => {
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((n, x, i) => n * (x + (i === shape.length - d - 2 ? pad : 0)), 1)), n = shape.length === 0 ? 1 : shape[0]! * strides[0]!;
  return { data: array(t, fill(t, n, seed)), shape, ...(pad && { strides }) };
};
const f32 = (shape: readonly number[], seed: number, pad = 0): TensorValue => tensor('f32', shape, seed, pad);

/** A kernel, how it may run on a GPU, and on what. */
export interface GpuCase { readonly kernel: Kernel; readonly schedules: readonly ((t: Target) => KernelIR)[]; readonly runs: readonly Run[] }

const square = (m: number, n: number, k: number, pad = 0): Run => ({ A: f32([m, k], 1, pad), B: f32([k, n], 2, pad), C: f32([m, n], 3, pad) });

function copiedAhead(s: Schedule, { i, j, k }: typeof gemm.axes, stages: number, o: StageOptions): void {
  const [bi, i1] = s.split(i, 8, { tail: 'pad' }), [bj, j1] = s.split(j, 8, { tail: 'pad' }), [ti, ii] = s.split(i1, 2), [tj, jj] = s.split(j1, 2), [ko, ki] = s.split(k, 4, { tail: 'pad' });
  s.reorder(bi, bj, ti, tj, ko, ki, ii, jj);
  s.bind({ 'block.y': bi, 'block.x': bj, 'lane.y': ti, 'lane.x': tj });
  s.stage('C', tj, 'reg', { partial: true });
  s.stage('A', ko, 'shared', o);
  s.stage('B', ko, 'shared', o);
  s.pipeline(ko, stages);
  for (const a of [ii, jj]) s.unroll(a);
}

/** Every kernel of the corpus: as it stands (one lane), and on workgroups where its loops allow that. */
export const GPU_CORPUS: readonly GpuCase[] = [
  {
    kernel: saxpy, runs: [1, 31, 256, 1000].map((n) => ({ x: f32([n], 1), y: f32([n], 2) })),
    schedules: [
      (t) => schedule(saxpy, t, (s, { i }) => { const [b, l] = s.split(i, 64, { tail: 'mask' }); s.bind({ 'block.x': b }); s.bind({ 'lane.x': l }); }).ir,
      (t) => schedule(saxpy, t, (s, { i }) => { const [o, v] = s.split(i, 4, { tail: 'peel' }), [b, l] = s.split(o, 32, { tail: 'mask' }); s.vectorize(v); s.bind({ 'block.x': b }); s.bind({ 'lane.x': l }); }).ir,
    ],
  },
  {
    kernel: gemm, runs: [square(1, 1, 1), square(16, 16, 16), square(33, 50, 20), square(20, 36, 24, 4), square(9, 10, 7)],
    schedules: [
      (t) => schedule(gemm, t, (s, { i, j }) => { const [bi, ti] = s.split(i, 8, { tail: 'mask' }), [bj, tj] = s.split(j, 8, { tail: 'mask' }); s.reorder(bi, bj, ti, tj); s.bind({ 'block.y': bi }); s.bind({ 'block.x': bj }); s.bind({ 'lane.y': ti }); s.bind({ 'lane.x': tj }); }).ir,
      // Tiles that lanes copy ahead, by elements, in pieces, and in pieces of rows that lie apart by less.
      (t) => schedule(gemm, t, (s, ax) => copiedAhead(s, ax, 3, {})).ir, (t) => schedule(gemm, t, (s, ax) => copiedAhead(s, ax, 2, { vector: 4 })).ir, (t) => schedule(gemm, t, (s, ax) => copiedAhead(s, ax, 2, { vector: 4, pad: 1 })).ir,
    ],
  },
  {
    kernel: bytes, runs: [[3, 5, 7], [16, 17, 40]].map(([m, n, k]) => ({ A: tensor('u8', [m!, k!], 1), B: tensor('i8', [k!, n!], 2), C: tensor('i32', [m!, n!], 3) })),
    schedules: [(t) => schedule(bytes, t, (s, { i, j }) => { const [b, l] = s.split(j, 16, { tail: 'mask' }); s.reorder(i, b, l); s.bind({ 'block.y': i }); s.bind({ 'block.x': b }); s.bind({ 'lane.x': l }); }).ir],
  },
  {
    kernel: matvec, runs: [[1, 1], [70, 33]].map(([m, n]) => ({ W: f32([m!, n!], 1, 3), x: f32([n!], 2), y: f32([m!], 3) })),
    schedules: [(t) => schedule(matvec, t, (s, { r }) => { const [b, l] = s.split(r, 32, { tail: 'mask' }); s.bind({ 'block.x': b }); s.bind({ 'lane.x': l }); }).ir, (t) => schedule(matvec, t, (s, { r, k }) => { if (t.gpu?.language === 'cuda') gridShortRows(s, r, [k]); else gridRows(s, [r], [k], { lanes: 16 }); }).ir],
  },
  {
    kernel: softmax, runs: [[1, 1], [5, 40], [2, 100]].map(([m, n]) => ({ x: f32([m!, n!], 1), y: f32([m!, n!], 2) })),
    schedules: [(t) => schedule(softmax, t, (s, ax) => { s.bind({ 'block.x': ax.t }); }).ir, (t) => schedule(softmax, t, (s, { t: row, m, e, i }) => { s.deal(row, [m, e, i], { lanes: 16, vector: 2 }); s.bind({ 'block.x': row }); }).ir],
  },
  {
    kernel: norm, runs: [[1, 1], [5, 40]].map(([m, n]) => ({ x: f32([m!, n!], 1), w: f32([n!], 4), y: f32([m!, n!], 2) })),
    schedules: [(t) => schedule(norm, t, (s, ax) => { const [, v] = s.split(ax.i, 8, { tail: 'peel' }); s.vectorize(v); s.bind({ 'block.x': ax.t }); }).ir, (t) => schedule(norm, t, (s, ax) => { s.deal(ax.t, [ax.j, ax.i], { lanes: 8, vector: 2 }); s.bind({ 'block.x': ax.t }); }).ir],
  },
  { kernel: blur, runs: [1, 9].map((m) => ({ x: f32([m, 12], 1), y: f32([m, 10], 2) })), schedules: [(t) => schedule(blur, t, (s, ax) => { const [b, l] = s.split(ax.r, 4, { tail: 'mask' }); s.bind({ 'block.x': b }); s.bind({ 'lane.x': l }); }).ir] },
  { kernel: transpose, runs: [[3, 5, 9], [8, 8, 16]].map(([m, n, p]) => ({ x: f32([m!, n!], 1), y: f32([n!, p!], 2) })), schedules: [(t) => schedule(transpose, t, (s, ax) => { s.bind({ 'block.x': ax.i }); }).ir] },
  { kernel: scan, runs: [1, 20].map((n) => ({ x: f32([n], 1), y: f32([n], 2) })), schedules: [] },
  { kernel: triangle, runs: [1, 13].map((n) => ({ x: f32([n, n], 1), y: f32([n, n], 2) })), schedules: [(t) => schedule(triangle, t, (s, { i }) => { s.bind({ 'block.x': i }); }).ir] },
];
