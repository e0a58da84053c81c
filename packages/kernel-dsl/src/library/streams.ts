import type { Axis } from '../lang/index.ts';
import type { Schedule } from '../schedule/index.ts';

/** How wide a loop over elements is walked: vectors of this dtype (f32 by default), and how many registers of them at a time. */
export interface StreamOptions { readonly dtype?: 'f32' | 'f64' | 'i32'; readonly vectors?: number }

const lanesOf = (s: Schedule, o: StreamOptions): number => s.vec(o.dtype ?? 'f32') * (o.vectors ?? 1);

/**
 * Independent elements along one axis: vectors, then the rest one by one. Returns the loop over vectors, for threads or further splits.
 * @example s.parallel(streamingMap(s, ax.i, { vectors: 4 }));
 */
export function streamingMap(s: Schedule, axis: Axis, o: StreamOptions = {}): Axis {
  const [outer, lane] = s.split(axis, lanesOf(s, o), { tail: 'peel' });
  s.vectorize(lane);
  return outer;
}

/**
 * A sum (or another accumulation) over an axis into a register: one partial result for each lane, then the rest one by one. With several vectors,
 * additions do not wait for each other. The order of the sum changes.
 * @example rowReduction(s, ax.k, 'acc', { vectors: 4 });
 */
export function rowReduction(s: Schedule, axis: Axis, register: string, o: StreamOptions = {}): void {
  const [, lane] = s.split(axis, lanesOf(s, o), { tail: 'peel' });
  s.rfactor(register, lane);
  s.vectorize(lane);
}

/**
 * A matrix times a vector, at the speed of memory: the lanes of a row are summed apart, and `streams` rows are walked side by side, each from another
 * part of the matrix, so that memory is read in long runs and x once for all of them. Threads share the rows. Without `k` the sum stays as it is.
 */
export function gemv(s: Schedule, ax: { readonly r: Axis; readonly k?: Axis }, register: string, o: StreamOptions & { readonly streams?: number } = {}): void {
  if (ax.k) rowReduction(s, ax.k, register, o);
  const [n] = s.interleave(ax.r, o.streams ?? 4);
  s.parallel(n);
}
