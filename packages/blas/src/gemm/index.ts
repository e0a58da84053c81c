/** C = alpha op(A) op(B) + beta C for matrices of any strides. */
export { gemm, type GemmArgs, type GemmOptions, type Op } from './gemm.ts';
export { planGemm, type GemmPlan } from './plan.ts';
