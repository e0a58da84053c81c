/** What an author types: kernels, tensors, axes, values and their operations. */
export { kernel } from './kernel.ts';
export type { Axes, BodyArgs, ConstantChoice, Kernel, ParamSpec, Params } from './kernel.ts';
export { constant } from './constant.ts';
export type { ConstantSpec, ConstantValue } from './constant.ts';
export { Tensor, scalar, tensor } from './tensor.ts';
export type { ScalarSpec, TensorSpec } from './tensor.ts';
export type { DimSpec } from './dim.ts';
export { PackedTensor, Pair } from './packed.ts';
export type { PackedSpec } from './packed.ts';
export { Axis, axes } from './axes.ts';
export { Cell, Val } from './val.ts';
export type { Index, Operand } from './val.ts';
export { atomicAdd, atomicAnd, atomicExchange, atomicMax, atomicMin, atomicOr, atomicXor } from './atomic.ts';
export { assume, loopWhile, named, print, reg, region, scratch, select, value, when } from './control.ts';
export { ceil, clz, cos, ctz, dot4, erf, exp, exp2, floor, fma, log, log2, popcount, pow, round, rsqrt, sin, sqrt, tanh, trunc } from './math.ts';
export { here } from './here.ts';
