// A product in parts of k, as benchmarks/gpu/kernels.mjs and benchmarks/gpu/skinny.mjs schedule it.
import { assume, axes, kernel, reg, tensor, when } from '@quern/kernel-dsl';

/** C = A Bᵀ, both with dense rows along k, in parts of k, each of so many tiles of 64: their sums lie in P, in f32, until a second launch adds them up, in order. `a`, `b`: what the factors are called. */
export const inParts = (dtype, tiles, [a, b] = ['A', 'B']) => kernel(`gemm_${dtype}_by_${tiles}`, { [a]: tensor(dtype, 'M', 'K'), [b]: tensor(dtype, 'N', 'K'), P: tensor('f32', 'S', 'M', 'N').inout(), C: tensor(dtype, 'M', 'N').out() }, ({ [a]: A, [b]: B, P, C, M, N, K, S }) => {
  assume(S.mul(64 * tiles).ge(K), 'the parts cover k');
  const ax = axes({ part: S, i: M, j: N, tile: tiles, k: 64, row: M, col: N, each: S });
  for (const s of ax.part) for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const t of ax.tile) for (const x of ax.k) {
      const k = s.mul(tiles).add(t).mul(64).add(x);
      when(k.lt(K), () => acc.addAssign(A.at(i, k).to('f32').mul(B.at(j, k).to('f32'))));
    }
    P.at(s, i, j).set(acc);
  }
  for (const i of ax.row) for (const j of ax.col) {
    const sum = reg('f32', 0, 'sum');
    for (const s of ax.each) sum.addAssign(P.at(s, i, j));
    C.at(i, j).set(sum.to(dtype));
  }
  return ax;
});
