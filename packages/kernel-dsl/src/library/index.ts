/** Schedules that libraries share: plain functions over handles, free to be composed. */
export { hopperGemm } from './hopper.ts';
export type { HopperGemm } from './hopper.ts';
export { flashAttention, hopperAttention } from './flash-attention.ts';
export type { AttentionAxes, FlashAttention } from './flash-attention.ts';
export { tensorGemm } from './tensor.ts';
export type { TensorAxes, TensorGemm } from './tensor.ts';
export { goto } from './goto.ts';
export { gotoCandidates } from './goto-candidates.ts';
export type { CacheSizes } from './goto-candidates.ts';
export type { GotoBlocks } from './goto.ts';
export { gotoGroups, groupBlocks } from './goto-groups.ts';
export type { GroupInstruction } from './goto-groups.ts';
export { gemv, rowReduction, streamingMap } from './streams.ts';
export type { StreamOptions } from './streams.ts';
export { gridMap, gridReduce, gridRows, gridShortRows, gridTranspose } from './grid.ts';
export type { GridOptions } from './grid.ts';
export { autoGrid } from './auto-grid.ts';
