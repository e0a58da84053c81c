/** Schedules that libraries share: plain functions over handles, free to be composed. Those for GPUs are in gpu/. */
export { goto } from './goto.ts';
export { gotoCandidates } from './goto-candidates.ts';
export type { CacheSizes } from './goto-candidates.ts';
export type { GotoBlocks } from './goto.ts';
export { gotoGroups, groupBlocks } from './goto-groups.ts';
export type { GroupInstruction } from './goto-groups.ts';
export { gemv, rowReduction, streamingMap } from './streams.ts';
export type { StreamOptions } from './streams.ts';
