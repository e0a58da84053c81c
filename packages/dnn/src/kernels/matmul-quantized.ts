import { assume, axes, dot4, kernel, reg, scratch, tensor } from '@quern/kernel-dsl';
import type { Target } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';
import { BLOCK, Q4_0, Q8_0, WEIGHTS, scaleOf } from './formats.ts';
import type { BlockFormat } from './formats.ts';
import { PANEL } from './quantize.ts';

/** Rows of weights that one thread takes at a time: with the panels of x that they meet, they stay in its L2 cache. */
const ROWS_PER_TASK = 64;

/** The register tile: rows x panels, each with an integer and a float sum. */
const tile = (t: Target): { readonly rows: number; readonly panels: number } =>
  t.vecBytes === 64 ? { rows: 4, panels: 2 } : t.vecBytes === 32 ? { rows: 2, panels: 1 } : { rows: 1, panels: 1 };

/**
 * y[t, r] = sum over blocks b of scale[r, b] * d[t, b] * (integer dot product), or y += that, for the panels of 16 tokens that quantize_q8_panels
 * makes. Lanes are tokens: a word of weights is unpacked once for all tokens of the tile.
 */
function matmul<N extends number>(f: BlockFormat<N>, accumulate: boolean): DnnKernel {
  const out = tensor('f32', 'T', 'R');
  return define(
    `matmul_${f.name}${accumulate ? '_acc' : ''}`,
    (name) => kernel(name, {
      W: tensor('u8', 'R', 'NB', f.bytes), q: tensor('i32', 'P', 'NB', (BLOCK / 4) * PANEL), d: tensor('f32', 'P', 'NB', PANEL), s: tensor('i32', 'P', 'NB', PANEL),
      y: accumulate ? out.inout() : out.out(),
    }, ({ W, q, d, s, y, R, NB, P, T }) => {
      assume(T.le(P.mul(PANEL)), 'T <= 16 P: the panels hold all tokens');
      const ax = axes({ p: P, r: R, l: PANEL, b: NB, w: f.words });
      for (const p of ax.p) for (const r of ax.r) {
        const sums = scratch('f32', 'sums', PANEL);
        for (const l of ax.l) {
          const acc = reg('f32', 0);
          for (const b of ax.b) {
            const dot = reg('i32', s.at(p, b, l).mul(-f.bias), 'dot');
            for (const w of ax.w) for (const [u, word] of f.terms(W.as('u32', r, b, w.mul(4).add(WEIGHTS)), w)) dot.set(dot4(dot, u, q.at(p, b, word.mul(PANEL).add(l))));
            acc.addAssign(scaleOf(W, r, b).mul(d.at(p, b, l)).mul(dot.to('f32')));
          }
          sums.at(l).set(acc);
        }
        const out = axes({ o: T.sub(p.mul(PANEL)).min(PANEL) });
        for (const o of out.o) {
          const cell = y.at(p.mul(PANEL).add(o), r);
          if (accumulate) cell.addAssign(sums.at(o));
          else cell.set(sums.at(o));
        }
      }
      return ax;
    }),
    (s, { p, r, l, w }) => {
      const { rows, panels } = tile(s.target);
      s.vectorize(l);
      const [task, r1] = s.split(r, ROWS_PER_TASK);
      s.reorder(task, p, r1);
      s.parallel(task);
      const [, ri] = s.split(r1, rows, { tail: 'peel' });
      s.jam(ri);
      const [, pi] = s.split(p, panels, { tail: 'peel' });
      s.jam(pi);
    },
  );
}

export const MATMUL_QUANTIZED: readonly DnnKernel[] = [matmul(Q4_0, false), matmul(Q4_0, true), matmul(Q8_0, false), matmul(Q8_0, true)];
