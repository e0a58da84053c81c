import type { KernelIR } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';

/** One step of lowering: a kernel in, an equal kernel out. */
export interface Pass {
  readonly name: string;
  /** Rewrites a kernel for a target; the one given stays as it is. */
  readonly run: (k: KernelIR, target: Target) => KernelIR;
}
