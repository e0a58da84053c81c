import type { Backend } from './options.ts';

/** What was compared on one backend of one instruction set. */
export interface BackendReport {
  readonly isa: string;
  readonly backend: Backend;
  /** Elements of outputs that had to be equal bit for bit. */
  readonly exact: number;
  /** Elements held to a bound. */
  readonly bounded: number;
  /** Elements of which the bound says nothing: overflow, or NaN under a reordered maximum. */
  readonly unbounded: number;
  /** The largest difference, as a share of its bound. */
  readonly worst: number;
}

/** What `conform` found when all is well. */
export interface ConformReport {
  readonly kernel: string;
  readonly seed: number;
  /** Cases run; those that the kernel's assumptions exclude are not counted. */
  readonly cases: number;
  /** Instruction sets, best first. */
  readonly isas: readonly string[];
  readonly backends: readonly BackendReport[];
  /** Split factors of the schedules of all targets. */
  readonly factors: readonly number[];
  /** Those of them that no size could reach: raise `work` or a size's `max`. */
  readonly uncovered: readonly number[];
  /** Every value that each size took, ascending. */
  readonly sizes: Readonly<Record<string, readonly number[]>>;
  /** Elements compared with the oracle. */
  readonly oracle: number;
}
