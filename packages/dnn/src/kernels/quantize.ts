import { axes, kernel, named, reg, round, scratch, select, tensor, when } from '@quern/kernel-dsl';
import type { Cell, Val } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';
import { BLOCK } from './formats.ts';

/** Tokens of a panel: the lanes of the matmul kernels. */
export const PANEL = 16;

/** The scale of a block: its largest magnitude becomes 127. NaN where an element is not finite, so that it shows in every product. */
const scale = (largest: Val<'f32'>, poison: Val<'f32'>): Val<'f32'> => largest.div(127).add(poison);

/** What x becomes in steps of d: an integer from -127 to 127; 0 where d is 0 or NaN. */
const steps = (x: Val<'f32'>, d: Val<'f32'>): Val<'i32'> => round(select(d.gt(0), x.div(d), 0).max(-127).min(127)).to('i32');

/** Largest magnitude of a block, and 0 or NaN: x * 0 is NaN for Inf and NaN. */
function measure(elements: Iterable<Val<'i64'>>, x: (i: Val<'i64'>) => Val<'f32'>): readonly [Cell<'f32'>, Cell<'f32'>] {
  const largest = reg('f32', 0, 'largest'), poison = reg('f32', 0, 'poison');
  for (const j of elements) {
    largest.maxAssign(x(j).abs());
    poison.addAssign(x(j).mul(0));
  }
  return [largest, poison];
}

/** Blocks of 32 values as signed bytes times a scale: d = max |x| / 127, q = x / d rounded to nearest. q holds the bytes. */
export const QUANTIZE_Q8: DnnKernel = define(
  'quantize_q8',
  (name) => kernel(name, { x: tensor('f32', 'T', 'NB', BLOCK), q: tensor('u8', 'T', 'NB', BLOCK).out(), d: tensor('f32', 'T', 'NB').out() }, ({ x, q, d, T, NB }) => {
    const ax = axes({ t: T, b: NB, j: BLOCK, i: BLOCK });
    for (const t of ax.t) for (const b of ax.b) {
      const [largest, poison] = measure(ax.j, (j) => x.at(t, b, j));
      const step = named('step', scale(largest, poison));
      d.at(t, b).set(step);
      for (const i of ax.i) q.at(t, b, i).set(steps(x.at(t, b, i), step).to('u8'));
    }
    return ax;
  }),
  (s, { t, j, i }) => {
    s.rfactor('largest', j);
    s.rfactor('poison', j);
    s.vectorize(j);
    s.vectorize(i);
    s.parallel(t);
  },
);

/**
 * The same numbers in the order in which the matmul kernels read them: panels of 16 tokens, and in a panel, for each block, word w of all 16
 * tokens side by side (a word is elements 4w to 4w + 3 of a token). s is the sum of each block's bytes. Missing tokens of the last panel are 0.
 */
export const QUANTIZE_Q8_PANELS: DnnKernel = define(
  'quantize_q8_panels',
  (name) => kernel(name, {
    x: tensor('f32', 'T', 'NB', BLOCK), q: tensor('i32', 'P', 'NB', (BLOCK / 4) * PANEL).out(), d: tensor('f32', 'P', 'NB', PANEL).out(), s: tensor('i32', 'P', 'NB', PANEL).out(),
  }, ({ x, q, d, s, T, NB, P }) => {
    const ax = axes({ p: P, b: NB, l: PANEL, j: BLOCK, i: BLOCK, z: BLOCK, w: BLOCK / 4, k: PANEL });
    for (const p of ax.p) for (const b of ax.b) {
      const bytes = scratch('u8', 'bytes', PANEL, BLOCK);
      for (const l of ax.l) {
        const t = named('t', p.mul(PANEL).add(l));
        when(t.lt(T), () => {
          const [largest, poison] = measure(ax.j, (j) => x.at(t, b, j));
          const step = named('step', scale(largest, poison)), sum = reg('i32', 0, 'sum');
          for (const i of ax.i) {
            const n = named('n', steps(x.at(t, b, i), step));
            bytes.at(l, i).set(n.to('u8'));
            sum.addAssign(n);
          }
          d.at(p, b, l).set(step);
          s.at(p, b, l).set(sum);
        }, () => {
          for (const z of ax.z) bytes.at(l, z).set(0);
          d.at(p, b, l).set(0);
          s.at(p, b, l).set(0);
        });
      }
      for (const w of ax.w) for (const k of ax.k) q.at(p, b, w.mul(PANEL).add(k)).set(bytes.as('i32', k, w.mul(4)));
    }
    return ax;
  }),
  (s, { p, j, i, z, k }) => {
    s.rfactor('largest', j);
    s.rfactor('poison', j);
    s.vectorize(j);
    s.rfactor('sum', i);
    s.vectorize(i);
    s.vectorize(z);
    s.vectorize(k);
    s.parallel(p);
  },
);
