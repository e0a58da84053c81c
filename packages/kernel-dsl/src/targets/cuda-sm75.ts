import { cudaTarget } from './cuda.ts';
import type { Target } from './target.ts';

/** Turing (T4, RTX 20): the oldest GPUs that current CUDA compiles for. Matrix instructions of f16 and int8, 64 KiB of shared memory. */
export const cuda_sm75: Target = cudaTarget('sm_75', { features: ['ldmatrix', 'mma_f16', 'mma_i8'], instructions: [], sharedBytes: 65536 });
