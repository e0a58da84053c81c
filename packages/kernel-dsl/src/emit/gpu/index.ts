/** Kernels for GPUs: text in CUDA C++, OpenCL C or WGSL, and a plan of launches as data. */
export { emitGpu } from './emit.ts';
export { evaluate } from './host.ts';
export type { HostValues } from './host.ts';
export { FAULT_WORDS } from './module.ts';
export { printedLines } from './printed.ts';
export type { PrintedLines } from './printed.ts';
export type { EmitGpuOptions, GpuAlignment, GpuArg, GpuLaunch, GpuModule, GpuPrint, GpuSite, GpuStep, GpuWorkspace } from './module.ts';
