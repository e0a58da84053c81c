import type { KernelId } from '../kernels/index.ts';
import { lanesOf } from '../kernels/index.ts';
import { factor } from './factor.ts';
import { ALONE, rows, view } from './launch.ts';
import type { Dim, Launch, LaunchPlan, View } from './launch.ts';
import type { FullSpec } from './spec.ts';
import { scaleOf } from './spec.ts';
import { layTables } from './tables.ts';

/*
 * A long transform as two halves, n = n1 n2, each in blocks that stay in the cache through all of its passes (the idea of Bailey's four-step FFT,
 * 1990, without its transpositions). The passes are those of a straight plan and so is the meaning of every number; only the order of the work
 * differs, and that the data between passes of one half lies in a small place of its own.
 *
 * First half, l from 1 to n1: for a block of `wide` columns k < n2, the transforms over t of x[t n2 + k].
 * Second half, l from n1 to n: for a block of `wide` rows j < n1, the transforms of the n2 points of each row, whose outputs lie n1 apart.
 */

/** Columns or rows of a block: a row of it is enough for the memory's prefetcher to pay, and the block still fits the second-level cache. */
const WIDE = 64;
/** Numbers between the rows of the data between the halves, so that they do not fall on the same places of a cache. */
const GAP = 16;

interface Halves {
  readonly s: FullSpec;
  readonly n1: number;
  readonly n2: number;
  readonly wide: number;
  /** Transform of the batch. */
  readonly index: number;
  /** Places within `a`: the data between the halves, its imaginary parts, the block's two places; numbers from real to imaginary parts there. */
  readonly pitch: number;
  readonly imaginary: number;
  readonly local: readonly [number, number];
  readonly localImaginary: number;
}

/** One pass of a block: what goes in, what comes out. */
interface Pass { readonly id: Omit<Extract<KernelId, { radix: number }>, 'role'>; readonly lanes: number; readonly radix: number; readonly l: number; readonly tw: number }

/** Plans a transform of 2^12 points or more in blocks. */
export function blocked(s: FullSpec, vecBytes: number): LaunchPlan {
  const bits = Math.log2(s.n), bits2 = secondBits(bits), n2 = 2 ** bits2, n1 = s.n / n2, native = lanesOf({ vecBytes }, { dtype: s.dtype, narrow: false });
  // In the first half and in the last pass, vectors run across a block, which is never too narrow for them.
  const one = factor(bits - bits2, 1), two = factor(bits2, native).map((f, i, all) => (i === all.length - 1 ? { ...f, narrow: false } : f));
  const factors = [...one, ...two], { tables, size } = layTables(factors.map((f) => f.radix), s.sign, native, scaleOf(s));
  let l = 1;
  const passes = factors.map((f, i): Pass => {
    const id = { dtype: s.dtype, radix: f.radix, narrow: f.narrow }, p = { id, lanes: lanesOf({ vecBytes }, id), radix: f.radix, l, tw: i > 0 ? tables[i - 1]!.offset : 0 };
    l *= f.radix;
    return p;
  });
  const wide = Math.min(WIDE, n1, n2), pitch = n2 + GAP, imaginary = n1 * pitch, area = 2 * Math.max(n1, n2) * wide, base = 2 * imaginary;
  const launches: Launch[] = [];
  for (let index = 0; index < s.batch; index++) {
    const h: Halves = { s, n1, n2, wide, index, pitch, imaginary, local: [base, base + area], localImaginary: area / 2 };
    for (let k = 0; k < n2; k += wide) launches.push(...firstHalf(h, passes.slice(0, one.length), k));
    for (let j = 0; j < n1; j += wide) launches.push(...secondHalf(h, passes.slice(one.length), j));
  }
  return { factors, launches, tables, sizes: { a: base + 2 * area, b: 0, tw: size } };
}

/** How many bits of n the second half takes. */
function secondBits(bits: number): number {
  return Math.ceil(bits / 2);
}

