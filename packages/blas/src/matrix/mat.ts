import type { Tensor } from '@quern/runtime';

/** Arrays that hold a matrix: their class says the element type, f32 or f64. */
export type Real = Float32Array | Float64Array;

/**
 * A matrix in a typed array: element (i, j) is `data[offset + i * rowStride + j * colStride]`. Strides count elements and may be
 * negative or, for operands that are only read, 0. Row-major without gaps when no stride is given.
 *
 * @example
 * const a: Mat<Float32Array> = { data: new Float32Array(6), rows: 2, cols: 3 };                    // row-major
 * const b: Mat<Float32Array> = { data: new Float32Array(6), rows: 2, cols: 3, rowStride: 1, colStride: 2 }; // column-major
 */
export interface Mat<A extends Real = Real> {
  readonly data: A;
  readonly rows: number;
  readonly cols: number;
  /** Default: `cols`. */
  readonly rowStride?: number;
  /** Default 1. */
  readonly colStride?: number;
  /** Default 0. */
  readonly offset?: number;
}

/** A matrix: a description over a typed array, or a tensor of rank 2. */
export type Matrix<A extends Real = Real> = Mat<A> | Tensor<A extends Float32Array ? 'f32' : 'f64'>;
