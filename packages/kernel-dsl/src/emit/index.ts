/** What the texts for all machines share: the metadata of kernels. C and GPUs have entries of their own (`@quern/kernel-dsl/c`, `@quern/kernel-dsl/gpu`). */
export { EmitError } from './error.ts';
export { kernelMeta, sizeCount } from './meta.ts';
export type { KernelMeta, ParamMeta } from './meta.ts';
export { sha256 } from './sha256.ts';