function firstHalf(h: Halves, passes: readonly Pass[], column: number): Launch[] {
  const { s, n1, n2, wide } = h, alone = n1 * wide < ALONE, columns = (lanes: number): number => wide / lanes;
  return passes.map((p, i): Launch => {
    const { radix, lanes, l } = p, run = n1 / l / radix, from = h.local[(i + 1) % 2]!, to = h.local[i % 2]!, groups = columns(lanes);
    if (i === 0) {
      const rest = rows(radix, s.sign, 2 * run * n2), x: readonly Dim[] = [[run, 2 * n2], [groups, 2 * lanes]], start = 2 * (s.n * h.index + column);
      return {
        kernel: { role: 'first', ...p.id }, scalars: {}, alone,
        views: {
          x0: view('in', start, ...x, [2 * lanes, 1]), x: view('in', start + rest.offset, ...x, rest.dim, [2 * lanes, 1]),
          y: view('a', to, [run, wide], [groups, lanes], [2, h.localImaginary], [radix, run * wide], [lanes, 1]),
        },
      };
    }
    // A row of the output is run * wide numbers, except in the last pass (run = 1), which puts its `wide` ones where the second half wants them.
    const done = i === passes.length - 1, K: Dim = [run * groups, lanes];
    const y = done ? view('a', column, [l, h.pitch], [1, 0], [2, h.imaginary], [radix, l * h.pitch], K, [lanes, 1])
      : view('a', to, [l, run * wide], [1, 0], [2, h.localImaginary], [radix, l * run * wide], K, [lanes, 1]);
    return middle(h, p, { from, fromImaginary: h.localImaginary, x: [[l, radix * run * wide], [1, 0]], row: run * wide, K, tw: [[l, 2 * (radix - 1)], [1, 0]], twStart: 0, alone }, y);
  });
}

interface MiddleInput {
  readonly from: number;
  readonly fromImaginary: number;
  /** The loops P and Q over the input. */
  readonly x: readonly [Dim, Dim];
  /** Distance of the rows u. */
  readonly row: number;
  readonly K: Dim;
  /** P and Q over the twiddles. */
  readonly tw: readonly [Dim, Dim];
  /** The first j of the block. */
  readonly twStart: number;
  readonly alone: boolean;
}

function middle(h: Halves, p: Pass, m: MiddleInput, y: View): Launch {
  const { radix, lanes } = p, rest = rows(radix, h.s.sign, m.row), parts: Dim = [2, m.fromImaginary];
  return {
    kernel: { role: 'middle', ...p.id }, scalars: {}, alone: m.alone,
    views: {
      x0: view('a', m.from, ...m.x, parts, m.K, [lanes, 1]), x: view('a', m.from + rest.offset, ...m.x, parts, rest.dim, m.K, [lanes, 1]),
      tw: view('tw', p.tw + 2 * (radix - 1) * m.twStart, ...m.tw, [2 * (radix - 1), 1]),
      y,
    },
  };
}

function secondHalf(h: Halves, passes: readonly Pass[], row: number): Launch[] {
  const { s, n1, n2, wide } = h, alone = n2 * wide < ALONE;
  return passes.map((p, i): Launch => {
    // The j of this pass: row + (below wide) + n1 * (below done).
    const { radix, lanes, l } = p, done = l / n1, run = n2 / done / radix, from = h.local[(i + 1) % 2]!, to = h.local[i % 2]!;
    if (i < passes.length - 1) {
      const K: Dim = [run / lanes, lanes], start = i === 0, pitch = start ? h.pitch : radix * run;
      return middle(h, p, {
        from: start ? row * h.pitch : from, fromImaginary: start ? h.imaginary : h.localImaginary, x: [[wide, pitch], [done, wide * pitch]], row: run, K,
        tw: [[wide, 2 * (radix - 1)], [done, n1 * 2 * (radix - 1)]], twStart: row, alone,
      }, view('a', to, [wide, run], [done, wide * run], [2, h.localImaginary], [radix, wide * done * run], K, [lanes, 1]));
    }
    const rest = rows(radix, s.sign, 2 * l), groups = wide / lanes, y: readonly Dim[] = [[done, 2 * n1], [groups, 2 * lanes]], o = 2 * (s.n * h.index + row);
    return {
      kernel: { role: 'last', ...p.id }, scalars: { scale: scaleOf(s) }, alone,
      views: {
        x: view('a', from, [done, wide * radix], [groups, lanes * radix], [2, h.localImaginary], [radix * lanes, 1]),
        tw: view('tw', p.tw + 2 * (radix - 1) * row, [done, 2 * (radix - 1) * n1], [groups, 2 * (radix - 1) * lanes], [2 * (radix - 1) * lanes, 1]),
        y0: view('out', o, ...y, [2 * lanes, 1]), y: view('out', o + rest.offset, ...y, rest.dim, [2 * lanes, 1]),
      },
    };
  });
}
