import type { Buffer, KernelIR, Var } from '../ir/index.ts';
import type { Bound } from './bind.ts';
import type { LaneScope } from './lane-race.ts';
import type { Memory } from './memory.ts';
import type { ParallelScope } from './race.ts';
import { raise } from './site.ts';
import type { Site } from './site.ts';

/** A scalar expression, compiled. */
export type Num = () => number;
/** A vector expression, compiled. The lanes are valid until the closure is called again. */
export type Vec = () => Float64Array;
/** A statement, compiled. */
export type Run = () => void;

/** What the closures of one run share. */
export interface Context extends Bound {
  readonly kernel: KernelIR;
  /** Values of scalar variables, by slot. */
  readonly frame: Float64Array;
  /** Values of vector variables, by slot. */
  readonly vectors: Float64Array[];
  /** The slot of each variable that is bound so far, by id. */
  readonly slots: Map<number, number>;
  /** Compile time only: the parallel loops around the statement at hand, outermost first. */
  readonly parallel: ParallelScope[];
  /** Compile time only: is the statement at hand inside of a workgroup's lanes? */
  inLanes: number;
  /** Compile time only: buffers that each lane has for itself, by id. */
  readonly laneOwn: Set<number>;
  /** What the lanes of the workgroup at hand did to memory they share. */
  readonly lanes: LaneScope;
  readonly maxSteps: number;
  /** Takes what the kernel prints; nothing is printed without it. */
  readonly print: ((line: string) => void) | undefined;
  steps: number;
  /** Allocs that have run. */
  allocs: number;
  /** A random integer below n. */
  readonly random: (n: number) => number;
}

export function slotOf(c: Context, v: Var, site: Site): number {
  return c.slots.get(v.id) ?? raise(site, 'KD-RUN-IR', `${v.name} is used where nothing binds it`);
}
export function memoryOf(c: Context, buf: Buffer, site: Site): Memory {
  return c.memories.get(buf.id) ?? raise(site, 'KD-RUN-IR', `${buf.name} is used outside of its alloc`, { buffer: buf.name });
}
