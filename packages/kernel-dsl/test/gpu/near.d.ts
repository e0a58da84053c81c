import type { DType } from '../../src/ir/index.ts';
import type { TypedArray } from '../../src/run/index.ts';
/** Equal: integers and halves by bits; of f32, as far as `ulp` says, subnormal numbers may be 0. Any NaN equals any other. */
export declare function differs(got: TypedArray, want: TypedArray, i: number, t: DType, ulp: number, absolute: number): boolean;
