/** Matrix and vector operations generated from Quern kernels, for Node and, through cblas, for C. */
export { gemm, type GemmArgs, type GemmOptions, type Op } from './gemm/index.ts';
export { dgemm, sgemm, type Offsets, type Order } from './cblas/index.ts';
export { type Mat, type Matrix, type Real } from './matrix/index.ts';
export { type Backend, blasInfo, type BlasInfo } from './backend/index.ts';
