/** The kernels of the schedule tests with loops bound by hand, and arguments to run them on. */
import type { KernelIR } from '../../src/ir/index.ts';
import type { Kernel } from '../../src/lang/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Value } from '../emit/harness.ts';
type Run = Readonly<Record<string, Value>>;
/** A kernel, how it may run on a GPU, and on what. */
export interface GpuCase {
    readonly kernel: Kernel;
    readonly schedules: readonly ((t: Target) => KernelIR)[];
    readonly runs: readonly Run[];
}
/** Every kernel of the corpus: as it stands (one lane), and on workgroups where its loops allow that. */
export declare const GPU_CORPUS: readonly GpuCase[];
export {};
