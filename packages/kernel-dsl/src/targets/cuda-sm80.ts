import { cudaTarget } from './cuda.ts';
import { cuda_sm75 } from './cuda-sm75.ts';
import type { Target } from './target.ts';

/** Ampere (A100) and, but for its amount of shared memory, all later ones: asynchronous copies, matrix instructions of bf16, tf32 and f64. */
export const cuda_sm80: Target = cudaTarget('sm_80', {
  features: ['ldmatrix', 'mma_f16', 'mma_i8', 'mma_bf16', 'mma_tf32', 'mma_f64', 'cp_async'], instructions: [...cuda_sm75.instructions], sharedBytes: 166912,
});
