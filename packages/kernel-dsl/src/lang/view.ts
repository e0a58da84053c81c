import { DslError } from '../errors/index.ts';
import { add, isConst } from '../ir/index.ts';
import type { Buffer, DType, Expr } from '../ir/index.ts';
import { here } from './here.ts';
import { use } from './trace.ts';
import { indexOf } from './val.ts';
import type { Index } from './val.ts';

/** What a view takes of one dimension: all of it, `[start, extent]`, or one index, which takes the dimension away. */
export type Part = Index | 'all' | readonly [start: Index, extent: Index];
type Kept<V extends readonly Part[]> = V extends readonly [infer H, ...infer T extends readonly Part[]] ? (H extends Index ? Kept<T> : readonly [unknown, ...Kept<T>]) : readonly [];
/** How many dimensions a view has. */
export type Rank<V extends readonly Part[]> = Kept<V>['length'];

/** One dimension of the tensor behind a view: fixed, or with the extent that is left of it. */
export type Slice = { readonly at: Expr } | { readonly start: Expr | undefined; readonly extent: Expr };

/** Part of a tensor, as another kernel takes it: see {@link call}. */
export class View<D extends DType, N extends number> {
  readonly dtype: D;
  readonly rank: N;
  readonly buf: Buffer;
  readonly slices: readonly Slice[];
  constructor(buf: Buffer, dtype: D, slices: readonly Slice[]) {
    this.buf = buf;
    this.dtype = dtype;
    this.slices = slices;
    this.rank = slices.filter((s) => 'extent' in s).length as N;
  }
}

/** The parts of a tensor's dimensions, checked. */
export function slicesOf(buf: Buffer, parts: readonly Part[]): Slice[] {
  if (parts.length !== buf.shape.length) throw new DslError('KD-RANK', { name: buf.name, rank: buf.shape.length, given: parts.length }, { loc: here() });
  const pair = (p: Part): p is readonly [Index, Index] => Array.isArray(p);
  return parts.map((p, d) => {
    if (p === 'all') return { start: undefined, extent: buf.shape[d]! };
    if (pair(p)) return { start: use(indexOf(p[0], buf.name)), extent: use(indexOf(p[1], buf.name)) };
    return { at: use(indexOf(p, buf.name)) };
  });
}

/** The place in the tensor of an index into the view. */
export function placeIn(slices: readonly Slice[], index: readonly Expr[]): Expr[] {
  let next = 0;
  return slices.map((s) => {
    if ('at' in s) return s.at;
    const i = index[next++]!;
    return s.start === undefined || isConst(s.start, 0) ? i : add(s.start, i);
  });
}
