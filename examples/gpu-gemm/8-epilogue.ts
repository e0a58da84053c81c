// Rung 8: what is done with a sum is written where it is used, C = relu(scale A Bᵀ + bias), and happens in the registers that hold the sums. The schedule is rung 7's.
import { axes, kernel, reg, scalar, tensor, value } from '@quern/kernel-dsl';
import type { InterpretArg, Kernel } from '@quern/kernel-dsl';
import { sample as factors } from './half-product.ts';
import type { ProductAxes } from './half-product.ts';

export { gpu, isa } from './7-persistent.ts';

export const algorithm: Kernel<ProductAxes> = kernel('gemm_bias_relu', {
  A: tensor('bf16', 'M', 'K'), B: tensor('bf16', 'N', 'K'), bias: tensor('f32', 'N'), scale: scalar('f32'), C: tensor('bf16', 'M', 'N').out(),
}, ({ A, B, bias, scale, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(A.at(i, k).to('f32').mul(B.at(j, k).to('f32')));
    C.at(i, j).set(acc.mul(scale).add(bias.at(j)).max(value('f32', 0)).to('bf16'));
  }
  return ax;
});

export const sample = (): Record<string, InterpretArg> => ({ ...factors(), bias: { data: Float32Array.from({ length: 45 }, (_, i) => i / 16 - 1), shape: [45] }, scale: 0.5 });
