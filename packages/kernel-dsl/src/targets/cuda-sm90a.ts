import { cudaTarget } from './cuda.ts';
import { cuda_sm80 } from './cuda-sm80.ts';
import type { Target } from './target.ts';

/** Hopper (H100, H200), with the instructions that are its own: matrix instructions of warp groups, tensor copies, clusters. */
export const cuda_sm90a: Target = cudaTarget('sm_90a', {
  features: ['ldmatrix', 'mma_f16', 'mma_i8', 'mma_bf16', 'mma_tf32', 'mma_f64', 'cp_async', 'mbarrier', 'tma', 'wgmma', 'setmaxnreg', 'cluster'], instructions: [...cuda_sm80.instructions], sharedBytes: 232448,
});
