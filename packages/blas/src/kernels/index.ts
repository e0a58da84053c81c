/** The kernels of this library: algorithms in the DSL, their schedules, and the list from which C is generated. */
import type { LibraryKernel } from '@quern/kernel-dsl/c';
import { GEMM_LAYOUTS, buildGemm, gemmName } from './gemm.ts';
import type { GemmType } from './gemm.ts';

export { GEMM_LAYOUTS, buildGemm, gemm, gemmBlocks, gemmName, scheduleGemm } from './gemm.ts';
export type { GemmAxes, GemmLayout, GemmType } from './gemm.ts';

const TYPES: readonly GemmType[] = ['f32', 'f64'];

/** Every kernel of the library with its build for a target. */
export function blasKernels(): readonly LibraryKernel[] {
  return TYPES.flatMap((T) => GEMM_LAYOUTS.map((layout): LibraryKernel => ({ name: gemmName(T, layout), build: (t) => buildGemm(T, layout, t) })));
}
