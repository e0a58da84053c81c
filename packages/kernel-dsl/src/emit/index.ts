/** What the texts for all machines share: the metadata of kernels. C and GPUs have entries of their own (`@quern/kernel-dsl/c`, `@quern/kernel-dsl/gpu`). */
export { EmitError } from './error.ts';
export type { KernelMeta, ParamMeta } from './meta.ts';
