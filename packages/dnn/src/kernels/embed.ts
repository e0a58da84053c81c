import { assume, axes, kernel, named, streamingMap, tensor } from '@quern/kernel-dsl';
import type { Tensor, Val } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';
import { BLOCK, WEIGHTS } from './formats.ts';

/** Every id is a row of a table of V rows; checked at launch. */
function rowsOnly(ids: Tensor<'i32', readonly ['T']>, T: Val<'i64'>, V: Val<'i64'>): void {
  const ax = axes({ n: T });
  for (const n of ax.n) assume(ids.at(n).ge(0).and(ids.at(n).to('i64').lt(V)), '0 <= ids < V: each id is a row of W');
}

/** y[t] = row ids[t] of W. */
const embedFloat = (dtype: 'f16' | 'f32'): DnnKernel => define(
  `embed_${dtype}`,
  (name) => kernel(name, { W: tensor(dtype, 'V', 'D'), ids: tensor('i32', 'T'), y: tensor('f32', 'T', 'D').out() }, ({ W, ids, y, T, D, V }) => {
    rowsOnly(ids, T, V);
    const ax = axes({ t: T, i: D });
    for (const t of ax.t) {
      const row = named('row', ids.at(t));
      for (const i of ax.i) y.at(t, i).set(W.at(row, i).to('f32'));
    }
    return ax;
  }),
  (s, { t, i }) => {
    streamingMap(s, i);
    s.parallel(t);
  },
);

/** y[t, b, i] = scale * byte. */
const EMBED_Q8_0: DnnKernel = define(
  'embed_q8_0',
  (name) => kernel(name, { W: tensor('u8', 'V', 'NB', 34), ids: tensor('i32', 'T'), y: tensor('f32', 'T', 'NB', BLOCK).out() }, ({ W, ids, y, T, NB, V }) => {
    rowsOnly(ids, T, V);
    const ax = axes({ t: T, b: NB, i: BLOCK });
    for (const t of ax.t) {
      const row = named('row', ids.at(t));
      for (const b of ax.b) {
        const scale = named('scale', W.as('f16', row, b, 0).to('f32'));
        for (const i of ax.i) y.at(t, b, i).set(W.as('i8', row, b, i.add(WEIGHTS)).to('f32').mul(scale));
      }
    }
    return ax;
  }),
  (s, { t, i }) => {
    s.vectorize(i);
    s.parallel(t);
  },
);

/** y[t, b, 0, i] and y[t, b, 1, i] from the low and the high nibble of byte i. */
const EMBED_Q4_0: DnnKernel = define(
  'embed_q4_0',
  (name) => kernel(name, { W: tensor('u8', 'V', 'NB', 18), ids: tensor('i32', 'T'), y: tensor('f32', 'T', 'NB', 2, BLOCK / 2).out() }, ({ W, ids, y, T, NB, V }) => {
    rowsOnly(ids, T, V);
    const ax = axes({ t: T, b: NB, i: BLOCK / 2 });
    for (const t of ax.t) {
      const row = named('row', ids.at(t));
      for (const b of ax.b) {
        const scale = named('scale', W.as('f16', row, b, 0).to('f32'));
        for (const i of ax.i) {
          const byte = named('byte', W.at(row, b, i.add(WEIGHTS)).to('i32'));
          y.at(t, b, 0, i).set(byte.and(15).sub(8).to('f32').mul(scale));
          y.at(t, b, 1, i).set(byte.shr(4).sub(8).to('f32').mul(scale));
        }
      }
    }
    return ax;
  }),
  (s, { t, i }) => {
    s.vectorize(i);
    s.parallel(t);
  },
);

export const EMBED: readonly DnnKernel[] = [embedFloat('f32'), embedFloat('f16'), EMBED_Q8_0, EMBED_Q4_0];
