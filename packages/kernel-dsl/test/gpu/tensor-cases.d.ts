import type { DType, KernelIR } from '../../src/ir/index.ts';
import type { Axis, Kernel } from '../../src/lang/index.ts';
import type { TensorGemm } from '../../src/library/index.ts';
import type { ScheduledKernel } from '../../src/schedule/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Case, TensorValue } from '../emit/harness.ts';
export type Gemm = Kernel<{
    i: Axis;
    j: Axis;
    k: Axis;
}>;
/** What both factors are called in instructions, and the dtypes of factors, sums and results. */
export interface GemmForm {
    readonly dtype: 'f16' | 'bf16' | 'tf32' | 'i8' | 'f64';
    readonly out: DType;
}
/** C = A Bᵀ; with `bias`, max(2 A Bᵀ + bias, 0). */
export declare function gemmOf(f: GemmForm, bias?: boolean): Gemm;
/** Products of their own, one for each b. */
export declare const batched: Kernel<{
    b: Axis;
    i: Axis;
    j: Axis;
    k: Axis;
}>;
/** Parts of k, two tiles of 64 each, left in P and added up in order: workgroups enough where C is small. */
export declare const parted: Kernel<Record<'part' | 'i' | 'j' | 'tile' | 'k' | 'row' | 'col' | 'each', Axis>>;
export declare const scheduledBatched: (t: Target) => ScheduledKernel;
export declare const scheduledParted: (t: Target) => ScheduledKernel;
export declare const batchedArgs: (L: number, M: number, N: number, K: number) => Record<'A' | 'B' | 'C', TensorValue>;
export declare const partedArgs: (M: number, N: number, K: number) => Record<'A' | 'B' | 'P' | 'C', TensorValue>;
export declare const scheduledGemm: (k: Gemm, f: GemmForm, t: Target, o?: TensorGemm) => ScheduledKernel;
/** Arguments of a product: whole numbers from -3 to 3, C poisoned. */
export declare function gemmArgs(f: GemmForm, M: number, N: number, K: number): Record<'A' | 'B' | 'bias' | 'C', TensorValue>;
/** A case whose lowered program is a device's alone: `meaning` is what the interpreter runs. `older`: with the instructions of older GPUs, which newer ones have too. */
export interface TensorCase extends Case {
    readonly meaning: KernelIR;
    readonly target: Target;
    readonly older: boolean;
}
export declare const FORMS: readonly GemmForm[];
/** Products for the device of a target: as that target does them, and as older ones do. */
export declare function tensorCases(t: Target): readonly TensorCase[];
