import { wgmmaHeld, wgmmaNamed } from '../../instructions/index.ts';
import { assume, axes, exp2, kernel, named, reg, region, scalar, scratch, select, tensor, value, when } from '../../lang/index.ts';
import type { Axis, Kernel } from '../../lang/index.ts';
import type { Schedule } from '../../schedule/index.ts';

/** What {@link flashAttention} computes, and how its schedule cuts it. */
export interface FlashAttention {
  readonly dtype: 'bf16' | 'f16';
  /** Elements of a head: 64 or 128. */
  readonly D: 64 | 128;
  /** Does query i look at no more than keys 0 to i + T - S? */
  readonly causal: boolean;
  /** Queries that walk over the same blocks of keys, a workgroup's: 64 for each of its warpgroups. */
  readonly rows?: 128 | 192;
  /** Keys of a block: a multiple of 16 from 64 to 192; 128 where nothing is said, 192 where heads have 64 elements. */
  readonly keys?: number;
  /** Blocks of keys and values that may be on their way or in use at once. */
  readonly stages?: number;
  /** Are the scores of the next block computed beside the weighted sums of this one? Yes where nothing is said and a warpgroup has the registers: up to 128 queries. */
  readonly overlap?: boolean;
}

/** Loops of the kernel that {@link flashAttention} makes. */
export type AttentionAxes = Readonly<Record<'h' | 'i' | 'block' | 'j' | 'e' | 'w' | 'd', Axis>>;

const keysOf = (o: FlashAttention): number => o.keys ?? (o.D === 64 ? 192 : 128);

/** Where the running maximum starts: finite, so that a row that sees nothing yet does no harm. */
const LOWEST = -3.4028234663852886e38;

/**
 * Attention of heads that share keys and values in groups, O = softmax(scale Q Kᵀ) V, as an algorithm that walks over blocks of keys: what was summed so far fades by
 * exp2(old maximum - new maximum), so that no row of scores is ever held (Milakov and Gimelshein, 2018; Dao et al., "FlashAttention", 2022). Weights are
 * rounded to the dtype of V before they meet it. Q, O: [H, S, D]; K, V: [G, T, D]; head h reads those of group h / (H / G). `scale` is positive.
 */
