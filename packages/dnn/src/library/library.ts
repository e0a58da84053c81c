import { kernelPackage } from '@quern/runtime';
import type { Kernel, KernelLibrary, KernelPackage } from '@quern/runtime';

/** The package's folder: this file lies two folders below it, as source and as built file. */
const kernels: KernelPackage = kernelPackage('quern_dnn', new URL('../../', import.meta.url));

/** The library of this package's native kernels: its path, how it was found, what it holds. @throws ProviderLoadError with a reason for each place looked at. */
export const dnnLibrary = (): KernelLibrary => kernels.library();

/**
 * A kernel of this package, for programs: the code for the best instruction set of this CPU, or for the one named.
 *
 * @throws ProviderLoadError when the native library cannot be loaded or has no such kernel.
 * @example dnnKernel('matvec_q4_0').run({ W, q, d, y })
 */
export const dnnKernel = (name: string, isa?: string): Kernel => kernels.kernel(name, isa);
