/** The machines that kernels are emitted for, one file each. */
import { aarch64_dotprod } from './aarch64-dotprod.ts';
import { aarch64_i8mm } from './aarch64-i8mm.ts';
import { aarch64 } from './aarch64.ts';
import { cuda_sm75 } from './cuda-sm75.ts';
import { cuda_sm80 } from './cuda-sm80.ts';
import { cuda_sm90a } from './cuda-sm90a.ts';
import { generic } from './generic.ts';
import { opencl } from './opencl.ts';
import type { Target } from './target.ts';
import { wgsl } from './wgsl.ts';
import { x86_64_amx } from './x86-64-amx.ts';
import { x86_64_v2 } from './x86-64-v2.ts';
import { x86_64_v3 } from './x86-64-v3.ts';
import { x86_64_v4_bf16 } from './x86-64-v4-bf16.ts';
import { x86_64_v4_vnni } from './x86-64-v4-vnni.ts';
import { x86_64_v4 } from './x86-64-v4.ts';
import { x86_64 } from './x86-64.ts';

export type { Dim3, GpuLanguage, GpuTraits, Target } from './target.ts';
export { openclTarget } from './opencl.ts';
export type { OpenClFeature } from './opencl.ts';
export { wgslTarget } from './wgsl.ts';
export type { WgslFeature } from './wgsl.ts';
export { COMMON_CFLAGS } from './target.ts';
export { ISAS } from './isas.ts';
export { aarch64, aarch64_dotprod, aarch64_i8mm, cuda_sm75, cuda_sm80, cuda_sm90a, generic, opencl, wgsl, x86_64, x86_64_amx, x86_64_v2, x86_64_v3, x86_64_v4, x86_64_v4_bf16, x86_64_v4_vnni };

/** Every CPU, best first, as {@link ISAS} has them. */
export const TARGETS: readonly Target[] = [
  x86_64_amx, x86_64_v4_bf16, x86_64_v4_vnni, x86_64_v4, x86_64_v3, x86_64_v2, x86_64, aarch64_i8mm, aarch64_dotprod, aarch64, generic,
];

/** Every GPU, best first within a language. Devices with OpenCL or WebGPU differ: `openclTarget` and `wgslTarget` describe the one at hand. */
export const GPU_TARGETS: readonly Target[] = [cuda_sm90a, cuda_sm80, cuda_sm75, opencl, wgsl];

/**
 * The targets that a library for this kind of processor holds, best first: those made for it, else those that run anywhere.
 * @param arch as `process.arch` names it
 * @param uses the features that kernels of the library make special use of; without it, every target counts
 * @example targetsFor('x64', ['avx512_vnni']).map((t) => t.isa) // ['x86-64-v4-vnni', 'x86-64-v4', 'x86-64-v3', 'x86-64']
 */
export function targetsFor(arch: string, uses?: readonly string[]): readonly Target[] {
  const own = TARGETS.filter((t) => t.arch === arch && (!uses || t.adds.length === 0 || t.adds.some((f) => uses.includes(f))));
  return own.length > 0 ? own : TARGETS.filter((t) => t.arch === undefined);
}

/**
 * The target with this name, of a CPU or a GPU.
 * @throws Error naming the targets there are.
 * @example target('x86-64-v3').vecBytes // 32
 */
export function target(isa: string): Target {
  const all = [...TARGETS, ...GPU_TARGETS], t = all.find((x) => x.isa === isa);
  if (!t) throw new Error(`unknown target '${isa}': use one of ${all.map((x) => x.isa).join(', ')}`);
  return t;
}
