/** Operations on tensors: what the kernels do, with their arguments checked. */
export { add, addTo, rmsNorm, rope, silu, siluMul, softmax } from './rows.ts';
export type { RopeLayout } from './rows.ts';
export { embedding, matmul, matvec, quantizeQ8 } from './products.ts';
export type { ProductOptions, Q8 } from './products.ts';
export { attention, kvAppend } from './attention.ts';
export type { Cache } from './attention.ts';
export type { OutOption } from './check.ts';
export type { QuantizedWeights, Weights } from './weights.ts';
