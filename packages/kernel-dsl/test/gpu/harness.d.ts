import type { EmitGpuOptions, GpuModule, HostValues } from '../../src/emit/index.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Case, Value } from '../emit/harness.ts';
type Args = Readonly<Record<string, Value>>;
/** What a host knows of a call. */
export declare function hostValues(k: KernelIR, args: Args): HostValues;
/** One launch of a plan, with its arguments. */
interface Made {
    readonly entry: string;
    readonly global: readonly number[];
    readonly local: readonly number[];
    readonly args: readonly (number | Uint8Array)[];
}
/** The launches that a plan comes to for a call; buffers are numbered: tensors, workspace, faults. */
export declare function launchesOf(m: GpuModule, k: KernelIR, args: Args): readonly Made[];
/** A module, the kernel it came from, and arguments; tensors are changed in place. */
export interface GpuJob {
    readonly m: GpuModule;
    readonly k: KernelIR;
    readonly args: Args;
}
/** Runs modules; returns the words of their fault buffers. What they print goes to `printed`. */
export declare function runOpenCl(jobs: readonly GpuJob[], printed?: string[]): Uint32Array[];
/** The module for a call: with wide accesses where its tensors are aligned as those need it. Every tensor starts at a multiple of 16 bytes here. */
export declare function moduleFor(k: KernelIR, target: Target, args: Args, o: EmitGpuOptions): GpuModule;
/** Arguments of their own. */
export declare const copyArgs: (args: Args) => Record<string, Value>;
/** Emits lowered kernels as OpenCL, runs each on its arguments and compares every tensor with what the interpreter makes of the same lowered program. */
export declare function sameOnOpenCl(cases: readonly Case[], target: Target, o?: EmitGpuOptions): void;
/** Is nvcc here? */
export declare const NVCC: boolean;
/** Compiles modules for one architecture, each in a namespace of its own, warnings as errors; returns the PTX. Names of the kernels differ. */
export declare function compileCuda(modules: readonly GpuModule[]): string;
export {};
