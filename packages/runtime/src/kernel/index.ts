/** Kernels with their descriptions: arguments are bound, checked against each other, and handed to native code. */
export { bindArguments, type Bound, emptyBound, type KernelArgs, type ScalarArg } from './bind.ts';
export { assumptionError, bindKernel, type Kernel, type RunOptions } from './kernel.ts';
export type { KernelMeta, ParamMeta, ScalarParamMeta, TensorParamMeta } from './meta.ts';
export type { Operand, TensorArg } from './operand.ts';
export { mayOverlap, selfDistinct, type Extent } from './overlap.ts';
export { signature, type Signature } from './signature.ts';
export { setInteger, setScalar, slots, type Slots } from './slots.ts';
