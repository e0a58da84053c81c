// The product that the rungs with tensor cores compute: C = A Bᵀ, factors and result in bf16, sums in f32. Both factors lie in rows along k.
import { axes, f32ToBf16, kernel, reg, tensor } from '@quern/kernel-dsl';
import type { Axis, InterpretArg, Kernel } from '@quern/kernel-dsl';

export type ProductAxes = Readonly<Record<'i' | 'j' | 'k', Axis>>;

export const product: Kernel<ProductAxes> = kernel('gemm_bf16', { A: tensor('bf16', 'M', 'K'), B: tensor('bf16', 'N', 'K'), C: tensor('bf16', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(A.at(i, k).to('f32').mul(B.at(j, k).to('f32')));
    C.at(i, j).set(acc.to('bf16'));
  }
  return ax;
});

const numbers = (n: number): Uint16Array => Uint16Array.from({ length: n }, (_, i) => f32ToBf16(Math.sin(i)));
export const sample = (): Record<string, InterpretArg> => ({ A: { data: numbers(37 * 32), shape: [37, 32] }, B: { data: numbers(45 * 32), shape: [45, 32] }, C: { data: new Uint16Array(37 * 45), shape: [37, 45] } });
