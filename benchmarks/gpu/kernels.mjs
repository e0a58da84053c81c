// The kernels that benchmarks/gpu.bench.mjs measures: each an algorithm and its schedule for an NVIDIA GPU of compute capability 9.0.
import { axes, kernel, reg, tensor, tf32 } from '@quern/kernel-dsl';
import { zeros } from '@quern/runtime';
import { gridMap, hopperGemm, hopperTf32x3, tensorGemm, tf32x3 } from '@quern/kernel-dsl/gpu';
import { inParts } from './parts.mjs';

/** C = A Bᵀ, both with dense rows along k; `read` makes factors of elements, sums are in `sum`. */
const product = (name, dtype, sum, out, read = (x) => x.to(sum)) => kernel(`gemm_${name}`, { A: tensor(dtype, 'M', 'K'), B: tensor(dtype, 'N', 'K'), C: tensor(out, 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg(sum, 0, 'acc');
    for (const k of ax.k) acc.addAssign(read(A.at(i, k)).mul(read(B.at(j, k))));
    C.at(i, j).set(out === sum ? acc : acc.to(out));
  }
  return ax;
});

/** C = A B in f32. */
const plain = kernel('gemm_f32', { A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(A.at(i, k).mul(B.at(k, j)));
    C.at(i, j).set(acc);
  }
  return ax;
});

const warps = (dtype, o) => (s, ax) => tensorGemm(s, ax, { A: 'A', B: 'B', acc: 'acc', dtype }, o);
const teams = (dtype, o) => (s, ax) => hopperGemm(s, ax, { A: 'A', B: 'B', acc: 'acc', dtype }, o);

/**
 * Tiles of C, a workgroup each; its lanes are `down` x `across`, or `groups` of them side by side, and each has runs of 4 rows and 4 columns that lie far apart, so that
 * neighbours read neighbours. Tiles of both factors in shared memory, `depth` of k at a time, fetched ahead into registers; `turned`: rows of A are read one element at a time, so that the tile, in which
 * columns lie, is written by whole vectors.
 */
const registerTiles = ({ tile: [rows, cols], lanes: [down, across], groups = 1, depth = 8, pad = 4, resident, turned }) => (s, { i, j, k }) => {
  const [bm, i1] = s.split(i, rows, { tail: 'pad' }), [bn, j1] = s.split(j, cols, { tail: 'pad' });
  const [ih, i2] = s.split(i1, 4 * down), [ti, il] = s.split(i2, 4);
  const [jh, j2] = s.split(j1, 4 * across * groups), [tg, j3] = s.split(j2, 4 * across), [tj, jl] = s.split(j3, 4);
  s.reorder(bm, bn, tg, ti, tj, ih, il, jh, jl);
  s.bind({ 'block.y': bm, 'block.x': bn, 'lane.z': tg, 'lane.y': ti, 'lane.x': tj });
  s.expand('acc', ih, il, jh, jl);
  const [ko, ki] = s.split(k, depth, { tail: 'pad' });
  s.reorder(ko, ki, ih, il, jh, jl);
  s.stage('A', ko, 'shared', { vector: 4, panel: il, pad, turned });
  s.stage('B', ko, 'shared', { vector: 4 });
  s.prefetch(ko);
  if (resident) s.resident(resident);
  s.vectorize(s.stage('A_shared', ki, 'reg')[il.name]);
  s.stage('B_shared', ki, 'reg');
  for (const a of [ih, il, jh]) s.unroll(a);
  s.vectorize(jl);
  s.unroll(ki);
};

const persistent = (group) => ({ workgroups: 132, group });
/** Products of float32 by tf32 and its rest, and the memory that they need beside factors and result. */
const split = (transposed) => {
  const form = (o) => (s, ax) => hopperTf32x3(s, ax, { transposed, ...o }), names = ['A_rest', 'B_rest', ...(transposed ? [] : ['B_rows'])], of = transposed ? 'A Bᵀ, ' : 'A B, ';
  return {
    kernel: tf32x3({ transposed }), peer: 'f32', dtype: 'f32', out: 'f32', transposed, sizes: [2048, 4096, 8192], errors: ['normal', 'positive'],
    more: async (on, [n]) => ({ args: Object.fromEntries(names.map((x) => [x, zeros([n, n], 'f32', { device: on })])) }),
    schedules: {
      [`${of}128x128 ring 3, persistent, bands of 8`]: form({ persistent: persistent(8) }),
      [`${of}128x192 ring 2, persistent, bands of 16`]: form({ tile: [128, 192], stages: 2, persistent: persistent(16) }),
    },
  };
};

