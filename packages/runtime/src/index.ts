/** Devices, tensors, programs and the native addon that Quern's kernels run on. */
export * from './compile/index.ts';
export type { Dim3, GpuBuffer, GpuCode, GpuDriver, GpuGrid, GpuInfo, GpuSource, GpuTensorMap, GpuValue } from './driver/index.ts';
export * from './gpu/index.ts';
export * from './jit/index.ts';
export * from './device/index.ts';
export * from './doctor/index.ts';
export * from './errors/index.ts';
export { bindKernel, type Extent, mayOverlap, selfDistinct, type Kernel, type KernelArgs, type KernelMeta, type ParamMeta, type RunOptions, type ScalarArg, type ScalarParamMeta, type Signature, type TensorArg, type TensorParamMeta } from './kernel/index.ts';
export * from './library/index.ts';
export * from './package/index.ts';
export { cpuInfo, type CpuInfo, measureFmaPeak, type MeasureOptions, measureReadBandwidth, poolInfo, type PoolInfo, residentMemory, type ResidentMemory, setThreads, threads } from './machine/index.ts';
export { type Advice, allocate, mapFile, Memory } from './memory/index.ts';
export { ABI, type KernelHandle, type MemoryHandle, type NativeEntry, nativeStatus, type NativeStatus, type NativeTier } from './native/index.ts';
export * from './program/index.ts';
export * from './tune/index.ts';
export {
  type AnyArray, type ArrayOf, bf16ToF32, bytesOf, clone, type DType, type DTypeOf, DTYPES, f16ToF32, f32ToBf16, f32ToF16, fromMemory, type MemoryLayout, type Placement,
  type Range, rowMajor, type Storage, Tensor, tensor, type TensorOptions, values, type ValuesOf, zeros,
} from './tensor/index.ts';
