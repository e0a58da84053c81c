/** Schedules: checked rewrites of a kernel's loops, memory and parallelism, one verb a file. */
export type { GridPlace } from './bind.ts';
export type { DealOptions } from './deal.ts';
export { schedule } from './schedule.ts';
export type { Schedule, ScheduledKernel, Step } from './schedule.ts';
export type { Tail } from './split.ts';
export type { StageOptions } from './stage-options.ts';
export { keepable } from './deal-keep.ts';
export { dealable } from './deal-memory.ts';
export { dependence } from './depend.ts';
