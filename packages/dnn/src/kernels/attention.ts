import { assume, axes, exp, kernel, named, reg, region, scalar, scratch, tensor, value } from '@quern/kernel-dsl';
import type { Axis } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';
import { elementwise, lanewise } from './loops.ts';

/** Positions whose scores are held at a time. */
const BLOCK = 32;

/**
 * Causal attention with grouped queries: token t of head h looks at the cache's positions 0 to pos + t, with the keys and values of group
 * h / (H / G). Softmax is online (Milakov and Gimelshein, 2018; Dao et al., "FlashAttention", 2022): block by block, what was summed
 * so far fades by exp(old maximum - new maximum), so no row of scores is ever stored.
 */
const attention = (dtype: 'f16' | 'f32'): DnnKernel => define(
  `attention_${dtype}`,
  (name) => kernel(name, {
    q: tensor('f32', 'T', 'H', 'E'), K: tensor(dtype, 'C', 'G', 'E'), V: tensor(dtype, 'C', 'G', 'E'), pos: scalar('i32'), scale: scalar('f32'), y: tensor('f32', 'T', 'H', 'E').out(),
  }, ({ q, K, V, pos, scale, y, T, H, E, C, G }) => {
    const at = pos.to('i64');
    assume(at.ge(0), 'pos >= 0');
    assume(at.add(T).le(C), 'pos + T <= C: the cache holds all tokens');
    assume(G.gt(0), 'G > 0');
    assume(H.mod(G).eq(0), 'H is a multiple of G: each group of heads shares keys and values');
    const ax = axes({ h: H, t: T, z: E, e: E, m: BLOCK, x: BLOCK, o: E, f: E });
    let parts!: { readonly c: Axis; readonly j: Axis; readonly i: Axis };
    for (const h of ax.h) for (const t of ax.t) {
      const g = named('g', h.div(H.div(G))), seen = named('seen', at.add(t).add(1));
      const top = reg('f32', -Infinity, 'top'), sum = reg('f32', 0, 'sum');
      for (const z of ax.z) y.at(t, h, z).set(0);
      const { c: blocks } = axes({ c: seen.add(BLOCK - 1).div(BLOCK) });
      for (const c of blocks) {
        const score = scratch('f32', 'score', BLOCK);
        const count = named('count', seen.sub(c.mul(BLOCK)).min(BLOCK));
        const { j: js, n: none, i: is } = axes({ j: count, n: value('i64', BLOCK).sub(count), i: count });
        parts = { c: blocks, j: js, i: is };
        region('scores of a block of positions', () => {
          for (const j of js) {
            const dot = reg('f32', 0, 'dot');
            for (const e of ax.e) dot.addAssign(q.at(t, h, e).mul(K.at(c.mul(BLOCK).add(j), g, e).to('f32')));
            score.at(j).set(dot.mul(scale));
          }
          for (const n of none) score.at(count.add(n)).set(-Infinity);
        });
        region('their weights, relative to the largest score so far', () => {
          const high = reg('f32', top, 'high'), part = reg('f32', 0, 'part');
          for (const m of ax.m) high.maxAssign(score.at(m));
          for (const x of ax.x) {
            score.at(x).set(exp(score.at(x).sub(high)));
            part.addAssign(score.at(x));
          }
          const fade = named('fade', exp(top.sub(high)));
          sum.set(sum.mul(fade).add(part));
          top.set(high);
          for (const o of ax.o) {
            const acc = reg('f32', y.at(t, h, o).mul(fade));
            for (const i of is) acc.addAssign(score.at(i).mul(V.at(c.mul(BLOCK).add(i), g, o).to('f32')));
            y.at(t, h, o).set(acc);
          }
        });
      }
      for (const f of ax.f) y.at(t, h, f).set(y.at(t, h, f).div(sum));
    }
    return { ...ax, ...parts };
  }),
  (s, { h, z, e, j, m, x, o, f }) => {
    elementwise(s, z);
    elementwise(s, f);
    lanewise(s, e, 'dot');
    const [, four] = s.split(j, 4, { tail: 'peel' });
    s.jam(four);
    s.rfactor('high', m);
    s.vectorize(m);
    s.rfactor('part', x);
    s.vectorize(x);
    const [, side] = s.split(elementwise(s, o), 4, { tail: 'peel' });
    s.jam(side);
    s.parallel(h);
  },
);

export const ATTENTION: readonly DnnKernel[] = [attention('f32'), attention('f16')];
