import type { FlashAttention } from '../../src/library/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Value } from '../emit/harness.ts';
import type { TensorCase } from './tensor-cases.ts';
/** The scale with which weights are powers of two: times log2 e, as float32, it is one. */
export declare const ONE: number;
/** Each query picks one element of the keys, a whole number from -7 to 0; values are whole numbers from -8 to 8. */
export declare function exactAttention(o: FlashAttention, { H, G, S, T }: {
    readonly H: number;
    readonly G: number;
    readonly S: number;
    readonly T: number;
}): Readonly<Record<string, Value>>;
/** Attention in its forms, and a product, on warpgroups; nothing where a target has none. */
export declare function teamCases(t: Target): readonly TensorCase[];
