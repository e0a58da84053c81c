/** Tensors: typed, strided elements over native memory or over typed arrays of JavaScript's. */
export { clone, type DTypeOf, fromMemory, type MemoryLayout, type Placement, tensor, type TensorOptions, values, zeros } from './create.ts';
export { type AnyArray, arrayConstructor, type ArrayOf, bytesOf, checkDType, type DType, DTYPES, holds, naturalDType, type ValuesOf } from './dtype.ts';
export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './half.ts';
export { checkShape, isContiguous, reach, rowMajor, sizeOf } from './shape.ts';
export { bufferStorage, identity, nativeBuffer, type Remote, type Storage } from './storage.ts';
export { expectDType, type Range, Tensor } from './tensor.ts';
