/** The C interface to BLAS, as functions on typed arrays: for porting, and to be compared with other libraries. */
export { dgemm, sgemm, type Offsets, type Order } from './gemm.ts';
