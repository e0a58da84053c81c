import type { TensorValue } from './harness.ts';
/** The steps that each number takes to 1 in Collatz' game, and the highest number on the way; at most N rounds. */
export declare const collatz: import("../../src/lang/kernel.ts").Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"u32", readonly ["M"]>;
    readonly steps: import("../../src/lang/tensor.ts").TensorSpec<"i32", readonly ["M"]>;
    readonly top: import("../../src/lang/tensor.ts").TensorSpec<"u32", readonly ["M"]>;
    readonly rounds: import("../../src/lang/tensor.ts").TensorSpec<"u8", readonly ["N"]>;
}>;
export declare const args: (x: readonly number[], most: number) => Record<'x' | 'steps' | 'top' | 'rounds', TensorValue>;
