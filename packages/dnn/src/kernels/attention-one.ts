import { axes, exp, named, reg, region, rowReduction, scratch, streamingMap, value } from '@quern/kernel-dsl';
import type { Axis, Schedule, Val } from '@quern/kernel-dsl';
import { BLOCK, LOWEST } from './attention-inputs.ts';
import type { AttentionInputs } from './attention-inputs.ts';

/** Loops of {@link oneToken} that its schedule names. */
type OneAxes = Readonly<Record<'zero' | 'last' | 'e' | 'j' | 'm' | 'x' | 'o', Axis>>;

/**
 * One token of one head. Softmax is online (Milakov and Gimelshein, 2018; Dao et al., "FlashAttention", 2022): block by block, what was
 * summed so far fades by exp(old maximum - new maximum), so no row of scores is ever stored. Lanes are elements of a head.
 */
export function oneToken({ q, K, V, y, scale, E }: AttentionInputs, t: Val<'i64'>, h: Val<'i64'>, g: Val<'i64'>, seen: Val<'i64'>): OneAxes {
  const ax = axes({ zero: E, block: seen.add(BLOCK - 1).div(BLOCK), e: E, m: BLOCK, x: BLOCK, o: E, last: E });
  let inner!: { readonly j: Axis; readonly i: Axis };
  const top = reg('f32', LOWEST, 'top'), sum = reg('f32', 0, 'sum');
  for (const z of ax.zero) y.at(t, h, z).set(0);
  for (const c of ax.block) {
    const score = scratch('f32', 'score', BLOCK), count = named('count', seen.sub(c.mul(BLOCK)).min(BLOCK));
    const loops = axes({ j: count, none: value('i64', BLOCK).sub(count), i: count });
    inner = loops;
    region('scores of a block of positions', () => {
      for (const j of loops.j) {
        const dot = reg('f32', 0, 'dot');
        for (const e of ax.e) dot.addAssign(q.at(t, h, e).mul(K.at(c.mul(BLOCK).add(j), g, e).to('f32')));
        score.at(j).set(dot.mul(scale));
      }
      for (const n of loops.none) score.at(count.add(n)).set(-Infinity);
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
        for (const i of loops.i) acc.addAssign(score.at(i).mul(V.at(c.mul(BLOCK).add(i), g, o).to('f32')));
        y.at(t, h, o).set(acc);
      }
    });
  }
  for (const f of ax.last) y.at(t, h, f).set(y.at(t, h, f).div(sum));
  return { ...ax, ...inner };
}

export function scheduleOne(s: Schedule, ax: OneAxes): void {
  streamingMap(s, ax.zero);
  streamingMap(s, ax.last);
  rowReduction(s, ax.e, 'dot');
  s.interleave(ax.j, 4);
  s.rfactor('high', ax.m);
  s.vectorize(ax.m);
  s.rfactor('part', ax.x);
  s.vectorize(ax.x);
  const [, side] = s.split(streamingMap(s, ax.o), s.target.vectorRegisters === 32 ? 8 : 4, { tail: 'peel' });
  s.jam(side);
}
