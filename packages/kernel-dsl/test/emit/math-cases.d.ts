import type { MathFn } from '../../src/passes/math/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Case } from './harness.ts';
/** The kernels for a target, with arguments. */
export declare function cases(fn: MathFn, t: Target): Case[];