export function flashAttention(o: FlashAttention): Kernel<AttentionAxes> {
  const { dtype, D, causal } = o, R = o.rows ?? 128, N = keysOf(o);
  return kernel(`attention_${dtype}_${D}${causal ? '_causal' : ''}`, {
    Q: tensor(dtype, 'H', 'S', D), K: tensor(dtype, 'G', 'T', D), V: tensor(dtype, 'G', 'T', D), scale: scalar('f32'), O: tensor(dtype, 'H', 'S', D).out(),
  }, ({ Q, K, V, scale, O, H, S, G, T }) => {
    assume(scale.gt(0), 'scale > 0: the greatest score is that of the greatest product');
    assume(G.gt(0), 'G > 0');
    assume(H.mod(G).eq(0), 'H is a multiple of G: each group of heads shares keys and values');
    if (causal) assume(T.ge(S), 'T >= S: every query sees a key');
    else assume(T.gt(0), 'T > 0: every query sees a key');
    const ax = axes({ h: H, i: S });
    const blocks = (i: typeof S, h: typeof S): Omit<AttentionAxes, 'h' | 'i'> => {
      const unit = named('unit', scale.mul(Math.LOG2E)), g = named('g', h.div(H.div(G))), before = named('before', T.sub(S)), group = named('group', i.div(R).mul(R));
      // Rows of a group walk alike: to the last key that one of them sees.
      const end = named('end', causal ? before.add(group).add(R).min(T) : T);
      const peak = reg('f32', LOWEST, 'peak'), sum = reg('f32', 0, 'sum'), acc = scratch('f32', 'acc', D);
      const ax2 = axes({ z: D, block: end.add(N - 1).div(N), o: D });
      for (const z of ax2.z) acc.at(z).set(0);
      let inner!: Omit<AttentionAxes, 'h' | 'i' | 'block'>;
      for (const block of ax2.block) {
        const from = named('from', block.mul(N)), score = scratch('f32', 'score', N), weight = scratch(dtype, 'weight', N);
        const b = axes({ none: N, j: N, e: D, m: N, most: N, x: N, plus: N, to: N, fade: D, w: N, d: D });
        inner = b;
        for (const j of b.none) score.at(j).set(0);
        for (const j of b.j) for (const e of b.e) when(from.add(j).lt(T), () => score.at(j).addAssign(Q.at(h, i, e).to('f32').mul(K.at(g, from.add(j), e).to('f32'))));
        region('keys that a row does not see', () => {
          const seen = causal ? named('seen', before.add(i).add(1).min(T)) : T, all = causal ? named('all', before.add(group).add(1).min(T)) : T;
          when(from.add(N).gt(all), () => { for (const j of b.m) score.at(j).set(select(from.add(j).lt(seen), score.at(j), -Infinity)); });
        });
        const high = reg('f32', peak, 'high');
        for (const j of b.most) high.maxAssign(score.at(j));
        const shift = reg('f32', high.mul(unit), 'shift'), fade = reg('f32', exp2(peak.mul(unit).sub(shift)), 'fade'), part = reg('f32', 0, 'part');
        for (const j of b.x) score.at(j).set(exp2(score.at(j).mul(unit).sub(shift)));
        for (const j of b.plus) part.addAssign(score.at(j));
        sum.set(sum.mul(fade).add(part));
        peak.set(high);
        for (const j of b.to) weight.at(j).set(score.at(j).to(dtype));
        for (const d of b.fade) acc.at(d).set(acc.at(d).mul(fade));
        for (const j of b.w) for (const d of b.d) when(from.add(j).lt(T), () => acc.at(d).addAssign(weight.at(j).to('f32').mul(V.at(g, from.add(j), d).to('f32'))));
      }
      const inverse = reg('f32', value('f32', 1).div(sum), 'inverse');
      for (const e of ax2.o) O.at(h, i, e).set(acc.at(e).mul(inverse).to(dtype));
      return { ...inner, block: ax2.block };
    };
    let all!: Omit<AttentionAxes, 'h' | 'i'>;
    for (const h of ax.h) for (const i of ax.i) all = blocks(i, h);
    return { ...all, h: ax.h, i: ax.i };
  });
}

/**
 * A schedule of {@link flashAttention} for compute capability 9.0, with the same options: a warpgroup for each 64 queries, both products by its instructions,
 * scores and sums in its registers; the copy engine brings queries once and blocks of keys and values through a ring.
 * @example schedule(flashAttention(o), target('cuda-sm90a'), (s, ax) => hopperAttention(s, ax, o))
 */
export function hopperAttention(s: Schedule, { h, i, block, j, e, w, d }: AttentionAxes, o: FlashAttention): void {
  const R = o.rows ?? 128, N = keysOf(o);
  const [rows, row] = s.split(i, R, { tail: 'pad' }), [team, r] = s.split(row, 64);
  if (o.causal) s.reverse(rows); // those with the most work first
  const around = s.distribute([team, r], [block]), [scoreTeam, scoreRow] = around['j']!, [sumTeam, sumRow] = around['w']!;
  const [half, e1] = s.split(e, 64), [ek, ex] = s.split(e1, 16);
  s.reorder(scoreTeam!, half, ek, scoreRow!, j, ex);
  const [wk, wx] = s.split(w, 16), [dh, dl] = s.split(d, 64);
  s.reorder(sumTeam!, wk, sumRow!, dh, dl, wx);
  for (const a of [half, ek, wk]) s.unroll(a);
  s.bind({ 'block.y': h, 'block.x': rows, 'team.warpgroup': team });
  s.bulk('Q', rows);
  s.bulk('V', block);
  s.bulk('K', block); // in front of V: it is needed first
  s.tensorize(wgmmaNamed(`wgmma_m64n${N}k16_${o.dtype}`), scoreRow!, j, ex);
  s.tensorize(wgmmaHeld(o.dtype, o.D), sumRow!, dh, dl, wx);
  s.ring(block, o.stages ?? 2);
  if (o.overlap ?? R < 192) s.overlap(block);
  s.approximate('exp2', 'max');
}
