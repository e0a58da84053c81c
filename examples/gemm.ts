// C += A B, at the speed of a tuned library: a tile of C in registers, panels of A and B packed so that they are read in order (Goto, 2008).
import { axes, goto, gotoCandidates, kernel, tensor } from '@quern/kernel-dsl';
import type { GotoBlocks, InterpretArg, Schedule, Target } from '@quern/kernel-dsl';

export const algorithm = kernel('gemm', { A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').inout() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(A.at(i, k).mul(B.at(k, j)));
  return ax;
});

const scheduled = (s: Schedule, ax: typeof algorithm.axes, blocks: GotoBlocks): void => goto(s, ax, { A: 'A', B: 'B', C: 'C' }, blocks);

export const cpu = (s: Schedule, ax: typeof algorithm.axes): void => {
  // Registers: 4 rows of 2 vectors. Panels: 64 x 256 of A in the second cache, 256 x 1024 of B in the third.
  scheduled(s, ax, { mr: 4, nr: 2 * s.vec('f32'), mc: 64, kc: 256, nc: 1024 });
};

/** Which blocks are best depends on the machine: `quern tune examples/gemm.ts` measures these. */
export const tuning = {
  candidates: (t: Target): readonly GotoBlocks[] => [{ mr: 4, nr: (2 * t.vecBytes) / 4, mc: 64, kc: 256, nc: 1024 }, ...gotoCandidates(t, 4, { l1d: 32 << 10, l2: 1 << 20, l3: 16 << 20 })],
  schedule: scheduled,
};

export const sample = (): Record<string, InterpretArg> => {
  const matrix = (m: number, n: number, f: (x: number) => number): InterpretArg => ({ data: Float32Array.from({ length: m * n }, (_, i) => f(i)), shape: [m, n] });
  return { A: matrix(37, 29, Math.sin), B: matrix(29, 45, Math.cos), C: matrix(37, 45, () => 1) };
};
