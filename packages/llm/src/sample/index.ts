/** Choosing the next token: stages as pure functions over logits, a seeded generator, and the sampler made of them. */
export { argmax, checkLogits } from './logits.ts';
export { ordered, topK } from './candidates.ts';
export type { Candidates } from './candidates.ts';
export { draw, minP, temperature, topP } from './stages.ts';
export { penalize } from './penalty.ts';
export type { Penalties } from './penalty.ts';
export { createRandom } from './random.ts';
export type { Random } from './random.ts';
export { createSampler } from './sampler.ts';
export type { Sampler, SamplerOptions } from './sampler.ts';
export { SamplerError } from './error.ts';
export type { SamplerErrorCode } from './error.ts';
