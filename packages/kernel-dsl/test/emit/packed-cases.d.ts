import type { Target } from '../../src/targets/index.ts';
import type { Case, TensorValue } from './harness.ts';
export declare const bytes: (rows: number, cols: number, seed: number) => TensorValue;
export declare const floats: (shape: number[], seed: number) => TensorValue;
/** y = W x, W of four-bit integers. */
export declare const matvec: <T extends 'i4' | 'u4'>(t: T) => import("../../src/lang/kernel.ts").Kernel<{
    readonly k: import("../../src/lang/axes.ts").Axis<"k">;
    readonly n: import("../../src/lang/axes.ts").Axis<"n">;
}, {
    readonly W: import("../../src/lang/packed.ts").PackedSpec<T, readonly ["N", "K"]>;
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["K"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N"]>;
}>;
/** A row against the one that lies one element further: vectors of it begin in the middle of bytes. */
export declare const shifted: import("../../src/lang/kernel.ts").Kernel<{
    readonly k: import("../../src/lang/axes.ts").Axis<"k">;
    readonly n: import("../../src/lang/axes.ts").Axis<"n">;
}, {
    readonly W: import("../../src/lang/packed.ts").PackedSpec<"i4", readonly ["N", "K"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"i8", readonly ["N", "K"]>;
}>;
/** Every element by itself; halves of bytes; pairs written next to each other and apart, out of what is read. */
export declare const unpack: import("../../src/lang/kernel.ts").Kernel<{
    readonly k: import("../../src/lang/axes.ts").Axis<"k">;
    readonly m: import("../../src/lang/axes.ts").Axis<"m">;
    readonly n: import("../../src/lang/axes.ts").Axis<"n">;
    readonly p: import("../../src/lang/axes.ts").Axis<"p">;
    readonly q: import("../../src/lang/axes.ts").Axis<"q">;
    readonly s: import("../../src/lang/axes.ts").Axis<"s">;
}, {
    readonly W: import("../../src/lang/packed.ts").PackedSpec<"i4", readonly ["N", "K"]>;
    readonly V: import("../../src/lang/tensor.ts").TensorSpec<"i8", readonly ["N", "K"]>;
    readonly U: import("../../src/lang/packed.ts").PackedSpec<"u4", readonly ["N", "K"]>;
    readonly T: import("../../src/lang/packed.ts").PackedSpec<"u4", readonly ["P", "N"]>;
    readonly G: import("../../src/lang/tensor.ts").TensorSpec<"u8", readonly ["P"]>;
}>;
/** The kernels for a target, with arguments. */
export declare function cases(t: Target): Case[];
