import type { Case, TensorValue } from './harness.ts';
export declare const c0: import("../../src/ir/expr.ts").Const;
export declare const f32: (shape: number[], seed: number, strides?: number[]) => TensorValue;
/** Rows of a strided matrix, read and written forwards, backwards and by a table of indices. */
export declare function accessCase(lanes: number): Case;
/** Values of other types out of bytes, at odd addresses, next to each other and apart. */
export declare function bytesCase(lanes: number): Case;
/** The value of a loop position in lanes, as numbers and in conditions. */
export declare function rampCase(lanes: number): Case;
/** A parallel loop with memory of its own inside of sequential ones, memory around it, and a parallel loop in a parallel loop. */
export declare function parallelCase(): Case;
/** Names that C, the ABI or another thing has already. */
export declare function namesCase(): Case;
/** Scalars side by side as vectors, and single lanes of vectors. */
export declare function joinCase(): Case;
