/** GPU drivers: one interface, behind it CUDA and OpenCL through the addon. Nothing is loaded before a device is asked for. */
export type { Dim3, GpuBuffer, GpuCode, GpuDriver, GpuGrid, GpuInfo, GpuSource, GpuTensorMap, GpuValue } from './driver.ts';
export { openWebGpu } from './webgpu.ts';
export { webgpuDevices } from './webgpu-open.ts';
export { nativeDevices, type NativeKind, openNative } from './native.ts';
