import { axes, kernel, named, streamingMap, tensor } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

/**
 * Rotates neighbouring pairs (x[.., p, 0], x[.., p, 1]) by the angle whose cosine and sine are given for each token and pair, in place
 * (Su et al., "RoFormer", 2021; the layout of Llama in GGUF files).
 */
export const ROPE: DnnKernel = define(
  'rope',
  (name) => kernel(name, { x: tensor('f32', 'T', 'H', 'P', 2).inout(), cos: tensor('f32', 'T', 'P'), sin: tensor('f32', 'T', 'P') }, ({ x, cos, sin, T, H, P }) => {
    const ax = axes({ t: T, h: H, p: P });
    for (const t of ax.t) for (const h of ax.h) for (const p of ax.p) {
      const a = named('a', x.at(t, h, p, 0)), b = named('b', x.at(t, h, p, 1)), c = cos.at(t, p), d = sin.at(t, p);
      x.at(t, h, p, 0).set(a.mul(c).sub(b.mul(d)));
      x.at(t, h, p, 1).set(a.mul(d).add(b.mul(c)));
    }
    return ax;
  }),
  (s, { t, p }) => {
    streamingMap(s, p);
    s.parallel(t);
  },
);

/** The same with pairs half a head apart: (x[.., 0, p], x[.., 1, p]), the layout of GPT-NeoX. */
export const ROPE_NEOX: DnnKernel = define(
  'rope_neox',
  (name) => kernel(name, { x: tensor('f32', 'T', 'H', 2, 'P').inout(), cos: tensor('f32', 'T', 'P'), sin: tensor('f32', 'T', 'P') }, ({ x, cos, sin, T, H, P }) => {
    const ax = axes({ t: T, h: H, p: P });
    for (const t of ax.t) for (const h of ax.h) for (const p of ax.p) {
      const a = named('a', x.at(t, h, 0, p)), b = named('b', x.at(t, h, 1, p)), c = cos.at(t, p), d = sin.at(t, p);
      x.at(t, h, 0, p).set(a.mul(c).sub(b.mul(d)));
      x.at(t, h, 1, p).set(a.mul(d).add(b.mul(c)));
    }
    return ax;
  }),
  (s, { t, p }) => {
    streamingMap(s, p);
    s.parallel(t);
  },
);
