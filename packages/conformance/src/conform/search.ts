import fc from 'fast-check';
import type { KernelIR } from '@quern/kernel-dsl';
import { factorsOf, planOf } from '../cases/index.ts';
import type { Case, Plan } from '../cases/index.ts';
import { reportOf } from './bench.ts';
import type { Bench } from './bench.ts';
import { ConformanceError, Fault } from './error.ts';
import type { ConformOptions } from './options.ts';
import type { ConformReport } from './report.ts';
import type { Programs } from './stages.ts';

/** The search for a case in which a kernel is wrong. */
export interface Search {
  readonly seed: number;
  readonly factors: readonly number[];
  readonly plan: Plan;
  /** What fast-check is told. */
  readonly parameters: fc.Parameters<[Case]>;
}

/** The seed that was asked for, or that fast-check is configured with, else one from the clock. */
export const seedOf = (o: Pick<ConformOptions, 'seed'>): number => o.seed ?? fc.readConfigureGlobal().seed ?? Date.now() & 0x7fffffff;

/** Every case that is always tried, then random ones: around the factors by which the programs of a kernel split loops. */
export function searchOf(k: KernelIR, programs: readonly Pick<Programs, 'steps'>[], seed: number, o: Pick<ConformOptions, 'sizes' | 'work' | 'runs' | 'path'>): Search {
  const factors = [...new Set(programs.flatMap((p) => factorsOf(p.steps)))].sort((a, b) => a - b), plan = planOf(k, factors, o.sizes ?? {}, o.work ?? 2048, seed);
  return {
    seed, factors, plan,
    parameters: { seed, examples: plan.always.map((c): [Case] => [c]), numRuns: plan.always.length + (o.runs ?? 25), ...(o.path === undefined ? {} : { path: o.path }) },
  };
}

/** What was compared, once the search has ended. @throws ConformanceError with the smallest case found; Fault as `reportOf` */
export function conclude(name: string, d: fc.RunDetails<[Case]>, b: Bench, { plan, factors, seed }: Search): ConformReport {
  if (!d.failed) return reportOf(b, plan.uncovered, factors, seed);
  const e = d.errorInstance, run = { seed: d.seed, path: d.counterexamplePath ?? undefined };
  if (e === null || e === undefined) throw new ConformanceError(name, new Fault({ backend: 'algorithm', what: 'its assumptions exclude almost every case; say with `sizes` and `args` what it is meant for' }).mismatch, undefined, run);
  throw e instanceof Fault ? new ConformanceError(name, e.mismatch, d.counterexample?.[0], run, e) : e;
}

/** What callers see of something that was thrown outside of any case: faults are errors of the kernel. */
export const asConformance = (name: string, seed: number, e: unknown): unknown => (e instanceof Fault ? new ConformanceError(name, e.mismatch, undefined, { seed, path: undefined }, e) : e);
