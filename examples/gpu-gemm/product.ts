// The product that the first rungs compute: C = A B in f32. What changes from rung to rung is the schedule alone.
import { axes, kernel, reg, tensor } from '@quern/kernel-dsl';
import type { Axis, InterpretArg, Kernel } from '@quern/kernel-dsl';

export type ProductAxes = Readonly<Record<'i' | 'j' | 'k', Axis>>;

export const product: Kernel<ProductAxes> = kernel('gemm', { A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(A.at(i, k).mul(B.at(k, j)));
    C.at(i, j).set(acc);
  }
  return ax;
});

export const sample = (): Record<string, InterpretArg> => {
  const matrix = (m: number, n: number, f: (x: number) => number): InterpretArg => ({ data: Float32Array.from({ length: m * n }, (_, i) => f(i)), shape: [m, n] });
  return { A: matrix(37, 29, Math.sin), B: matrix(29, 45, Math.cos), C: matrix(37, 45, () => 0) };
};
