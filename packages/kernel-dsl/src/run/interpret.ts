import { instantiate } from '../instructions/index.ts';
import { mapStmt, visitStmt } from '../ir/index.ts';
import type { KernelIR } from '../ir/index.ts';
import { bind } from './bind.ts';
import type { InterpretArg } from './bind.ts';
import type { Context } from './context.ts';
import { laneScope } from './lane-race.ts';
import type { Site } from './site.ts';
import { checkAssumptions, compileStmt, countVars } from './stmt.ts';

/** Settings of {@link interpret}. */
export interface InterpretOptions {
  /** Chooses the order of parallel iterations. Equal seeds give equal orders; 1 by default. */
  readonly seed?: number | undefined;
  /** The most loop iterations, all loops together, that the run may make; no limit by default. */
  readonly maxSteps?: number | undefined;
  /** Takes the lines that the kernel prints, one a call; without it they are dropped. */
  readonly print?: ((line: string) => void) | undefined;
}

/**
 * Runs a kernel as the language defines it, on JavaScript arrays. Every phase of IR runs: what an emitter makes of a kernel must give the same bits.
 *
 * Results are written into the `data` of out and inout tensors. Parallel iterations, and the lanes of a workgroup between two barriers, run in a random order
 * that `seed` fixes.
 *
 * @param args an argument for each parameter, by name. A size that no tensor dimension tells by itself is given by name too.
 * @throws {RunError} when arguments do not fit the kernel (then nothing was written), and when the kernel reads or writes out of bounds, reads what
 *   nothing has written, races with itself, has a barrier that not all lanes reach, violates its assumptions, divides an integer by zero, or leaves the range of exact i64 numbers.
 * @example
 * ```ts
 * const x = new Float32Array([1, 2, 3]), y = new Float32Array(3);
 * interpret(scale, { x: { data: x, shape: [3] }, y: { data: y, shape: [3] }, a: 2 }); // y is now 2, 4, 6
 * ```
 */
export function interpret(k: KernelIR, args: Readonly<Record<string, InterpretArg>>, o: InterpretOptions = {}): void {
  const run = meant(k);
  const site: Site = { loc: k.loc, step: undefined, loops: [] };
  const c: Context = {
    ...bind(run, args), kernel: run, frame: new Float64Array(countVars(run.body)), vectors: [], slots: new Map(), parallel: [], inLanes: 0, laneOwn: new Set(), lanes: laneScope(k.subgroup ?? 32),
    maxSteps: o.maxSteps ?? Infinity, print: o.print, steps: 0, allocs: 0, random: randomBelow(o.seed ?? 1),
  };
  checkAssumptions(c, site);
  compileStmt(c, run.body, site)();
}

/** The kernel with the meaning of each instruction in its place. */
export function meant(k: KernelIR): KernelIR {
  let any = false;
  visitStmt(k.body, (s) => { any ||= s.kind === 'instr'; });
  return any ? { ...k, body: mapStmt(k.body, (s) => (s.kind === 'instr' ? s.body ?? instantiate(s) : s))! } : k;
}

/** Small seeded generator (Marsaglia's xorshift32, "Xorshift RNGs", 2003); good enough to vary an order. */
function randomBelow(seed: number): (n: number) => number {
  let x = Math.imul(seed | 0, 0x9e3779b1) ^ 0x2545f491 || 1;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return Math.floor(((x >>> 0) / 2 ** 32) * n);
  };
}
