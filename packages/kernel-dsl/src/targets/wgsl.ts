import type { Target } from './target.ts';

/** What a WebGPU device may have beyond the base: the names of `GPUFeatureName`, shortened, and of WGSL language features. */
export type WgslFeature = 'f16' | 'dot4' | 'print';

/**
 * WGSL with what a device has beyond it: `f16` (shader-f16), `dot4` (packed_4x8_integer_dot_product), `print` (a host that reads the print buffer). Limits are those that every device keeps;
 * there are no 64-bit numbers, and fused multiply-add may round twice.
 */
export const wgslTarget = (features: readonly WgslFeature[], limits: { readonly lanes?: number; readonly sharedBytes?: number } = {}): Target => ({
  isa: 'wgsl', arch: undefined, vecBytes: 16, fma: false, vectorRegisters: 64, features, adds: [], instructions: [], cflags: [],
  gpu: {
    language: 'wgsl', workgroup: { lanes: limits.lanes ?? 256, each: [limits.lanes ?? 256, limits.lanes ?? 256, 64] }, grid: [65535, 65535, 65535],
    sharedBytes: limits.sharedBytes ?? 16384, subgroup: undefined, laneBytes: 8192, registers: 64, ownFunctions: ['sin', 'cos'],
  },
});

/** WGSL as every device with WebGPU has it. */
export const wgsl: Target = wgslTarget(['print']);
