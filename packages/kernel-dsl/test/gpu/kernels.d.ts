import type { Axes, ConstantSpec, Kernel } from '../../src/lang/index.ts';
/** Sums of T neighbours by halving in shared memory: a barrier after each step, unless `careless`. */
export declare const sums: Kernel<Axes, {
    readonly T: ConstantSpec<number>;
    readonly careless: ConstantSpec<boolean>;
}>;
/** A transposed matrix through tiles in shared memory, 8 x 4 lanes each. */
export declare const transpose: Kernel;
/** Every exchange within a subgroup of 8, in workgroups of 16: row r of Y is the r-th one. Values live on in registers and names. */
export declare const exchanges: Kernel;
/** Rounds of a wave through shared memory, as many as `rounds` says, in a loop around barriers; atomic counts beside it. */
export declare const waves: Kernel;
/** Memory and a register between workgroups, and a sum by one lane. */
export declare const handedOn: Kernel;
/** Rounds and a condition around workgroups, told by sizes. */
export declare const rounds: Kernel;
/** What stands beside the lanes of a workgroup: memory is filled by one lane, read by all; nests of lanes differ in shape. */
export declare const beside: Kernel;
