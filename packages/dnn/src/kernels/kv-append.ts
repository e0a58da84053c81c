import { assume, axes, kernel, scalar, streamingMap, tensor } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

/** K[pos + t] = k[t] and V[pos + t] = v[t], converted to the type of the cache. */
const append = (dtype: 'f16' | 'f32'): DnnKernel => define(
  `kv_append_${dtype}`,
  (name) => kernel(name, {
    k: tensor('f32', 'T', 'G', 'E'), v: tensor('f32', 'T', 'G', 'E'), K: tensor(dtype, 'C', 'G', 'E').inout(), V: tensor(dtype, 'C', 'G', 'E').inout(), pos: scalar('i32'),
  }, ({ k, v, K, V, pos, T, G, E, C }) => {
    const at = pos.to('i64');
    assume(at.ge(0), 'pos >= 0');
    assume(at.add(T).le(C), 'pos + T <= C: the cache has room');
    const ax = axes({ t: T, g: G, e: E });
    for (const t of ax.t) for (const g of ax.g) for (const e of ax.e) {
      K.at(at.add(t), g, e).set(k.at(t, g, e).to(dtype));
      V.at(at.add(t), g, e).set(v.at(t, g, e).to(dtype));
    }
    return ax;
  }),
  (s, { t, e }) => {
    streamingMap(s, e);
    s.parallel(t);
  },
);

export const KV_APPEND: readonly DnnKernel[] = [append('f32'), append('f16')];
