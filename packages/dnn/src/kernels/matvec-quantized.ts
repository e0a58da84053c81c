import { axes, dot4, gemv, kernel, reg, tensor } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';
import { BLOCK, Q4_0, Q8_0, WEIGHTS, biasWord, once, scaleOf } from './formats.ts';
import type { BlockFormat } from './formats.ts';

/** Rows that are computed side by side, sharing the loads of x: each from another part of the matrix, so that memory is read in long runs. */
const STREAMS = 4;

/**
 * y[r] = sum over blocks b of scale[r, b] * d[b] * (integer dot product of the block with q[b]), or y += that.
 * Weights are read as they lie in the file. Each word of activations has a lane of its own; lanes are added at the end.
 */
function matvec<N extends number>(f: BlockFormat<N>, accumulate: boolean): DnnKernel {
  const out = tensor('f32', 'R');
  return define(
    `matvec_${f.name}${accumulate ? '_acc' : ''}`,
    (name) => kernel(name, { W: tensor('u8', 'R', 'NB', f.bytes), q: tensor('u8', 'NB', BLOCK), d: tensor('f32', 'NB'), y: accumulate ? out.inout() : out.out() }, ({ W, q, d, y, R, NB }) => {
      const ax = axes({ r: R, b: NB, x: BLOCK / 4 });
      for (const r of ax.r) {
        const acc = reg('f32', 0);
        for (const b of ax.b) {
          for (const x of ax.x) {
            const { word, pick } = f.partner(x), activations = q.as('i32', b, x.mul(4));
            const bias = dot4(0, biasWord(f, x), activations);
            const dot = dot4(bias.neg(), pick(W.as('u32', r, b, word.mul(4).add(WEIGHTS))), activations);
            acc.addAssign(scaleOf(W, r, b).mul(once(f, x, d.at(b))).mul(dot.to('f32')));
          }
        }
        if (accumulate) y.at(r).addAssign(acc);
        else y.at(r).set(acc);
      }
      return ax;
    }),
    (s, { r, x }) => {
      s.rfactor('acc', x);
      s.vectorize(x);
      gemv(s, { r }, 'acc', { streams: STREAMS });
    },
  );
}

export const MATVEC_QUANTIZED: readonly DnnKernel[] = [matvec(Q4_0, false), matvec(Q4_0, true), matvec(Q8_0, false), matvec(Q8_0, true)];
