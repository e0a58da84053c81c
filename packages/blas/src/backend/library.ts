import { formatReasons, type KernelLibrary, kernelPackage, type KernelPackage, ProviderLoadError, type Reason } from '@quern/runtime';

/** The native library of this package, or none, with a reason for each place looked at. */
export interface Native {
  readonly library: KernelLibrary | undefined;
  readonly reasons: readonly Reason[];
}

/** The kernels of this package; its folder lies two above this file, as source and as built file. */
export const kernels: KernelPackage = kernelPackage('quern_blas', new URL('../../', import.meta.url));

let found: Native | undefined;

function search(): Native {
  try {
    const library = kernels.library();
    return { library, reasons: [{ candidate: library.path, verdict: 'chosen', code: library.tier, detail: 'loaded' }] };
  } catch (error) {
    if (error instanceof ProviderLoadError) return { library: undefined, reasons: error.reasons };
    throw error;
  }
}

/** Looks once. */
export function nativeLibrary(): Native {
  return (found ??= search());
}

let warned = false;

/** Says once that the interpreter stands in for native code. */
export function warnInterpreter(reasons: readonly Reason[]): void {
  if (warned) return;
  warned = true;
  process.emitWarning(`@quern/blas has no native kernels here and runs on the interpreter, which is thousands of times slower:\n${formatReasons(reasons)}`, { code: 'QUERN_BLAS_INTERPRETER' });
}
