/** Kernels that several tests of the emitter share, put together by hand in lowered form. */
import type { KernelIR } from '../../src/ir/index.ts';
import type { Target } from '../../src/targets/index.ts';
/** C[mr, nr] += A[K, mr] * B[K, nr] on packed panels, nr = `vectors` registers: mr * vectors named accumulators. */
export declare function microKernel(mr: number, vectors: number, t: Target): KernelIR;
