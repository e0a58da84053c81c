/** Text for GPUs, and what all machines share: the metadata of kernels. C has an entry of its own (`@quern/kernel-dsl/c`). */
export * from './gpu/index.ts';
export { EmitError } from './error.ts';
export { kernelMeta, sizeCount } from './meta.ts';
export type { KernelMeta, ParamMeta } from './meta.ts';
export { sha256 } from './sha256.ts';
