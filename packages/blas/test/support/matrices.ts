/** Random matrices with any strides, in arrays with canaries around and between their elements. */
import type { Mat, Real } from '../../src/index.ts';
import type { Numbers } from './reference.ts';

export const CANARY = 12345.5;

/** Small deterministic generator (Marsaglia's xorshift32). */
export function random(seed: number): () => number {
  let x = (seed | 0) || 1;
  return () => {
    x ^= x << 13; x ^= x >>> 17; x ^= x << 5;
    return (x | 0) / 2 ** 31;
  };
}

/** How the elements lie. `gap`: unused elements after each row or column. */
export type Lie = 'row' | 'col' | 'both';

export type Full = Required<Mat> & Numbers;

/** A matrix of random numbers in [-1, 1); every other element of its array is a canary. */
export function matrix(T: 'f32' | 'f64', rows: number, cols: number, o: { lie?: Lie; gap?: number; reversed?: boolean; seed?: number } = {}): Full {
  const { lie = 'row', gap = 0, reversed = false, seed = rows * 31 + cols } = o, next = random(seed * 2654435761 + 1), margin = 5;
  const step = lie === 'both' ? 2 + gap : 1;
  const [r, c] = lie === 'col' ? [step, (Math.max(1, rows) * step) + gap] : [(Math.max(1, cols) * step) + gap, step];
  const count = rows > 0 && cols > 0 ? (rows - 1) * r + (cols - 1) * c + 1 : 0;
  const data: Real = new (T === 'f32' ? Float32Array : Float64Array)(count + 2 * margin).fill(CANARY);
  const sign = reversed && count > 0 ? -1 : 1, offset = sign < 0 ? margin + count - 1 : margin;
  const m: Full = { data, rows, cols, rowStride: sign * r, colStride: sign * c, offset };
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) data[offset + i * m.rowStride + j * m.colStride] = next();
  return m;
}

export const copyOf = (m: Full): Full => ({ ...m, data: m.data.slice() });
export const transposeOf = (m: Full): Full => ({ ...m, rows: m.cols, cols: m.rows, rowStride: m.colStride, colStride: m.rowStride });

/** Are all elements that belong to no row and column still canaries? */
export function canariesLive(m: Full): boolean {
  const own = new Set<number>();
  for (let i = 0; i < m.rows; i++) for (let j = 0; j < m.cols; j++) own.add(m.offset + i * m.rowStride + j * m.colStride);
  return m.data.every((x, i) => own.has(i) || x === CANARY);
}
