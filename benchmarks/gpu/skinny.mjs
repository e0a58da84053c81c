// The kernels that benchmarks/gpu-skinny.bench.mjs measures: few rows times a matrix of weights, in f16 and in 4-bit blocks, on the tensor cores of any GPU since 8.0.
import { assume, axes, kernel, q4_0, reg, tensor } from '@quern/kernel-dsl';
import { gridMap, tensorGemm, tensorQ4 } from '@quern/kernel-dsl/gpu';
import { inParts } from './parts.mjs';

/** C = X Wᵀ in f16, sums in f32. */
const whole = kernel('gemm_f16', { X: tensor('f16', 'M', 'K'), W: tensor('f16', 'N', 'K'), C: tensor('f16', 'M', 'N').out() }, ({ X, W, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(X.at(i, k).to('f32').mul(W.at(j, k).to('f32')));
    C.at(i, j).set(acc.to('f16'));
  }
  return ax;
});

/** C = X Wᵀ with W in blocks of Q4_0, 18 bytes for each 32 of k: they become f16 in registers. */
const blocks = kernel('gemm_q4_0', { X: tensor('f16', 'M', 'K'), W: tensor('u8', 'N', 'R'), C: tensor('f16', 'M', 'N').out() }, ({ X, W, C, M, N, K, R }) => {
  assume(R.ge(K.div(64).mul(36)), 'rows of W hold a block for each 32 of k');
  const ax = axes({ i: M, j: N, tile: K.div(64), block: 2, half: 2, e: 16 });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const t of ax.tile) for (const b of ax.block) for (const h of ax.half) for (const e of ax.e) {
      const at = t.mul(36).add(b.mul(18));
      acc.addAssign(X.at(i, t.mul(64).add(b.mul(32)).add(h.mul(16)).add(e)).to('f32').mul(q4_0(W.at(j, at.add(e).add(2)), h, W.as('f16', j, at))));
    }
    C.at(i, j).set(acc.to('f16'));
  }
  return ax;
});

const f16 = (o) => (s, { i, j, k }) => tensorGemm(s, { i, j, k }, { A: 'X', B: 'W', acc: 'acc', dtype: 'f16' }, o);
const parts = (o) => (s, ax) => {
  tensorGemm(s, { batch: ax.part, i: ax.i, j: ax.j, k: [ax.tile, ax.k] }, { A: 'X', B: 'W', acc: 'acc', dtype: 'f16' }, o);
  gridMap(s, [ax.row, ax.col]);
};
const q4 = (o) => (s, ax) => tensorQ4(s, ax, { X: 'X', W: 'W', acc: 'acc' }, o);

/** Columns of C, and k: a layer of a model of 7 billion weights. */
export const N = 11008, K = 4096;
/** What is measured: rows of X, and schedules by name. `tiles`: of a part of k. */
export const skinny = [
  ...[16, 64].flatMap((m) => [
    { name: 'f16', kernel: whole, m, schedules: { 'warps of 16x32, 16x128 ring 4': f16({ tile: [16, 128], warp: [16, 32], stages: 4 }), 'warps of 16x16, 16x64 ring 4': f16({ tile: [16, 64], warp: [16, 16], stages: 4 }) } },
    { name: 'f16 in parts', kernel: inParts('f16', 16, ['X', 'W']), tiles: 16, m, schedules: { 'warps of 16x32, 16x128 ring 4': parts({ tile: [16, 128], warp: [16, 32], stages: 4 }) } },
  ]),
  ...[16, 64].map((m) => ({ name: 'q4_0', kernel: blocks, m, schedules: {
    'warps of 16x32, 16x128 ring 4': q4({ tile: [16, 128], warp: [16, 32], stages: 4 }), 'warps of 16x16, 16x64 ring 4': q4({ tile: [16, 64], warp: [16, 16], stages: 4 }), 'warps of 32x32, 64x64 ring 4': q4({ tile: [64, 64], warp: [32, 32], stages: 4 }),
  } })),
  ...[256, 4096].map((m) => ({ name: 'q4_0', kernel: blocks, m, schedules: {
    'warps of 64x32, 128x128 ring 3': q4({ tile: [128, 128], warp: [64, 32], stages: 3 }), 'warps of 64x32, 256x64 ring 3': q4({ tile: [256, 64], warp: [64, 32], stages: 3 }), 'warps of 64x32, 128x64 ring 4': q4({ tile: [128, 64], warp: [64, 32], stages: 4 }),
  } })),
];
