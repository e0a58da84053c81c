import type { Axis, Kernel } from '../../src/lang/index.ts';
import type { TensorGemm } from '../../src/library/index.ts';
import type { ScheduledKernel } from '../../src/schedule/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { TensorValue } from '../emit/harness.ts';
/** C = X Wᵀ, rows of W being blocks of 18 bytes for each 32 of k. */
export declare const q4Gemm: Kernel<Record<'i' | 'j' | 'tile' | 'block' | 'half' | 'e', Axis>>;
export declare const scheduledQ4: (t: Target, o: TensorGemm) => ScheduledKernel;
/** Whole numbers, and scales that are powers of two: sums are exact. */
export declare function q4Args(M: number, N: number, K: number): Record<'X' | 'W' | 'C', TensorValue>;
