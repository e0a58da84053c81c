import { assume, axes, kernel, named, scalar, schedule, select, tensor } from '@quern/kernel-dsl';
import type { Axis, Kernel, Val } from '@quern/kernel-dsl';
import type { AttentionInputs } from './attention-inputs.ts';
import { LANES, MOST, manyTokens, scheduleMany } from './attention-many.ts';
import { oneToken, scheduleOne } from './attention-one.ts';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

/** The arguments of attention and what must hold of them; `body` computes with them. */
const attentionOf = <A extends Readonly<Record<string, Axis>>>(name: string, dtype: 'f16' | 'f32', body: (x: AttentionInputs & { readonly at: Val<'i64'>; readonly T: Val<'i64'>; readonly H: Val<'i64'>; readonly G: Val<'i64'> }) => A): Kernel<A> => kernel(name, {
  q: tensor('f32', 'T', 'H', 'E'), K: tensor(dtype, 'C', 'G', 'E'), V: tensor(dtype, 'C', 'G', 'E'), pos: scalar('i32'), scale: scalar('f32'), y: tensor('f32', 'T', 'H', 'E').out(),
}, ({ q, K, V, pos, scale, y, T, H, E, C, G }) => {
  const at = pos.to('i64');
  assume(at.ge(0), 'pos >= 0');
  assume(at.add(T).le(C), 'pos + T <= C: the cache holds all tokens');
  assume(G.gt(0), 'G > 0');
  assume(H.mod(G).eq(0), 'H is a multiple of G: each group of heads shares keys and values');
  return body({ ...({ q, K, V, y, scale, E } as AttentionInputs), at, T, H, G });
});

/**
 * Causal attention with grouped queries: token t of head h looks at the cache's positions 0 to pos + t, with the keys and values of group
 * h / (H / G). Prompts go in groups of 16 tokens, the rest one by one.
 */
const attention = (dtype: 'f16' | 'f32'): DnnKernel => {
  const name = `attention_${dtype}`;
  let lanes: Kernel<ReturnType<typeof oneToken> & Readonly<Record<'t' | 'h', Axis>>> | undefined;
  /** On GPUs every token of every head is a workgroup's, whose lanes share it: the tiles of a group of tokens are more than it has memory for. */
  const shared = (): Kernel<ReturnType<typeof oneToken> & Readonly<Record<'t' | 'h', Axis>>> => (lanes ??= attentionOf(name, dtype, (x) => {
    const ax = axes({ t: x.T, h: x.H });
    let one!: ReturnType<typeof oneToken>;
    for (const t of ax.t) for (const h of ax.h) one = oneToken(x, t, h, named('g', h.div(x.H.div(x.G))), named('visible', x.at.add(t).add(1)));
    return { ...ax, ...one };
  }));
  return {
    ...define(
      name,
      () => attentionOf(name, dtype, (x) => {
        const { at, T, H, G, E } = x, groups = named('groups', select(E.le(MOST), T.div(LANES), 0)), single = named('single', groups.mul(LANES));
        const ax = axes({ h: H, group: groups, t: T.sub(single) });
        let many!: ReturnType<typeof manyTokens>, one!: ReturnType<typeof oneToken>;
        for (const h of ax.h) {
          const g = named('g', h.div(H.div(G)));
          for (const n of ax.group) many = manyTokens(x, n.mul(LANES), h, g, named('seen', at.add(n.mul(LANES)).add(1)));
          for (const t of ax.t) one = oneToken(x, named('token', single.add(t)), h, g, named('visible', at.add(single).add(t).add(1)));
        }
        return { ...many, ...one, h: ax.h };
      }),
      (s, ax) => {
        scheduleMany(s, ax);
        scheduleOne(s, ax);
        s.parallel(ax.h);
      },
    ),
    gpu: (t) => schedule(shared(), t, (s, { t: token, h, zero, j, m, x, o, last }) => { s.deal(h, [zero, j, m, x, o, last], { lanes: 64 }); s.bind({ 'block.x': token, 'block.y': h }); }),
  };
};

export const ATTENTION: readonly DnnKernel[] = [attention('f32'), attention('f16')];
