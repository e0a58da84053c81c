/** The kernels of this library: algorithms in the DSL, their schedules, and the list from which C is generated. */
import type { LibraryKernel } from '@quern/kernel-dsl';
import { GEMM_LAYOUTS, buildGemm } from './gemm.ts';
import type { GemmType } from './gemm.ts';
import { buildScale } from './scale.ts';

export { GEMM_LAYOUTS, buildGemm, gemm, gemmBlocks } from './gemm.ts';
export type { GemmLayout, GemmType } from './gemm.ts';
export { buildScale, scale } from './scale.ts';

const TYPES: readonly GemmType[] = ['f32', 'f64'];

/** Every kernel of the library with its build for a target. */
export function blasKernels(): readonly LibraryKernel[] {
  return TYPES.flatMap((T) => [
    ...GEMM_LAYOUTS.map((l) => ({ name: `gemm_${l}_${T}`, build: (t: Parameters<typeof buildScale>[1]) => buildGemm(T, l, t) })),
    { name: `scale_${T}`, build: (t: Parameters<typeof buildScale>[1]) => buildScale(T, t) },
  ]);
}
