/** Schedules for GPUs that libraries share: rows, maps, products on lanes and on tensor cores, attention, and one that is found. */
export { hopperTf32x3, tf32Rest, tf32x3 } from './tf32x3.ts';
export type { Tf32x3, Tf32x3Axes } from './tf32x3.ts';
export { hopperGemm } from './hopper.ts';
export type { HopperGemm } from './hopper.ts';
export { flashAttention, hopperAttention } from './flash-attention.ts';
export type { AttentionAxes, FlashAttention } from './flash-attention.ts';
export { tensorQ4 } from './tensor-q4.ts';
export type { TensorQ4Axes } from './tensor-q4.ts';
export { tensorGemm } from './tensor.ts';
export type { TensorAxes, TensorGemm } from './tensor.ts';
export { gridMap, gridReduce, gridRows, gridShortRows, gridTranspose } from './grid.ts';
export type { GridOptions } from './grid.ts';
export { autoGrid } from './auto-grid.ts';
