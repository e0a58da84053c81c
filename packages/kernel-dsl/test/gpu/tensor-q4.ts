/** A product with 4-bit weights, which the tests of warps and those on devices share. */
import { q4_0 } from '../../src/instructions/index.ts';
import { assume, axes, kernel, reg, tensor } from '../../src/lang/index.ts';
import type { Axis, Kernel } from '../../src/lang/index.ts';
import { tensorQ4 } from '../../src/library/gpu/index.ts';
import type { TensorGemm } from '../../src/library/gpu/index.ts';
import { f32ToF16 } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { ScheduledKernel } from '../../src/schedule/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { TensorValue } from '../emit/harness.ts';

/** C = X Wᵀ, rows of W being blocks of 18 bytes for each 32 of k. */
export const q4Gemm: Kernel<Record<'i' | 'j' | 'tile' | 'block' | 'half' | 'e', Axis>> = kernel('gemm_q4_0', { X: tensor('f16', 'M', 'K'), W: tensor('u8', 'N', 'R'), C: tensor('f32', 'M', 'N').out() }, ({ X, W, C, M, N, K, R }) => {
  assume(R.ge(K.div(64).mul(36)), 'rows of W hold a block for each 32 of k');
  const ax = axes({ i: M, j: N, tile: K.div(64), block: 2, half: 2, e: 16 });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const t of ax.tile) for (const b of ax.block) for (const h of ax.half) for (const e of ax.e) {
      const at = t.mul(36).add(b.mul(18));
      acc.addAssign(X.at(i, t.mul(64).add(b.mul(32)).add(h.mul(16)).add(e)).to('f32').mul(q4_0(W.at(j, at.add(e).add(2)), h, W.as('f16', j, at))));
    }
    C.at(i, j).set(acc);
  }
  return ax;
});
export const scheduledQ4 = (t: Target, o: TensorGemm): ScheduledKernel => schedule(q4Gemm, t, (s, ax) => tensorQ4(s, ax, { X: 'X', W: 'W', acc: 'acc' }, o));

/** Whole numbers, and scales that are powers of two: sums are exact. */
export function q4Args(M: number, N: number, K: number): Record<'X' | 'W' | 'C', TensorValue> {
  const R = (K / 32) * 18, W = new Uint8Array(N * R);
  for (let b = 0; b < N * (K / 32); b++) {
    const scale = f32ToF16(2 ** ((b % 4) - 2));
    W[b * 18] = scale & 255;
    W[b * 18 + 1] = scale >> 8;
    for (let e = 0; e < 16; e++) W[b * 18 + 2 + e] = (b * 31 + e * 57 + (b >> 3)) & 255;
  }
  return { X: { data: Uint16Array.from({ length: M * K }, (_, i) => f32ToF16(((i * 5 + (i >> 4)) % 7) - 3)), shape: [M, K] }, W: { data: W, shape: [N, R] }, C: { data: new Float32Array(M * N).fill(77), shape: [M, N] } };
}
