/** Operations on tensors: what the kernels do, with their arguments checked. */
export { add, addTo, rmsNorm, rope, silu, siluMul, softmax } from './rows.ts';
export type { RopeLayout } from './rows.ts';
export { cos, erf, exp, exp2, gelu, log, log2, pow, rsqrt, sigmoid, sin, sqrt, tanh } from './math.ts';
export type { RealType } from './math.ts';
export { embedding, matmul, matvec, quantizeQ8 } from './products.ts';
export type { ProductOptions, Q8 } from './products.ts';
export { attention, kvAppend } from './attention.ts';
export type { Cache } from './attention.ts';
export type { OutOption } from './check.ts';
export type { QuantizedWeights, Weights } from './weights.ts';