const wide = (dtype) => teams(dtype, { tile: [128, 256], stages: 4, persistent: persistent(16) });
const parts = (o) => (s, ax) => {
  hopperGemm(s, { batch: ax.part, i: ax.i, j: ax.j, k: [ax.tile, ax.k] }, { A: 'A', B: 'B', acc: 'acc', dtype: 'bf16' }, o);
  gridMap(s, [ax.row, ax.col]);
};
/** Few tiles, or a few more than whole waves of them; the last one is square, and its tiles nearly fill four waves. */
const odd = [[128, 4096, 8192], [256, 4096, 8192], [512, 512, 16384], [1152, 1152, 8192], [1536, 1536, 8192], [3072, 3072, 3072], [4096, 4096, 4096]], stream = { workgroups: 132 };

/**
 * What is measured: a kernel, its schedules by name, what the peer is asked for (`peer`), the types of factors and results, and sizes. `reads` is the form in
 * which the kernel reads its factors, where that is not all of them; `errors`: the kinds of data whose errors are measured too; `more`: arguments beside factors and result, for a device and m, n, k; `sizes`: of squares, or m, n, k; `elsewhere`: schedules for OpenCL and WebGPU, whose workgroups have 48 KiB of memory.
 */
export const products = [
  { name: 'bf16', kernel: product('bf16', 'bf16', 'f32', 'bf16'), peer: 'bf16', dtype: 'bf16', out: 'bf16', transposed: true, sizes: [2048, 4096, 8192], schedules: {
    '128x256 ring 4, persistent, bands of 16': wide('bf16'),
    '256x128 ring 4': teams('bf16', { tile: [256, 128], stages: 4 }),
    '128x256 ring 4': teams('bf16', { tile: [128, 256], stages: 4 }),
    '128x256 ring 4, clusters of 2': teams('bf16', { tile: [128, 256], stages: 4, cluster: [2, 1] }),
    '128x256 ring 4, clusters of 2, persistent, bands of 8': teams('bf16', { tile: [128, 256], stages: 4, cluster: [2, 1], persistent: { workgroups: 66, group: 8 } }),
  } },
  { name: 'bf16 of odd shapes', kernel: product('bf16_odd', 'bf16', 'f32', 'bf16'), peer: 'bf16', dtype: 'bf16', out: 'bf16', transposed: true, sizes: odd, schedules: {
    '128x256 ring 4': teams('bf16', { tile: [128, 256], stages: 4 }),
    '128x128 ring 6': teams('bf16', { tile: [128, 128], stages: 6 }),
    '128x256 ring 4, streamed': teams('bf16', { tile: [128, 256], stages: 4, stream }),
    '128x128 ring 6, streamed': teams('bf16', { tile: [128, 128], stages: 6, stream }),
  } },
  { name: 'bf16 in parts of k', kernel: inParts('bf16', 16), peer: 'bf16', dtype: 'bf16', out: 'bf16', transposed: true, sizes: odd, schedules: { '128x256 ring 4': parts({ tile: [128, 256], stages: 4 }), '128x128 ring 6': parts({ tile: [128, 128], stages: 6 }) },
    more: (on, [m, n, k]) => ({ args: { P: zeros([Math.ceil(k / 64 / 16), m, n], 'f32', { device: on }) } }) },
  { name: 'f16', kernel: product('f16', 'f16', 'f32', 'f16'), peer: 'f16', dtype: 'f16', out: 'f16', transposed: true, sizes: [2048, 4096, 8192], schedules: { '128x256 ring 4, persistent, bands of 16': wide('f16') } },
  { name: 'tf32', kernel: product('tf32', 'f32', 'f32', 'f32', tf32), peer: 'tf32', dtype: 'f32', reads: 'tf32', out: 'f32', transposed: true, sizes: [2048, 4096, 8192], schedules: {
    '128x256 ring 4, persistent, bands of 16': wide('tf32'),
    '128x256 ring 4': teams('tf32', { tile: [128, 256], stages: 4 }),
    '256x128 ring 4': teams('tf32', { tile: [256, 128], stages: 4 }),
  } },
  { name: 'int8', kernel: product('int8', 'i8', 'i32', 'i32'), peer: 'i8', dtype: 'i8', out: 'i32', transposed: true, sizes: [2048, 4096, 8192], schedules: {
    '128x256 ring 4, persistent, bands of 16': wide('i8'),
    '256x128 ring 4, persistent, bands of 8': teams('i8', { tile: [256, 128], stages: 4, persistent: persistent(8) }),
  } },
  { name: 'f64', kernel: product('f64', 'f64', 'f64', 'f64'), peer: 'f64', dtype: 'f64', out: 'f64', transposed: true, sizes: [2048, 4096], schedules: {
    'warps of 32x32, 128x64 ring 4': warps('f64', { tile: [128, 64], warp: [32, 32], stages: 4 }),
    'warps of 32x32, 64x64 ring 4': warps('f64', { tile: [64, 64], warp: [32, 32], stages: 4 }),
  } },
  // What GPUs before 9.0 have, here beside what 9.0 has of its own.
  { name: 'bf16 by mma.sync', kernel: product('bf16', 'bf16', 'f32', 'bf16'), peer: 'bf16', dtype: 'bf16', out: 'bf16', transposed: true, sizes: [4096], schedules: {
    'warps of 64x64, 128x256 ring 4': warps('bf16', { tile: [128, 256], warp: [64, 64], stages: 4 }),
    'warps of 64x64, 128x128 ring 3, two resident': warps('bf16', { tile: [128, 128], warp: [64, 64], stages: 3, resident: 2 }),
  } },
  { name: 'tf32 by mma.sync', kernel: product('tf32', 'f32', 'f32', 'f32', tf32), peer: 'tf32', dtype: 'f32', reads: 'tf32', out: 'f32', transposed: true, sizes: [4096], schedules: {
    'warps of 64x64, 128x128 ring 3, two resident': warps('tf32', { tile: [128, 128], warp: [64, 64], stages: 3, resident: 2 }),
  } },
  { name: 'int8 by mma.sync', kernel: product('int8', 'i8', 'i32', 'i32'), peer: 'i8', dtype: 'i8', out: 'i32', transposed: true, sizes: [4096], schedules: {
    'warps of 64x64, 128x256 ring 4': warps('i8', { tile: [128, 256], warp: [64, 64], stages: 4 }),
  } },
  { name: 'tf32x3', ...split(false) },
  { name: 'tf32x3', ...split(true) },
  { name: 'f32', kernel: plain, peer: 'f32', dtype: 'f32', out: 'f32', transposed: false, sizes: [4096, 8192], schedules: {
    '8 x 16 a lane, 32 x 4 x 2 lanes, depth 16': registerTiles({ tile: [256, 128], lanes: [32, 4], groups: 2, depth: 16 }),
    '8 x 16 a lane, 32 x 8 lanes, depth 16': registerTiles({ tile: [256, 128], lanes: [32, 8], depth: 16 }),
    '8 x 16 a lane, 16 x 16 lanes, depth 16': registerTiles({ tile: [128, 256], lanes: [16, 16], depth: 16 }),
    '8 x 8 a lane, depth 8, two resident': registerTiles({ tile: [128, 128], lanes: [16, 16], resident: 2 }),
  }, elsewhere: {
    '8 x 16 a lane, 32 x 4 x 2 lanes, depth 16, dense': registerTiles({ tile: [256, 128], lanes: [32, 4], groups: 2, depth: 16, pad: 0 }),
    '8 x 16 a lane, 32 x 4 x 2 lanes, depth 8, turned': registerTiles({ tile: [256, 128], lanes: [32, 4], groups: 2, turned: true }),
    '8 x 16 a lane, 16 x 16 lanes, depth 8, turned': registerTiles({ tile: [128, 256], lanes: [16, 16], turned: true }),
    '8 x 8 a lane, depth 8, two resident': registerTiles({ tile: [128, 128], lanes: [16, 16], resident: 2 }),
    '8 x 8 a lane, depth 8, two resident, turned': registerTiles({ tile: [128, 128], lanes: [16, 16], resident: 2, turned: true }),
  } },
];
