import { ArgumentError, DTypeError, ShapeError, Tensor, clone, zeros } from '@quern/runtime';
import type { DType } from '@quern/runtime';

/** Where an operation writes its result. */
export interface OutOption<D extends DType = 'f32'> {
  /** Written instead of a new tensor; must have the result's shape and dtype, and overlap no input. */
  readonly out?: Tensor<D>;
}

const shown = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`;

/** Refuses what is not a tensor of the dtype. `what` names the argument: "rmsNorm: x". */
export function needTensor<D extends DType>(t: unknown, dtype: D, what: string): Tensor<D> {
  if (!(t instanceof Tensor)) throw new ArgumentError(`${what} must be a Tensor`, { fix: 'wrap a typed array with tensor(data, shape) of @quern/runtime' });
  if (t.dtype !== dtype) throw new DTypeError(`${what} must be ${dtype}, got ${t.dtype}`);
  return t as Tensor<D>;
}

/** Refuses another shape; a string in `shape` stands for any length and is what the message calls it. */
export function needShape(t: Tensor, shape: readonly (number | string)[], what: string): void {
  if (t.rank !== shape.length || shape.some((n, d) => typeof n === 'number' && n !== t.shape[d])) throw new ShapeError(`${what} must have the shape ${shown(shape)}, got ${shown(t.shape)}`);
}

/** A tensor whose innermost elements are neighbours, as kernels want inputs: itself, or a copy. */
export const rows = <D extends DType>(t: Tensor<D>): Tensor<D> => (t.rank === 0 || t.size === 0 || t.strides[t.rank - 1] === 1 || t.shape[t.rank - 1] === 1 ? t : clone(t));

/** All elements as one dimension: a view where they are contiguous, else a copy. */
export const flat = <D extends DType>(t: Tensor<D>): Tensor<D> => (t.contiguous ? t : clone(t)).reshape(t.size);

/** The elements in another shape: a view where they are contiguous, else a copy. */
export const shaped = <D extends DType>(t: Tensor<D>, ...shape: number[]): Tensor<D> => (t.contiguous ? t : clone(t)).reshape(...shape);

/** The tensor that an operation writes: `out`, checked, or a new one. */
export function result(o: OutOption, shape: readonly number[], what: string): Tensor<'f32'> {
  return resultOf(o, shape, 'f32', what);
}

/** The same for another dtype. */
export function resultOf<D extends DType>(o: OutOption<D>, shape: readonly number[], dtype: D, what: string): Tensor<D> {
  if (o.out === undefined) return zeros(shape, dtype);
  const out = needTensor(o.out, dtype, `${what}: out`);
  needShape(out, shape, `${what}: out`);
  if (!out.contiguous) throw new ShapeError(`${what}: out must be contiguous`, { fix: 'pass a fresh tensor, or leave it out' });
  return out;
}

/** Refuses an empty last dimension, over which nothing can be normalised. */
export function needWidth(t: Tensor, what: string): number {
  const n = t.shape[t.rank - 1];
  if (n === undefined || n === 0) throw new ShapeError(`${what} must have at least one element in its last dimension, got ${shown(t.shape)}`);
  return n;
}

/** Refuses anything but a natural number. */
export function needCount(n: unknown, what: string): number {
  if (typeof n !== 'number' || !Number.isSafeInteger(n) || n < 0 || n > 0x7fffffff) throw new ArgumentError(`${what} must be an integer from 0 to 2^31 - 1, got ${String(n)}`);
  return n;
}

/** Refuses what is not a finite number. */
export function needFinite(n: unknown, what: string): number {
  if (typeof n !== 'number' || !Number.isFinite(n)) throw new ArgumentError(`${what} must be a finite number, got ${String(n)}`);
  return n;
}
