import { lanesOf } from '../kernels/index.ts';
import { factor } from './factor.ts';
import type { Factor } from './factor.ts';
import { ALONE, rows, view } from './launch.ts';
import type { Dim, Launch, LaunchPlan, Place, Table } from './launch.ts';
import type { FullSpec } from './spec.ts';
import { scaleOf } from './spec.ts';
import { layTables } from './tables.ts';

/** Bytes that the passes over one part of a batch may touch, so that the next pass finds them in the cache. */
const CACHE = 2 ** 18;
/** The most parts of a batch. */
const MOST_PARTS = 32;

/** Pass after pass over whole transforms, as many of a batch at once as a cache holds. */
export function straight(s: FullSpec, vecBytes: number, inPlace: boolean): LaunchPlan {
  const bytes = s.dtype === 'f32' ? 4 : 8, fits = Math.floor(CACHE / (2 * bytes * s.n));
  const part = Math.min(s.batch, Math.max(1, fits, Math.ceil(s.batch / MOST_PARTS)));
  const factors = factor(Math.log2(s.n), vecBytes / bytes), middles = factors.length - 2;
  const lanes = factors.map((f) => lanesOf({ vecBytes }, { dtype: s.dtype, narrow: f.narrow }));
  const { tables, size } = layTables(factors.map((f) => f.radix), s.sign, lanes.at(-1)!, scaleOf(s));
  // The data alternates between two places and must end in `a`, since the last pass cannot read what it writes. The other place is the output,
  // unless that still holds the input when it would be written first.
  const other: Place = inPlace && middles % 2 === 1 ? 'b' : 'out';
  const launches: Launch[] = [];
  for (let from = 0; from < s.batch; from += part) {
    const count = Math.min(part, s.batch - from);
    launches.push(...passes({ s, lanes, factors, tables, from, count, place: (i) => ((middles - i) % 2 === 0 ? 'a' : other) }));
  }
  const area = 2 * s.n * part;
  return { factors, launches, tables, sizes: { a: area, b: other === 'b' ? area : 0, tw: size } };
}

interface Part {
  readonly s: FullSpec;
  readonly lanes: readonly number[];
  readonly factors: readonly Factor[];
  /** Tables of the passes after the first. */
  readonly tables: readonly Table[];
  /** First transform of the batch, and how many. */
  readonly from: number;
  readonly count: number;
  /** Where the output of pass i goes. */
  readonly place: (i: number) => Place;
}

function passes(p: Part): Launch[] {
  const { s, factors } = p;
  let l = 1;
  return factors.map((f, i): Launch => {
    const id = { dtype: s.dtype, radix: f.radix, narrow: f.narrow };
    const g: Geometry = { ...p, radix: f.radix, width: p.lanes[i]!, l, run: s.n / l / f.radix, tw: i > 0 ? p.tables[i - 1]!.offset : 0 };
    l *= f.radix;
    const alone = s.n * p.count < ALONE;
    if (i === 0) return { kernel: { role: 'first', ...id }, views: first(g, p.place(0)), scalars: {}, alone };
    if (i === factors.length - 1) return { kernel: { role: 'last', ...id }, views: last(g, p.place(i - 1)), scalars: { scale: scaleOf(s) }, alone };
    return { kernel: { role: 'middle', ...id }, views: middle(g, p.place(i - 1), p.place(i)), scalars: {}, alone };
  });
}

interface Geometry extends Part {
  readonly radix: number;
  /** Lanes of this pass. */
  readonly width: number;
  /** Product of the radices before this pass. */
  readonly l: number;
  /** s' of this pass: elements in a row of its output. */
  readonly run: number;
  /** Where its table starts. */
  readonly tw: number;
}

/** Several transforms of a batch go to the threads whole; else the groups of one transform do. Strides differ from tensor to tensor. */
const grid = (g: Geometry, groups: number) => (batch: number, group: number): readonly [Dim, Dim] => {
  const b: Dim = [g.count, batch], k: Dim = [groups, group];
  return g.count >= 8 || g.count > groups ? [b, k] : [k, b];
};

/** Where a part of the batch starts in a place: scratch is used again by every part. */
const partBase = (g: Geometry, place: Place): number => (place === 'out' ? 2 * g.s.n * g.from : 0);

function first(g: Geometry, to: Place): Launch['views'] {
  const { width, run, radix, s: { n, sign } } = g, at = grid(g, run / width), rest = rows(radix, sign, 2 * run), from = 2 * n * g.from;
  const x = at(2 * n, 2 * width), y = at(2 * n, width), base = partBase(g, to);
  return {
    x0: view('in', from, ...x, [2 * width, 1]), x: view('in', from + rest.offset, ...x, rest.dim, [2 * width, 1]),
    y: view(to, base, ...y, [2, n], [radix, run], [width, 1]),
  };
}

function middle(g: Geometry, from: Place, to: Place): Launch['views'] {
  const { width, run, l, radix, s: { n, sign } } = g, at = grid(g, l), rest = rows(radix, sign, run), K: Dim = [run / width, width];
  const x = at(2 * n, radix * run), y = at(2 * n, run), i = partBase(g, from), o = partBase(g, to);
  return {
    x0: view(from, i, ...x, [2, n], K, [width, 1]), x: view(from, i + rest.offset, ...x, [2, n], rest.dim, K, [width, 1]),
    tw: view('tw', g.tw, ...at(0, 2 * (radix - 1)), [2 * (radix - 1), 1]),
    y: view(to, o, ...y, [2, n], [radix, l * run], K, [width, 1]),
  };
}

function last(g: Geometry, from: Place): Launch['views'] {
  const { width, l, radix, s: { n, sign } } = g, at = grid(g, l / width), rest = rows(radix, sign, 2 * l), to = 2 * n * g.from;
  const x = at(2 * n, radix * width), y = at(2 * n, 2 * width), i = partBase(g, from);
  return {
    x: view(from, i, ...x, [2, n], [radix * width, 1]), tw: view('tw', g.tw, ...at(0, 2 * width * (radix - 1)), [2 * width * (radix - 1), 1]),
    y0: view('out', to, ...y, [2 * width, 1]), y: view('out', to + rest.offset, ...y, rest.dim, [2 * width, 1]),
  };
}
