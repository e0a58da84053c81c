import { schedule } from '@quern/kernel-dsl';
import type { Axes, Kernel, KernelIR, Schedule, ScheduledKernel, Target } from '@quern/kernel-dsl';

/** A kernel of this package: what it computes, and how it runs on the CPU. Nothing is traced before it is asked for. */
export interface DnnKernel {
  readonly name: string;
  /** What it computes, sequentially. */
  readonly algorithm: () => KernelIR;
  /** The same for a CPU target. */
  readonly schedule: (t: Target) => ScheduledKernel;
}

/** Joins an algorithm with its CPU schedule. The algorithm is traced once, at first use. */
export function define<A extends Axes>(name: string, trace: (name: string) => Kernel<A>, cpu: (s: Schedule, ax: A) => void): DnnKernel {
  let k: Kernel<A> | undefined;
  const traced = (): Kernel<A> => (k ??= trace(name));
  return { name, algorithm: () => traced().ir, schedule: (t) => schedule(traced(), t, cpu) };
}
