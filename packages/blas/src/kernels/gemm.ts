import { axes, goto, kernel, lower, scalar, schedule, tensor } from '@quern/kernel-dsl';
import type { Axis, GotoBlocks, Kernel, KernelIR, Target } from '@quern/kernel-dsl';

/** The float types that gemm computes in. */
export type GemmType = 'f32' | 'f64';
/** How A and B lie in memory: `n` as they are multiplied, `t` transposed. */
export type GemmLayout = 'nn' | 'nt' | 'tn' | 'tt';
/** Every layout, in the order in which kernels are generated. */
export const GEMM_LAYOUTS: readonly GemmLayout[] = ['nn', 'nt', 'tn', 'tt'];

/** The algorithm: C[M,N] += alpha * op(A) * op(B), row-major. C's own factor beta is applied before, by `scale`. */
export function gemm(T: GemmType, layout: GemmLayout): Kernel<{ readonly i: Axis<'i'>; readonly j: Axis<'j'>; readonly k: Axis<'k'> }> {
  const [ta, tb] = [layout[0] === 't', layout[1] === 't'];
  const name = `gemm_${layout}_${T}`;
  return kernel(name, {
    alpha: scalar(T),
    A: ta ? tensor(T, 'K', 'M') : tensor(T, 'M', 'K'),
    B: tb ? tensor(T, 'N', 'K') : tensor(T, 'K', 'N'),
    C: tensor(T, 'M', 'N').inout(),
  }, ({ alpha, A, B, C, M, N, K }) => {
    const ax = axes({ i: M, j: N, k: K });
    for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) {
      C.at(i, j).addAssign(alpha.mul(ta ? A.at(k, i) : A.at(i, k)).mul(tb ? B.at(j, k) : B.at(k, j)));
    }
    return ax;
  });
}

/**
 * Blocks by formula: the register tile fills the vector registers but for one broadcast and the loads of B;
 * a panel of B stays in L1, a block of A in L2, the packed B in L3.
 */
export function gemmBlocks(T: GemmType, t: Target): GotoBlocks {
  const lanes = t.vecBytes / (T === 'f32' ? 4 : 8);
  const tile = t.vectorRegisters >= 32 ? { mr: 6, vectors: 4 } : t.fma ? { mr: 6, vectors: 2 } : { mr: 4, vectors: 2 };
  const kc = T === 'f32' ? 512 : 256;
  return { mr: tile.mr, nr: tile.vectors * lanes, mc: T === 'f32' ? 168 : 168, kc, nc: 3072 };
}

/** The kernel, scheduled and lowered for a target. */
export function buildGemm(T: GemmType, layout: GemmLayout, t: Target): KernelIR {
  const b = gemmBlocks(T, t);
  return lower(schedule(gemm(T, layout), t, (s, ax) => goto(s, ax, { A: 'A', B: 'B', C: 'C' }, b)).ir, t);
}
