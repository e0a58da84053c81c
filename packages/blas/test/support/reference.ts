/** What gemm must compute: C in twice the working precision, and the bound that every element has to keep. */
import { expect } from 'vitest';

/** A matrix over numbers with any strides, as `Mat` describes it. */
export interface Numbers { readonly data: ArrayLike<number>; readonly rows: number; readonly cols: number; readonly rowStride: number; readonly colStride: number; readonly offset: number }

export const elementOf = (m: Numbers, i: number, j: number): number => m.data[m.offset + i * m.rowStride + j * m.colStride]!;

/** a b = p + e exactly (Dekker's product with Veltkamp's split). */
function twoProduct(a: number, b: number): readonly [number, number] {
  const split = (x: number): readonly [number, number] => { const t = 134217729 * x, h = t - (t - x); return [h, x - h]; };
  const p = a * b, [ah, al] = split(a), [bh, bl] = split(b);
  return [p, ((ah * bh - p) + ah * bl + al * bh) + al * bl];
}

/** A sum of products kept as an unevaluated pair of doubles: about 106 bits. */
function dot(k: number, a: (p: number) => number, b: (p: number) => number): readonly [number, number] {
  let s = 0, c = 0;
  for (let p = 0; p < k; p++) {
    const [x, e] = twoProduct(a(p), b(p)), t = s + x, z = t - s;
    c += ((s - (t - z)) + (x - z)) + e;
    s = t;
  }
  return [s, c];
}

/** u of a type: half the distance from 1 to the next number. */
export const unit: Readonly<Record<'f32' | 'f64', number>> = { f32: 2 ** -24, f64: 2 ** -53 };
export const gamma = (n: number, u: number): number => n * u / (1 - n * u);

/** a, b: op(A) and op(B). c0: C before the call; c: after it. */
export interface Product { readonly T: 'f32' | 'f64'; readonly a: Numbers; readonly b: Numbers; readonly c0: Numbers; readonly c: Numbers; readonly alpha: number; readonly beta: number }

/** Checks |C' - C| <= gamma_(k+4) (|alpha| |A||B| + |beta| |C0|) on every element; returns the largest error in units of u G. */
export function expectWithinBound({ T, a, b, c0, c, alpha, beta }: Product): number {
  const k = a.cols, u = unit[T], allowed = gamma(k + 4, u);
  let worst = 0;
  for (let i = 0; i < c.rows; i++) {
    for (let j = 0; j < c.cols; j++) {
      const [s, e] = dot(k, (p) => elementOf(a, i, p), (p) => elementOf(b, p, j));
      let g = 0;
      for (let p = 0; p < k; p++) g += Math.abs(elementOf(a, i, p) * elementOf(b, p, j));
      const before = beta === 0 ? 0 : elementOf(c0, i, j), got = elementOf(c, i, j);
      const [x, xe] = twoProduct(alpha, s), [y, ye] = twoProduct(beta, before);
      const error = Math.abs(((x - got) + y) + (xe + ye + alpha * e)), scale = Math.abs(alpha) * g + Math.abs(beta * before);
      if (!(error <= allowed * scale)) expect.fail(`${T} ${c.rows}x${c.cols}x${k}: C[${i},${j}] = ${got} is off by ${error}, allowed ${allowed * scale}`);
      if (scale > 0) worst = Math.max(worst, error / (u * scale));
    }
  }
  return worst;
}
