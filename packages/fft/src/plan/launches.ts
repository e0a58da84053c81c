import type { KernelId } from '../kernels/index.ts';
import { lanesOf } from '../kernels/index.ts';
import { tableSize } from '../twiddles/index.ts';
import { factor } from './factor.ts';
import type { Factor } from './factor.ts';
import type { FullSpec } from './spec.ts';
import { scaleOf } from './spec.ts';

/** Memory that launches work on: the caller's arrays, two scratch areas and the twiddles. */
export type Place = 'in' | 'out' | 'a' | 'b' | 'tw';

/** A tensor argument: where it starts and how its elements lie, counted in real numbers. */
export interface View { readonly place: Place; readonly offset: number; readonly shape: readonly number[]; readonly strides: readonly number[] }

/** One launch of a kernel. */
export interface Launch {
  readonly kernel: KernelId;
  readonly views: Readonly<Record<string, View>>;
  /** The scalar `scale`, for kernels that take it. */
  readonly scale: number | undefined;
  /** Too little work for more than one thread? */
  readonly alone: boolean;
}

/** A twiddle table: its place in `tw` and what it holds. */
export interface Table { readonly offset: number; readonly l: number; readonly radix: number; readonly lanes: number; readonly scale: number }

/** What a plan does, as data. */
export interface LaunchPlan {
  readonly factors: readonly Factor[];
  readonly launches: readonly Launch[];
  readonly tables: readonly Table[];
  /** Real numbers in each place of the plan's own. */
  readonly sizes: { readonly a: number; readonly b: number; readonly tw: number };
}

/** Points below which a launch stays on one thread: waking others costs more. */
const ALONE = 2 ** 14;
/** Bytes that the passes over one part of a batch may touch, so that the next pass finds them in the cache. */
const CACHE = 2 ** 18;
/** The most parts of a batch. */
const MOST_PARTS = 32;

const LARGEST_SMALL = 32;

/**
 * The launches of a transform for vectors of a machine. With `inPlace`, no launch writes `out` before the last one has nothing more to read of `in`.
 */
export function launchPlan(s: FullSpec, vecBytes: number, inPlace: boolean): LaunchPlan {
  const scale = scaleOf(s), bytes = s.dtype === 'f32' ? 4 : 8;
  const room = Math.max(1, Math.floor(CACHE / (2 * bytes * s.n)), Math.ceil(s.batch / MOST_PARTS)), part = Math.min(s.batch, s.n <= LARGEST_SMALL ? s.batch : room);
  const none: LaunchPlan = { factors: [], launches: [], tables: [], sizes: { a: 0, b: 0, tw: 0 } };
  if (s.n === 1 || s.batch === 0) return none;
  if (s.n <= LARGEST_SMALL) return { ...none, launches: [small(s, scale)] };

  const factors = factor(Math.log2(s.n), vecBytes / bytes), tables: Table[] = [], middles = factors.length - 2;
  let l = 1, tw = 0;
  factors.forEach((f, i) => {
    const last = i === factors.length - 1, lanes = last ? lanesOf({ vecBytes }, { dtype: s.dtype, narrow: f.narrow }) : 1;
    tables.push({ offset: tw, l, radix: f.radix, lanes, scale: last ? scale : 1 });
    if (i > 0) tw += tableSize({ l, radix: f.radix });
    l *= f.radix;
  });
  // The data alternates between two places and must end in `a`, since the last pass cannot read what it writes. The other place is the output,
  // unless that still holds the input when it would be written first.
  const other: Place = inPlace && middles % 2 === 1 ? 'b' : 'out';
  const launches: Launch[] = [];
  for (let from = 0; from < s.batch; from += part) {
    const count = Math.min(part, s.batch - from);
    launches.push(...passes({ s, vecBytes, factors, tables, from, count, scale, place: (i) => ((middles - i) % 2 === 0 ? 'a' : other) }));
  }
  const area = 2 * s.n * part;
  return { factors, launches, tables: tables.slice(1), sizes: { a: area, b: other === 'b' ? area : 0, tw } };
}

function small(s: FullSpec, scale: number): Launch {
  const { n, batch: P } = s, backward = s.sign === 1;
  return {
    kernel: { role: 'small', dtype: s.dtype, n }, scale, alone: n * P < ALONE,
    views: {
      x0: { place: 'in', offset: 0, shape: [P, 2], strides: [2 * n, 1] },
      x: { place: 'in', offset: backward ? 2 * (n - 1) : 2, shape: [P, n - 1, 2], strides: [2 * n, backward ? -2 : 2, 1] },
      y: { place: 'out', offset: 0, shape: [P, n, 2], strides: [2 * n, 2, 1] },
    },
  };
}

interface Part {
  readonly s: FullSpec;
  readonly vecBytes: number;
  readonly factors: readonly Factor[];
  readonly tables: readonly Table[];
  /** First transform of the batch, and how many. */
  readonly from: number;
  readonly count: number;
  readonly scale: number;
  /** Where the output of pass i goes. */
  readonly place: (i: number) => Place;
}

