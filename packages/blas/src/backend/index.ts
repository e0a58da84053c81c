/** Who runs a kernel: the native library of this package, or the interpreter where there is none; never silently. */
export { blasInfo, type BlasInfo } from './info.ts';
export { runner, type Backend, type KernelOperands, type Runner } from './runner.ts';
