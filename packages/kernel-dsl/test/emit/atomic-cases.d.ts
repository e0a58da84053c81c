import type { Target } from '../../src/targets/index.ts';
import type { Case } from './harness.ts';
export declare const floats: (d: 'f32' | 'f64') => import("../../src/lang/kernel.ts").Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"f32" | "f64", readonly ["N"]>;
    readonly y: import("../../src/lang/tensor.ts").TensorSpec<"f32" | "f64", readonly [4]>;
    readonly old: import("../../src/lang/tensor.ts").TensorSpec<"f32" | "f64", readonly ["N"]>;
}>;
/** How often each value occurs, by parallel iterations: sums of integers do not depend on the order. */
export declare const histogram: import("../../src/lang/kernel.ts").Kernel<{
    readonly i: import("../../src/lang/axes.ts").Axis<"i">;
}, {
    readonly x: import("../../src/lang/tensor.ts").TensorSpec<"u8", readonly ["N"]>;
    readonly h: import("../../src/lang/tensor.ts").TensorSpec<"u32", readonly [256]>;
    readonly top: import("../../src/lang/tensor.ts").TensorSpec<"i32", readonly [1]>;
}>;
export declare const bytes: (n: number) => {
    x: {
        data: import("../../src/run/memory.ts").TypedArray;
        shape: number[];
    };
    h: {
        data: Uint32Array<ArrayBuffer>;
        shape: number[];
    };
    top: {
        data: Int32Array<ArrayBuffer>;
        shape: number[];
    };
};
/** The kernels for a target, with arguments. */
export declare function cases(t: Target): Case[];
