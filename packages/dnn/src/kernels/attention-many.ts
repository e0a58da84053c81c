import { axes, exp, named, reg, region, scratch, select, streamingMap } from '@quern/kernel-dsl';
import type { Axis, Schedule, Val } from '@quern/kernel-dsl';
import { BLOCK, LOWEST } from './attention-inputs.ts';
import type { AttentionInputs } from './attention-inputs.ts';

/** Tokens that are computed side by side, one a lane. */
export const LANES = 16;
/** The longest head for which tokens are taken in groups; longer ones go one by one. */
export const MOST = 256;

type BlockAxes = Readonly<Record<'ce' | 'kj' | 'kl' | 'ml' | 'wl' | 'oe' | 'ol', Axis>>;
/** Loops of {@link manyTokens} that its schedule names. */
type ManyAxes = BlockAxes & Readonly<Record<'ql' | 'sl' | 'yl', Axis>>;

/**
 * 16 tokens of one head, one a lane: keys and values are scalars that all lanes share, and no sum crosses lanes. Queries and results are held
 * transposed. `seen` is what the first of the tokens sees; token l sees l positions more.
 */
export function manyTokens({ q, K, V, y, scale, E }: AttentionInputs, first: Val<'i64'>, h: Val<'i64'>, g: Val<'i64'>, seen: Val<'i64'>): ManyAxes {
  const queries = scratch('f32', 'queries', MOST, LANES), results = scratch('f32', 'results', MOST, LANES);
  const tops = scratch('f32', 'tops', LANES), sums = scratch('f32', 'sums', LANES), fades = scratch('f32', 'fades', LANES);
  const end = named('end', seen.add(LANES - 1));
  const ax = axes({ qe: E, ql: LANES, sl: LANES, block: end.add(BLOCK - 1).div(BLOCK), ye: E, yl: LANES });
  for (const e of ax.qe) for (const l of ax.ql) {
    queries.at(e, l).set(q.at(first.add(l), h, e).mul(scale));
    results.at(e, l).set(0);
  }
  for (const l of ax.sl) {
    tops.at(l).set(LOWEST);
    sums.at(l).set(0);
  }
  const blocks = (c: Val<'i64'>): BlockAxes => {
    const keys = scratch('f32', 'keys', BLOCK, MOST), vals = scratch('f32', 'vals', BLOCK, MOST), weights = scratch('f32', 'weights', BLOCK, LANES);
    const from = named('from', c.mul(BLOCK)), count = named('count', end.sub(from).min(BLOCK)), all = named('all', seen.sub(from).max(0).min(count));
    const b = axes({ cj: count, ce: E, kj: count, kl: LANES, ke: E, mj: count.sub(all), ml: LANES, wl: LANES, hj: count, xj: count, oe: E, ol: LANES, vj: all, uj: count.sub(all) });
    region('keys and values of a block of positions', () => {
      for (const j of b.cj) for (const e of b.ce) {
        keys.at(j, e).set(K.at(from.add(j), g, e).to('f32'));
        vals.at(j, e).set(V.at(from.add(j), g, e).to('f32'));
      }
    });
    region('scores; positions that only some of the tokens see count for those alone', () => {
      for (const j of b.kj) for (const l of b.kl) {
        const score = reg('f32', 0, 'score');
        for (const e of b.ke) score.addAssign(queries.at(e, l).mul(keys.at(j, e)));
        weights.at(j, l).set(score);
      }
      for (const m of b.mj) for (const l of b.ml) {
        const j = all.add(m);
        weights.at(j, l).set(select(from.add(j).to('i32').sub(seen.to('i32')).lt(l.to('i32')), weights.at(j, l), -Infinity));
      }
    });
    region('their weights, relative to the largest score so far', () => {
      for (const l of b.wl) {
        const peak = reg('f32', tops.at(l), 'peak'), added = reg('f32', 0, 'added');
        for (const j of b.hj) peak.maxAssign(weights.at(j, l));
        for (const j of b.xj) {
          weights.at(j, l).set(exp(weights.at(j, l).sub(peak)));
          added.addAssign(weights.at(j, l));
        }
        fades.at(l).set(exp(tops.at(l).sub(peak)));
        sums.at(l).set(sums.at(l).mul(fades.at(l)).add(added));
        tops.at(l).set(peak);
      }
    });
    region('what is seen, by weight', () => {
      for (const e of b.oe) for (const l of b.ol) {
        const acc = reg('f32', results.at(e, l).mul(fades.at(l)));
        for (const j of b.vj) acc.addAssign(weights.at(j, l).mul(vals.at(j, e)));
        for (const u of b.uj) {
          const j = all.add(u);
          acc.addAssign(weights.at(j, l).mul(select(from.add(j).to('i32').sub(seen.to('i32')).lt(l.to('i32')), vals.at(j, e), 0)));
        }
        results.at(e, l).set(acc);
      }
    });
    return b;
  };
  let inner!: BlockAxes;
  for (const c of ax.block) inner = blocks(c);
  for (const e of ax.ye) for (const l of ax.yl) y.at(first.add(l), h, e).set(results.at(e, l).div(sums.at(l)));
  return { ...ax, ...inner };
}

export function scheduleMany(s: Schedule, ax: ManyAxes): void {
  // The register tile: 8 keys, or 8 elements of the result, by a vector of tokens.
  const side = s.target.vectorRegisters === 32 ? 8 : 4;
  for (const l of [ax.ql, ax.sl, ax.kl, ax.ml, ax.wl, ax.ol, ax.yl]) s.vectorize(l);
  streamingMap(s, ax.ce);
  for (const a of [ax.kj, ax.oe]) {
    const [, n] = s.split(a, side, { tail: 'peel' });
    s.jam(n);
  }
}
