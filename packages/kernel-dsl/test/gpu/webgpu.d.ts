import type { EmitGpuOptions, GpuModule } from '../../src/emit/index.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Case, Value } from '../emit/harness.ts';
import type { GpuJob } from './harness.ts';
/** Is there a WebGPU device? Where the machine must have one, tests run and fail without it. */
export declare const WEBGPU: boolean;
/** What a run leaves beside its tensors. */
export interface Left {
    readonly faults: Uint32Array;
    readonly printed: Uint32Array;
}
/** Is there a Chromium to run WGSL in? Where all that the wider tests need is installed, tests run and fail without it. */
export declare const CHROMIUM: boolean;
/** Runs modules, in Node or in a browser; tensors are changed in place. Memory of the kernel's own is poisoned first. */
export declare function runWebGpu(jobs: readonly GpuJob[], where?: 'node' | 'chromium'): readonly Left[];
/** The module for a call: with wide accesses where its tensors are aligned as those need it. */
export declare function moduleFor(k: KernelIR, target: Target, args: Readonly<Record<string, Value>>, o: EmitGpuOptions): GpuModule;
/** Emits lowered kernels as WGSL, runs each on its arguments and compares every tensor with what the interpreter makes of the same lowered program. `ulp`: how far f32 may be off; `absolute`: the same where terms cancel. */
export declare function sameOnWebGpu(cases: readonly Case[], target: Target, o?: EmitGpuOptions & {
    readonly ulp?: number;
    readonly absolute?: number;
    readonly where?: 'node' | 'chromium';
}): void;
