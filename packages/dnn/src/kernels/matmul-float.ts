import { axes, goto, kernel, tensor } from '@quern/kernel-dsl';
import type { GotoBlocks, Target } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';
import { elementwise } from './loops.ts';

const blocks = (t: Target): GotoBlocks =>
  t.vecBytes === 64 ? { mr: 6, nr: 64, mc: 168, kc: 384, nc: 768 }
  : t.vecBytes === 32 ? { mr: 6, nr: 16, mc: 96, kc: 256, nc: 768 }
  : { mr: 4, nr: 8, mc: 96, kc: 256, nc: 768 };

/** y[t, r] = sum_k x[t, k] * W[r, k], or y += that, by the five loops of Goto and van de Geijn; f16 weights are widened as they are packed. */
function matmul(dtype: 'f16' | 'f32', accumulate: boolean): DnnKernel {
  return define(
    `matmul_${dtype}${accumulate ? '_acc' : ''}`,
    (name) => kernel(name, { W: tensor(dtype, 'R', 'D'), x: tensor('f32', 'T', 'D'), y: accumulate ? tensor('f32', 'T', 'R').inout() : tensor('f32', 'T', 'R').out() }, ({ W, x, y, R, T, D }) => {
      const ax = axes({ z: T, c: R, i: T, j: R, k: D });
      if (!accumulate) for (const z of ax.z) for (const c of ax.c) y.at(z, c).set(0);
      for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) y.at(i, j).addAssign(x.at(i, k).mul(W.at(j, k).to('f32')));
      return ax;
    }),
    (s, ax) => {
      if (!accumulate) {
        elementwise(s, ax.c);
        s.parallel(ax.z);
      }
      goto(s, ax, { A: 'x', B: 'W', C: 'y' }, blocks(s.target));
    },
  );
}

export const MATMUL_FLOAT: readonly DnnKernel[] = [matmul('f32', false), matmul('f32', true), matmul('f16', false), matmul('f16', true)];
