import type { RootWriter } from './roots.ts';

/** What a pass needs to know of its twiddles: w = exp(sign 2 pi i / (l radix)). */
export interface TwiddlePass { readonly l: number; readonly radix: number }

/** Numbers of a table: (radix - 1) complex ones for each j < l. */
export const tableSize = (p: TwiddlePass): number => p.l * (p.radix - 1) * 2;

/**
 * w^(j u) for u = 1 .. radix - 1, j outermost; `lanes` neighbouring j lie next to each other, first their real parts and then the imaginary ones:
 * element [j / lanes][u - 1][part][j % lanes]. With `reversed`, u runs from radix - 1 down to 1.
 *
 * @param n the size that `root` belongs to, a multiple of l * radix
 * @param scale multiplies every number
 */
export function fillTable(out: Float32Array | Float64Array, p: TwiddlePass, lanes: number, n: number, root: RootWriter, scale: number, reversed = false): void {
  const re = new Float64Array(1), im = new Float64Array(1), step = n / (p.l * p.radix);
  for (let j = 0; j < p.l; j++) {
    const block = Math.floor(j / lanes) * (p.radix - 1) * 2 * lanes + (j % lanes);
    for (let u = 1; u < p.radix; u++) {
      root(j * u * step, re, im, 0);
      const at = block + (reversed ? p.radix - 1 - u : u - 1) * 2 * lanes;
      out[at] = re[0]! * scale;
      out[at + lanes] = im[0]! * scale;
    }
  }
}
