import { assume, axes, kernel, named, scalar, select, tensor } from '@quern/kernel-dsl';
import type { AttentionInputs } from './attention-inputs.ts';
import { LANES, MOST, manyTokens, scheduleMany } from './attention-many.ts';
import { oneToken, scheduleOne } from './attention-one.ts';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

/**
 * Causal attention with grouped queries: token t of head h looks at the cache's positions 0 to pos + t, with the keys and values of group
 * h / (H / G). Prompts go in groups of 16 tokens, the rest one by one.
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
    const inputs = { q, K, V, y, scale, E } as AttentionInputs;
    const groups = named('groups', select(E.le(MOST), T.div(LANES), 0)), single = named('single', groups.mul(LANES));
    const ax = axes({ h: H, group: groups, t: T.sub(single) });
    let many!: ReturnType<typeof manyTokens>, one!: ReturnType<typeof oneToken>;
    for (const h of ax.h) {
      const g = named('g', h.div(H.div(G)));
      for (const n of ax.group) many = manyTokens(inputs, n.mul(LANES), h, g, named('seen', at.add(n.mul(LANES)).add(1)));
      for (const t of ax.t) one = oneToken(inputs, named('token', single.add(t)), h, g, named('visible', at.add(single).add(t).add(1)));
    }
    return { ...many, ...one, h: ax.h };
  }),
  (s, ax) => {
    scheduleMany(s, ax);
    scheduleOne(s, ax);
    s.parallel(ax.h);
  },
);

export const ATTENTION: readonly DnnKernel[] = [attention('f32'), attention('f16')];
