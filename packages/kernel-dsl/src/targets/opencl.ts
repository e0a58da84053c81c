import type { Target } from './target.ts';

/** What an OpenCL device may have beyond OpenCL C 1.2. */
export type OpenClFeature = 'f64' | 'i64' | 'f16' | 'subgroups' | 'dot4' | 'atomic64' | 'print' | 'rounded_divide' | 'images' | 'ptx';

/**
 * OpenCL C 1.2 with what a device has beyond it: `f64` (cl_khr_fp64), `f16` (cl_khr_fp16), `subgroups` (cl_khr_subgroup_shuffle and
 * cl_khr_subgroup_ballot, subgroups of 32 lanes), `ptx` (NVIDIA: exchanges, products of bytes and conversions by its instructions), `dot4` (cl_khr_integer_dot_product), `atomic64` (cl_khr_int64_base_atomics and extended), `print` (printf), `images` (image buffers), `rounded_divide`
 * (CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT: without it, divisions of f32 may be off by 2.5 ulp). `i64` belongs to the full profile.
 * @example openclTarget(['f64', 'i64', 'print']).isa // 'opencl'
 */
export const openclTarget = (features: readonly OpenClFeature[], limits: { readonly lanes?: number; readonly sharedBytes?: number } = {}): Target => ({
  isa: 'opencl', arch: undefined, vecBytes: 16, fma: true, vectorRegisters: 64, features, adds: [], instructions: [],
  cflags: ['-cl-std=CL1.2', ...(features.includes('rounded_divide') ? ['-cl-fp32-correctly-rounded-divide-sqrt'] : [])],
  gpu: {
    language: 'opencl', workgroup: { lanes: limits.lanes ?? 256, each: [limits.lanes ?? 256, limits.lanes ?? 256, 64] }, grid: [2 ** 31 - 1, 65535, 65535],
    sharedBytes: limits.sharedBytes ?? 32768, subgroup: features.includes('subgroups') || features.includes('ptx') ? 32 : undefined, registers: 64,
  },
});

/** OpenCL as every desktop driver has it: PoCL, NVIDIA, AMD, Intel. */
export const opencl: Target = openclTarget(['f64', 'i64', 'print', 'atomic64', 'rounded_divide', 'images']);
