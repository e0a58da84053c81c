import { cpuInfo, type LibraryTier, type Reason, threads } from '@quern/runtime';
import { nativeLibrary } from './library.ts';
import type { Backend } from './runner.ts';

/** What this package runs on. */
export interface BlasInfo {
  readonly backend: Backend;
  /** Where the native library came from: `env`, `build`, `prebuilt`; undefined for the interpreter. */
  readonly tier: LibraryTier | undefined;
  /** The library's file. */
  readonly path: string | undefined;
  /** The instruction set of the kernels in use, such as `x86-64-v4`; QUERN_ISA caps it. `none` for the interpreter. */
  readonly isa: string;
  /** Every instruction set that the library has kernels for and this processor can run, best first. */
  readonly isas: readonly string[];
  /** Threads that a call uses when it asks for no number. */
  readonly threads: number;
  /** One entry for each place that was looked at. */
  readonly reasons: readonly Reason[];
}

/**
 * Tells which kernels run here and why.
 *
 * @example
 * const { backend, isa } = blasInfo(); // 'native', 'x86-64-v4'
 */
export function blasInfo(): BlasInfo {
  const { library, reasons } = nativeLibrary();
  if (library === undefined) return { backend: 'interpreter', tier: undefined, path: undefined, isa: 'none', isas: [], threads: 1, reasons };
  const has = new Set(library.entries.filter((e) => e.supported).map((e) => e.isa));
  const isas = cpuInfo().isas.filter((isa) => has.has(isa));
  return { backend: 'native', tier: library.tier, path: library.path, isa: isas[0] ?? 'none', isas, threads: threads(), reasons };
}
