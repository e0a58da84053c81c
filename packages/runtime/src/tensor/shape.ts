import { ShapeError } from '../errors/index.ts';

/** Throws ShapeError unless every dimension is a non-negative integer and the number of elements fits in 2^53. */
export function checkShape(shape: readonly number[]): void {
  if (!Array.isArray(shape)) throw new ShapeError(`a shape is an array of dimensions, got ${String(shape)}`);
  for (const n of shape) {
    if (!Number.isSafeInteger(n) || n < 0) throw new ShapeError(`shape [${shape.join(', ')}]: every dimension must be a non-negative integer`);
  }
  if (!Number.isSafeInteger(sizeOf(shape))) throw new ShapeError(`shape [${shape.join(', ')}] has too many elements`);
}

/** The number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Row-major strides in elements. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= Math.max(shape[d] ?? 1, 1);
  }
  return strides;
}

/** Whether the elements lie one after another in row-major order. Strides of dimensions of length 1 mean nothing. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const n = shape[d] ?? 1;
    if (n === 0) return true;
    if (n !== 1 && strides[d] !== step) return false;
    step *= n;
  }
  return true;
}

/** The lowest and highest element touched, relative to element 0; undefined when there is none. */
export function reach(shape: readonly number[], strides: readonly number[]): { readonly low: number; readonly high: number } | undefined {
  let low = 0;
  let high = 0;
  for (let d = 0; d < shape.length; d++) {
    const n = shape[d] ?? 0;
    if (n === 0) return undefined;
    const span = (n - 1) * (strides[d] ?? 0);
    if (span < 0) low += span;
    else high += span;
  }
  return { low, high };
}

/** Calls f with the place of every element, in row-major order, relative to element 0. */
export function forEachPlace(shape: readonly number[], strides: readonly number[], f: (place: number, index: number) => void): void {
  const rank = shape.length;
  const size = sizeOf(shape);
  const at = new Array<number>(rank).fill(0);
  let place = 0;
  for (let i = 0; i < size; i++) {
    f(place, i);
    for (let d = rank - 1; d >= 0; d--) {
      const n = (at[d] ?? 0) + 1;
      const stride = strides[d] ?? 0;
      if (n < (shape[d] ?? 0)) {
        at[d] = n;
        place += stride;
        break;
      }
      at[d] = 0;
      place -= (n - 1) * stride;
    }
  }
}
