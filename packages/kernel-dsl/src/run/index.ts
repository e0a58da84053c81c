/** The interpreter, which is the definition of the language: runs kernels of every phase and reports what they do wrong. */
export { interpret, meant } from './interpret.ts';
export type { InterpretOptions } from './interpret.ts';
export type { InterpretArg, TensorArg } from './bind.ts';
export { ARRAYS } from './memory.ts';
export type { TypedArray } from './memory.ts';
export { RunError } from './error.ts';
export type { RunErrorDetail, RunErrorId } from './error.ts';
export { fma32, fma64 } from './fma.ts';
export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './half.ts';
export { erf } from './erf.ts';
export { printedLine } from './print.ts';
export { CMP, binaryOp, castOp, roundEven, unaryOp, valueOf } from './arith.ts';
