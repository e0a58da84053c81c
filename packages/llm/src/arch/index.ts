/** Architectures: what a model file must hold, read and checked, and the tables that belong to it. */
export { WEIGHT_TYPES, readLlama, readLlamaSpec } from './llama.ts';
export type { LlamaLayer, LlamaModel, LlamaSpec, WeightType } from './llama.ts';
export { ropeTable } from './rope.ts';
export { ModelError } from './error.ts';
export type { ModelErrorCode } from './error.ts';
