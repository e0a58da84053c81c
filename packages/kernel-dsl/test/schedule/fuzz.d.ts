import type { ScheduledKernel } from '../../src/schedule/index.ts';
import type { Kernel } from '../../src/lang/index.ts';
import type { Target } from '../../src/targets/index.ts';
/** One drawn step: a verb, and numbers from which it picks its operands. */
export interface Draw {
    readonly verb: (typeof VERBS | typeof ROW_VERBS | typeof SHARED_VERBS)[number];
    readonly a: number;
    readonly b: number;
    readonly n: number;
}
export declare const VERBS: readonly ['split', 'split', 'split', 'tile', 'reorder', 'fuse', 'unroll', 'jam', 'interleave', 'vectorize', 'parallel', 'bind', 'stage', 'stage', 'inline', 'computeAt', 'hoist', 'pipeline', 'rfactor', 'tensorize', 'distribute', 'reverse'];
/** The verbs by which lanes share work, with those that move loops around them. */
export declare const ROW_VERBS: readonly ['split', 'split', 'bind', 'bind', 'deal', 'deal', 'deal', 'partials', 'reorder', 'fuse', 'unroll', 'parallel'];
/** The verbs of programs for GPUs: tiles on workgroups, what their lanes share in shared memory, and the registers of each. */
export declare const SHARED_VERBS: readonly ['grid', 'grid', 'split', 'split', 'bind', 'reorder', 'shared', 'shared', 'shared', 'stage', 'stage', 'prefetch', 'ahead', 'expand', 'distribute', 'reverse', 'hoist', 'unroll', 'vectorize', 'jam', 'fuse'];
/** Vectors, but products and sums that round as they are written: every difference is then a fault. */
export declare const MACHINE: Target;
/** A GPU that rounds products and sums in the same way. */
export declare const GPU: Target;
/** `alive`: loops that a step made others of are drawn no more. */
interface DrawOptions {
    readonly machine?: Target;
    readonly alive?: boolean;
}
/** A kernel after the drawn steps; those that are refused change nothing. `refused` and `done` count. Undefined where padding stayed open at the end. */
export declare function scheduled(k: Kernel, draws: readonly Draw[], counts: {
    done: Map<string, number>;
    refused: Map<string, number>;
}, o?: DrawOptions): ScheduledKernel | undefined;
type Sizes = Readonly<Record<string, number>>;
/** Compares with the algorithm: bit for bit, or within rounding where the schedule says that it adds up in another order. Throws what differs. */
export declare function compare(k: Kernel, s: ScheduledKernel, sizes: Sizes, seed: number): void;
export {};
