import { schedule } from '@quern/kernel-dsl';
import { autoGrid } from '@quern/kernel-dsl/gpu';
import type { Axes, Kernel, KernelIR, Schedule, ScheduledKernel, Target } from '@quern/kernel-dsl';

/** A kernel of this package: what it computes, and how it runs. Nothing is traced before it is asked for. */
export interface DnnKernel {
  readonly name: string;
  /** What it computes, sequentially. */
  readonly algorithm: () => KernelIR;
  /** The same for a CPU target. */
  readonly schedule: (t: Target) => ScheduledKernel;
  /** The same for a GPU target. */
  readonly gpu: (t: Target) => ScheduledKernel;
}

/** Joins an algorithm with its schedules; for GPUs `autoGrid` finds one where none is given. The algorithm is traced once, at first use. */
export function define<A extends Axes>(name: string, trace: (name: string) => Kernel<A>, cpu: (s: Schedule, ax: A) => void, gpu?: (s: Schedule, ax: A) => void): DnnKernel {
  let k: Kernel<A> | undefined;
  const traced = (): Kernel<A> => (k ??= trace(name));
  return { name, algorithm: () => traced().ir, schedule: (t) => schedule(traced(), t, cpu), gpu: (t) => (gpu ? schedule(traced(), t, gpu) : autoGrid(traced(), t)) };
}
