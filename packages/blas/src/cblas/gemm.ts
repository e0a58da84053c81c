import { ArgumentError } from '@quern/runtime';
import { gemm, type GemmOptions, type Op } from '../gemm/index.ts';
import type { Mat, Real } from '../matrix/index.ts';

/** `row`: elements of a row lie together and the leading dimension parts rows. `col`: the same with columns. */
export type Order = 'row' | 'col';

/** Where element (0, 0) of each matrix is in its array. Default 0. */
export interface Offsets {
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
}

function xgemm<A extends Real>(routine: string, array: new (n: number) => Real, order: Order, opA: Op, opB: Op, m: number, n: number, k: number, alpha: number,
  a: A, lda: number, b: A, ldb: number, beta: number, c: A, ldc: number, offsets: Offsets, options: GemmOptions): A {
  if (order !== 'row' && order !== 'col') throw new ArgumentError(`${routine}: 'order' must be 'row' or 'col', got ${String(order)}`);
  for (const [name, op] of [['opA', opA], ['opB', opB]] as const) {
    if (op !== 'n' && op !== 't' && op !== 'c') throw new ArgumentError(`${routine}: '${name}' must be 'n', 't' or 'c', got ${String(op)}`);
  }
  for (const [name, x] of [['m', m], ['n', n], ['k', k]] as const) {
    if (!Number.isSafeInteger(x) || x < 0) throw new ArgumentError(`${routine}: '${name}' must be a non-negative integer, got ${String(x)}`);
  }
  const mat = (name: string, data: A, ld: number, rows: number, cols: number, offset: number | undefined): Mat<A> => {
    if (!(data instanceof array)) throw new ArgumentError(`${routine}: '${name}' must be a ${array.name}`);
    const least = Math.max(1, order === 'row' ? cols : rows);
    if (!Number.isSafeInteger(ld) || ld < least) throw new ArgumentError(`${routine}: 'ld${name}' must be an integer of at least ${least}, got ${String(ld)}`);
    return { data, rows, cols, rowStride: order === 'row' ? ld : 1, colStride: order === 'row' ? 1 : ld, offset: offset ?? 0 };
  };
  gemm({
    a: opA === 'n' ? mat('a', a, lda, m, k, offsets.a) : mat('a', a, lda, k, m, offsets.a),
    b: opB === 'n' ? mat('b', b, ldb, k, n, offsets.b) : mat('b', b, ldb, n, k, offsets.b),
    c: mat('c', c, ldc, m, n, offsets.c), alpha, beta, opA, opB,
  }, options);
  return c;
}

/**
 * cblas_sgemm: C = alpha op(A) op(B) + beta C in f32. C is m x n, op(A) is m x k, op(B) is k x n; see {@link gemm} for what is promised.
 *
 * @returns `c`
 * @throws ArgumentError, ShapeError naming the argument; c is as it was
 * @example sgemm('col', 'n', 't', m, n, k, 1, a, m, b, n, 0, c, m)
 */
export function sgemm(order: Order, opA: Op, opB: Op, m: number, n: number, k: number, alpha: number, a: Float32Array, lda: number, b: Float32Array, ldb: number,
  beta: number, c: Float32Array, ldc: number, offsets: Offsets = {}, options: GemmOptions = {}): Float32Array {
  return xgemm('sgemm', Float32Array, order, opA, opB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, offsets, options);
}

/** cblas_dgemm: {@link sgemm} in f64. */
export function dgemm(order: Order, opA: Op, opB: Op, m: number, n: number, k: number, alpha: number, a: Float64Array, lda: number, b: Float64Array, ldb: number,
  beta: number, c: Float64Array, ldc: number, offsets: Offsets = {}, options: GemmOptions = {}): Float64Array {
  return xgemm('dgemm', Float64Array, order, opA, opB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, offsets, options);
}
