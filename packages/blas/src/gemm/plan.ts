import type { GemmLayout } from '../kernels/index.ts';
import { transposed, type View } from '../matrix/index.ts';

/** Which kernel computes a product, on which views: shapes as that kernel declares them. */
export interface GemmPlan {
  readonly layout: GemmLayout;
  readonly A: View;
  readonly B: View;
  readonly C: View;
  /** Computed as C' = op(B)' op(A)': the columns of C lie together, not its rows. */
  readonly swapped: boolean;
}

/** Neighbours in a row are neighbours in memory. A stride that is never used is any stride. */
const unitRows = (v: View): boolean => v.colStride === 1 || v.cols <= 1;

/**
 * Chooses the kernel by strides alone, without a copy of any operand: rows of C together as they are, columns of C together by
 * exchanging roles, and one kernel that gathers for all that has no unit stride.
 *
 * @param a op(A), b op(B): with the transposition applied
 */
export function planGemm(a: View, b: View, c: View): GemmPlan {
  if (!unitRows(c)) {
    if (!unitRows(transposed(c))) return { layout: 'any', A: a, B: b, C: c, swapped: false };
    return { ...planGemm(transposed(b), transposed(a), transposed(c)), swapped: true };
  }
  const how = (v: View): 'n' | 't' | undefined => (unitRows(v) ? 'n' : unitRows(transposed(v)) ? 't' : undefined);
  const [p, q] = [how(a), how(b)];
  if (p === undefined || q === undefined) return { layout: 'any', A: a, B: b, C: c, swapped: false };
  return { layout: `${p}${q}`, A: p === 't' ? transposed(a) : a, B: q === 't' ? transposed(b) : b, C: c, swapped: false };
}
