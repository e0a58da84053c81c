import type { TensorArg, ir } from '@quern/kernel-dsl';
import { decoded, eachElement } from '../memory/index.ts';
import { exact, unknown } from './number.ts';
import type { Approx } from './number.ts';

/** The elements of a buffer, dense, row-major. */
export interface Cells { readonly shape: readonly number[]; readonly cells: Approx[] }

/** A tensor's elements before the kernel runs. */
export function cellsOf(a: TensorArg, t: ir.DType): Cells {
  const cells: Approx[] = [];
  eachElement(a, (_, p) => cells.push(exact(decoded(a.data[p]!, t))));
  return { shape: a.shape, cells };
}

/** Memory that nothing has been written to. */
export const blank = (shape: readonly number[]): Cells => ({ shape, cells: new Array<Approx>(shape.reduce((n, x) => n * x, 1)).fill(unknown(NaN)) });

/** The row-major number of an element, or undefined outside. */
export function offsetOf(m: Cells, index: readonly number[]): number | undefined {
  let at = 0;
  for (const [d, n] of m.shape.entries()) {
    const i = index[d]!;
    if (i < 0 || i >= n) return undefined;
    at = at * n + i;
  }
  return at;
}
