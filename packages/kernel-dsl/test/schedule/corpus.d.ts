import type { Kernel } from '../../src/lang/index.ts';
/** y = 2 x + y. */
export declare const saxpy: Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N"]>;
}>;
/** A matrix product. */
export declare const gemm: Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
    readonly j: import("../../src/lang/axes.ts").Axis<"j">;
    readonly k: import("../../src/lang/axes.ts").Axis<"k">;
}, {
    readonly A: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", "K"]>;
    readonly B: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["K", "N"]>;
    readonly C: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", "N"]>;
}>;
/** A product of small integers in groups of four. */
export declare const bytes: Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
    readonly j: import("../../src/lang/axes.ts").Axis<"j">;
    readonly k: import("../../src/lang/axes.ts").Axis<"k">;
}, {
    readonly A: import("../../src/lang/tensor.ts").TensorSpec<"u8", readonly ["M", "K"]>;
    readonly B: import("../../src/lang/tensor.ts").TensorSpec<"i8", readonly ["K", "N"]>;
    readonly C: import("../../src/lang/tensor.ts").TensorSpec<"i32", readonly ["M", "N"]>;
}>;
/** y[r] = sum W[r, k] x[k] with a register. */
export declare const matvec: Kernel<{
    readonly k: import("../../src/lang/axes.ts").Axis<"k">;
    readonly r: import("../../src/lang/axes.ts").Axis<"r">;
}, {
    readonly W: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", "N"]>;
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M"]>;
}>;
/** Softmax of rows: three passes, two registers, a tensor that is written and read again. */
export declare const softmax: Kernel<{
    readonly e: import("../../src/lang/axes.ts").Axis<"e">;
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
    readonly m: import("../../src/lang/axes.ts").Axis<"m">;
    readonly t: import("../../src/lang/axes.ts").Axis<"t">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", "N"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", "N"]>;
}>;
/** Rows scaled by their norm; the scale is a register that is stored once. */
export declare const norm: Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
    readonly j: import("../../src/lang/axes.ts").Axis<"j">;
    readonly t: import("../../src/lang/axes.ts").Axis<"t">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", "N"]>;
    readonly w: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", "N"]>;
}>;
/** Two stages with memory between them: sums of neighbours of squares, over rows of 12. */
export declare const blur: Kernel<{
    readonly c: import("../../src/lang/axes.ts").Axis<"c">;
    readonly d: import("../../src/lang/axes.ts").Axis<"d">;
    readonly p: import("../../src/lang/axes.ts").Axis<"p">;
    readonly r: import("../../src/lang/axes.ts").Axis<"r">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", 12]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", 10]>;
}>;
/** A transposed copy into every second column. */
export declare const transpose: Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
    readonly j: import("../../src/lang/axes.ts").Axis<"j">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["M", "N"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N", "P"]>;
}>;
/** A running sum: every iteration needs the one before. */
export declare const scan: Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N"]>;
}>;
/** A lower triangle, and a value with a name that does not depend on the inner loop. */
export declare const triangle: Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N", "N"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32", readonly ["N", "N"]>;
}>;
/** All of them. */
export declare const CORPUS: readonly Kernel[];
