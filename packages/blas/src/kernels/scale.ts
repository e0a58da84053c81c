import { axes, kernel, lower, scalar, schedule, tensor, when } from '@quern/kernel-dsl';
import type { Axis, Kernel, KernelIR, Target } from '@quern/kernel-dsl';
import type { GemmType } from './gemm.ts';

/** C = beta * C; with beta = 0, C is written and never read, so that NaN in it does not survive. */
export function scale(T: GemmType): Kernel<{ readonly i: Axis<'i'>; readonly j: Axis<'j'>; readonly zi: Axis<'zi'>; readonly zj: Axis<'zj'> }> {
  return kernel(`scale_${T}`, { beta: scalar(T), C: tensor(T, 'M', 'N').inout() }, ({ beta, C, M, N }) => {
    const ax = axes({ i: M, j: N, zi: M, zj: N });
    when(beta.eq(0), () => {
      for (const i of ax.zi) for (const j of ax.zj) C.at(i, j).set(0);
    }, () => {
      for (const i of ax.i) for (const j of ax.j) C.at(i, j).mulAssign(beta);
    });
    return ax;
  });
}

/** The kernel, scheduled and lowered: rows in parallel, vectors along a row. */
export function buildScale(T: GemmType, t: Target): KernelIR {
  return lower(schedule(scale(T), t, (s, ax) => {
    for (const [i, j] of [[ax.i, ax.j], [ax.zi, ax.zj]] as const) {
      const [, lanes] = s.split(j, s.vec(T), { tail: 'peel' });
      s.vectorize(lanes);
      s.parallel(i);
    }
  }).ir, t);
}
