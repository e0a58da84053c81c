import type { Real } from '@quern/kernel-dsl';
import type { Launch } from '../plan/index.ts';

/** A typed array of real numbers. */
export type Reals = Float32Array | Float64Array;

/** The caller's arrays of one run. */
export interface Arrays { readonly in: Reals; readonly out: Reals }

/** Memory that a plan owns. */
export interface Scratch {
  readonly data: Reals;
  dispose(): void;
}

/** A plan's own places. */
export interface Own { readonly a: Scratch; readonly b: Scratch; readonly tw: Scratch }

/** Launches with their memory, ready to run again and again. */
export interface Prepared {
  /** Runs all launches on these arrays. */
  run(arrays: Arrays): void;
  dispose(): void;
}

/** What runs kernels. */
export interface Backend {
  readonly name: 'native' | 'interpreter';
  /** Instruction set of the kernels in use. */
  readonly isa: string;
  /** Bytes of a vector, which decides the kernels' vectors. */
  readonly vecBytes: number;
  allocate(dtype: Real, length: number): Scratch;
  /** @param threads at most so many; undefined: all */
  prepare(launches: readonly Launch[], own: Own, threads: number | undefined): Prepared;
}
