import { axes, goto, kernel, lower, scalar, schedule, tensor, when } from '@quern/kernel-dsl';
import type { Axis, GotoBlocks, Kernel, KernelIR, Schedule, Target } from '@quern/kernel-dsl';

/** The float types that gemm computes in. */
export type GemmType = 'f32' | 'f64';
/**
 * How A and B lie in memory, all row-major: `n` as they are multiplied, `t` transposed. `any`: every matrix with strides of its own,
 * for operands that have no unit stride; elements are gathered while packing.
 */
export type GemmLayout = 'nn' | 'nt' | 'tn' | 'tt' | 'any';
/** Every layout, in the order in which kernels are generated. */
export const GEMM_LAYOUTS: readonly GemmLayout[] = ['nn', 'nt', 'tn', 'tt', 'any'];

/** The loops of the algorithm: C = 0, C = beta C, and the product. */
export type GemmAxes = { readonly [name in 'zi' | 'zj' | 'si' | 'sj' | 'i' | 'j' | 'k']: Axis<name> };

/** The name of a kernel in the library. */
export const gemmName = (T: GemmType, layout: GemmLayout): string => `gemm_${layout}_${T}`;

/**
 * The algorithm: C[M,N] = alpha op(A) op(B) + beta C, row-major. With beta = 0, C is written and never read, so that NaN in it does
 * not survive; with alpha = 0, A and B are not read.
 */
export function gemm(T: GemmType, layout: GemmLayout): Kernel<GemmAxes> {
  const [ta, tb] = [layout[0] === 't', layout[1] === 't'];
  const A = ta ? tensor(T, 'K', 'M') : tensor(T, 'M', 'K'), B = tb ? tensor(T, 'N', 'K') : tensor(T, 'K', 'N'), C = tensor(T, 'M', 'N').inout();
  const params = layout === 'any' ? { A: A.strided(), B: B.strided(), C: C.strided() } : { A, B, C };
  return kernel(gemmName(T, layout), { ...params, alpha: scalar(T), beta: scalar(T) }, ({ A, B, C, alpha, beta, M, N, K }) => {
    const ax = axes({ zi: M, zj: N, si: M, sj: N, i: M, j: N, k: K });
    when(beta.eq(0), () => {
      for (const i of ax.zi) for (const j of ax.zj) C.at(i, j).set(0);
    }, () => {
      when(beta.ne(1), () => {
        for (const i of ax.si) for (const j of ax.sj) C.at(i, j).mulAssign(beta);
      });
    });
    when(alpha.ne(0), () => {
      for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) {
        C.at(i, j).addAssign(alpha.mul(ta ? A.at(k, i) : A.at(i, k)).mul(tb ? B.at(j, k) : B.at(k, j)));
      }
    });
    return ax;
  });
}

/**
 * Block sizes of a target, by rule:
 * - The register tile fills the vector registers but for one broadcast and the loads of B: 6 x 4 vectors of 32, 6 x 2 of 16; 4 x 2 where
 *   products need a register before they are added.
 * - kc: with 16 registers a micro-panel of A (kc x mr) and one of B (kc x nr) share an L1 of 32 KB. With 32 the panel of B is too wide for
 *   that, only A's stays; longer sums then mean fewer passes over C.
 * - mc: what threads take at a time; small, for even shares. Nothing is won by larger ones, since B streams by for every micro-panel of A.
 * - nc: packed B takes 4 MB, a thread's share of L3 on server processors.
 */
export function gemmBlocks(T: GemmType, t: Target): GotoBlocks {
  const bytes = T === 'f32' ? 4 : 8, lanes = t.vecBytes / bytes, wide = t.vectorRegisters >= 32;
  const tile = wide ? { mr: 6, vectors: 4 } : t.fma ? { mr: 6, vectors: 2 } : { mr: 4, vectors: 2 };
  const kc = wide ? 512 : 256;
  return { mr: tile.mr, nr: tile.vectors * lanes, mc: 24, kc, nc: (4 << 20) / (kc * bytes) };
}

/** The schedule: C is scaled row by row in vectors, the product runs in Goto's loops. */
export function scheduleGemm(s: Schedule, ax: GemmAxes, T: GemmType, b: GotoBlocks): void {
  for (const [i, j] of [[ax.zi, ax.zj], [ax.si, ax.sj]] as const) {
    const [, lanes] = s.split(j, s.vec(T), { tail: 'peel' });
    s.vectorize(lanes);
    s.parallel(i);
  }
  goto(s, ax, { A: 'A', B: 'B', C: 'C' }, b, { partial: true });
}

/** The kernel, scheduled and lowered for a target. */
export function buildGemm(T: GemmType, layout: GemmLayout, t: Target): KernelIR {
  return lower(schedule(gemm(T, layout), t, (s, ax) => scheduleGemm(s, ax, T, gemmBlocks(T, t))).ir, t);
}
