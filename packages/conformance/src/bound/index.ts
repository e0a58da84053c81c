/** How far from exact a kernel's results may lie: the algorithm run in doubles with a bound on every rounding, whatever the order of its sums. */
export { boundsOf } from './evaluate.ts';
export type { Bounds } from './evaluate.ts';
export { errorOf } from './number.ts';