function passes(p: Part): Launch[] {
  const { s, factors } = p, { n } = s;
  let l = 1;
  return factors.map((f, i): Launch => {
    const id = { dtype: s.dtype, radix: f.radix, narrow: f.narrow }, lanes = lanesOf({ vecBytes: p.vecBytes }, id);
    const g: Geometry = { ...p, radix: f.radix, lanes, l, run: n / l / f.radix, table: p.tables[i]! };
    l *= f.radix;
    const alone = n * p.count < ALONE;
    if (i === 0) return { kernel: { role: 'first', ...id }, views: first(g, p.place(0)), scale: undefined, alone };
    if (i === factors.length - 1) return { kernel: { role: 'last', ...id }, views: last(g, p.place(i - 1)), scale: p.scale, alone };
    return { kernel: { role: 'middle', ...id }, views: middle(g, p.place(i - 1), p.place(i)), scale: undefined, alone };
  });
}

interface Geometry extends Part {
  readonly radix: number;
  readonly lanes: number;
  /** Product of the radices before this pass. */
  readonly l: number;
  /** s' of this pass: elements in a row of its output. */
  readonly run: number;
  readonly table: Table;
}

/** A dimension: its length and its stride. */
type Dim = readonly [n: number, stride: number];
const view = (place: Place, offset: number, ...dims: readonly Dim[]): View => ({ place, offset, shape: dims.map((d) => d[0]), strides: dims.map((d) => d[1]) });

/** Several transforms of a batch go to the threads whole; else the groups of one transform do. Strides differ from tensor to tensor. */
const grid = (g: Geometry, groups: number) => (batch: number, group: number): readonly [Dim, Dim] => {
  const b: Dim = [g.count, batch], k: Dim = [groups, group];
  return g.count >= 8 || g.count > groups ? [b, k] : [k, b];
};

/** Rows 1 .. radix - 1, `step` apart from row 0 on; backwards for the backward transform. */
const rows = (g: Geometry, step: number): { readonly offset: number; readonly dim: Dim } =>
  (g.s.sign === 1 ? { offset: step * (g.radix - 1), dim: [g.radix - 1, -step] } : { offset: step, dim: [g.radix - 1, step] });

function first(g: Geometry, to: Place): Launch['views'] {
  const { lanes, run, s: { n } } = g, at = grid(g, run / lanes), rest = rows(g, 2 * run), from = 2 * n * g.from;
  const x = at(2 * n, 2 * lanes), y = at(2 * n, lanes), base = partBase(g, to);
  return {
    x0: view('in', from, ...x, [2 * lanes, 1]), x: view('in', from + rest.offset, ...x, rest.dim, [2 * lanes, 1]),
    yr: view(to, base, ...y, [g.radix, run], [lanes, 1]), yi: view(to, base + n, ...y, [g.radix, run], [lanes, 1]),
  };
}

function middle(g: Geometry, from: Place, to: Place): Launch['views'] {
  const { lanes, run, l, radix, s: { n } } = g, at = grid(g, l), rest = rows(g, run), turned = rows(g, 2), K: Dim = [run / lanes, lanes];
  const x = at(2 * n, radix * run), y = at(2 * n, run), i = partBase(g, from), o = partBase(g, to);
  return {
    xr0: view(from, i, ...x, K, [lanes, 1]), xi0: view(from, i + n, ...x, K, [lanes, 1]),
    xr: view(from, i + rest.offset, ...x, rest.dim, K, [lanes, 1]), xi: view(from, i + n + rest.offset, ...x, rest.dim, K, [lanes, 1]),
    tw: view('tw', g.table.offset + turned.offset - 2, ...at(0, 2 * (radix - 1)), turned.dim, [2, 1]),
    yr: view(to, o, ...y, [radix, l * run], K, [lanes, 1]), yi: view(to, o + n, ...y, [radix, l * run], K, [lanes, 1]),
  };
}

function last(g: Geometry, from: Place): Launch['views'] {
  const { lanes, l, radix, s: { n } } = g, at = grid(g, l / lanes), rest = rows(g, 2 * l), to = 2 * n * g.from;
  const x = at(2 * n, radix * lanes), y = at(2 * n, 2 * lanes), i = partBase(g, from);
  return {
    xr: view(from, i, ...x, [radix * lanes, 1]), xi: view(from, i + n, ...x, [radix * lanes, 1]),
    tw: view('tw', g.table.offset, ...at(0, 2 * lanes * (radix - 1)), [radix - 1, 2 * lanes], [2, lanes], [lanes, 1]),
    y0: view('out', to, ...y, [2 * lanes, 1]), y: view('out', to + rest.offset, ...y, rest.dim, [2 * lanes, 1]),
  };
}

/** Where a part of the batch starts in a place: scratch is used again by every part. */
const partBase = (g: Geometry, place: Place): number => (place === 'out' ? 2 * g.s.n * g.from : 0);
