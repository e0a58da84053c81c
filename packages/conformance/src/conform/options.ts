import type { Axes, KernelIR, Schedule, ScheduledKernel, Target } from '@quern/kernel-dsl';
import type { ArgHint, SizeHint } from '../cases/index.ts';

/** What is compared: the scheduled program and the lowered program, both on the interpreter, the compiled C, and a GPU. */
export type Backend = 'scheduled' | 'lowered' | 'c' | 'device';

/** A tensor as an oracle sees it: its numbers (halves decoded), row-major and dense. */
export interface OracleTensor { readonly shape: readonly number[]; readonly data: readonly number[] }
/** An argument as an oracle sees it. */
export type OracleArg = number | OracleTensor;
/** What a kernel must compute: the elements of outputs by name, row-major, flat or nested; outputs left out are not compared. */
export type Oracle = (args: Readonly<Record<string, OracleArg>>, sizes: Readonly<Record<string, number>>) => Readonly<Record<string, unknown>>;

/** The element that a bound is asked for. */
export interface BoundAt {
  readonly param: string;
  /** Row-major number of the element. */
  readonly element: number;
  readonly index: readonly number[];
  /** What is taken as right. */
  readonly expected: number;
  readonly args: Readonly<Record<string, OracleArg>>;
  readonly sizes: Readonly<Record<string, number>>;
}
/** How far a result may lie from what is expected, in absolute terms. */
export type Bound = (at: BoundAt) => number;

/** A kernel that comes with its schedule, as libraries keep them. */
export interface Subject {
  readonly name: string;
  /** The algorithm. */
  readonly ir: KernelIR;
  /** The algorithm scheduled for a target, with the program after each step. */
  readonly schedule: (t: Target) => Pick<ScheduledKernel, 'ir' | 'steps' | 'reassociates'>;
}

/** Settings of {@link conform}; all have defaults. */
export interface ConformOptions<A extends Axes = Axes> {
  /** The schedule; without it the kernel runs as it is written. */
  readonly cpu?: (s: Schedule, ax: A) => void;
  /** Default: every instruction set of this CPU. One that this CPU lacks is an error, not a skip. */
  readonly targets?: readonly Target[];
  /** Default: all. */
  readonly backends?: readonly Backend[];
  /** What named sizes may be. */
  readonly sizes?: Readonly<Record<string, SizeHint>>;
  /** Where arguments come from: needed where not every value is a good one, such as an index into a table. */
  readonly args?: Readonly<Record<string, ArgHint>>;
  /** The right answer from elsewhere, in doubles; the algorithm is compared with it. */
  readonly oracle?: Oracle;
  /** Instead of the bound computed from the algorithm, where results are not equal bit for bit, and for the oracle. */
  readonly bound?: Bound;
  /** Random cases beside those at split factors; 25 unless told. */
  readonly runs?: number;
  /** Default: the seed that fast-check is configured with, else one from the clock. */
  readonly seed?: number;
  /** Where in a failing run's search the smallest case is; a failure prints it. */
  readonly path?: string;
  /** The most that the product of all sizes may be; 2048 unless told. */
  readonly work?: number;
  /** Another lowering, to hold it to the same rules. */
  readonly lower?: (k: KernelIR, t: Target) => KernelIR;
  /** Another emitter: the C file of a lowered kernel. */
  readonly emit?: (k: KernelIR, t: Target) => string;
}
