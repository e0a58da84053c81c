import { createRequire } from 'node:module';
import type { Axes, Kernel as Algorithm, Schedule, Target } from '@quern/kernel-dsl';
import { compileGenerated } from '../compile/index.ts';
import { ArgumentError } from '../errors/index.ts';
import type { Kernel, KernelArgs } from '../kernel/index.ts';
import { cpuInfo, threads as threadCount } from '../machine/index.ts';
import { Tensor } from '../tensor/index.ts';
import { digest, tuneKey } from './key.ts';
import type { TuneKey } from './key.ts';
import { race } from './race.ts';
import type { RaceOptions } from './race.ts';
import { readRecord, writeRecord } from './records.ts';
import type { TuneRecord } from './records.ts';

/** A schedule with choices left open. Parameters are plain data: they are kept in records. */
export interface Tunable<A extends Axes, P> {
  /** The choices worth a try on a target, by formula from its registers and caches; the first is what runs unmeasured. */
  readonly candidates: (t: Target) => readonly P[];
  /** The schedule with one choice made. */
  readonly schedule: (s: Schedule, axes: A, params: P) => void;
}

/** What tuning is doing. */
export type TuneProgress = { readonly stage: 'compile' | 'race'; readonly done: number; readonly total: number };

/** How to tune. */
export interface TuneOptions extends Pick<RaceOptions, 'turns' | 'turnMs' | 'margin' | 'signal'> {
  readonly isa?: string;
  readonly threads?: number;
  /** Measure even though there is a record. */
  readonly force?: boolean;
  /** Where compiled candidates and records go; default: the user's cache. */
  readonly cacheDir?: string;
  /** Told after each step. */
  readonly onProgress?: (p: TuneProgress) => void;
}

const dslVersion = (): string => (createRequire(import.meta.url)('@quern/kernel-dsl/package.json') as { version: string }).version;

/** The largest relative difference, by the largest magnitude of a tensor, at which two orders of a sum count as the same result. */
const SAME: Readonly<Record<string, number>> = { f32: 1e-4, f64: 1e-11, f16: 1e-2, bf16: 1e-1 };

/** Why what a candidate wrote is not what the first one wrote, or undefined. */
function difference(outputs: readonly string[], mine: KernelArgs, first: KernelArgs, exact: boolean): string | undefined {
  for (const name of outputs) {
    const [t, u] = [mine[name], first[name]];
    if (!(t instanceof Tensor) || !(u instanceof Tensor)) continue;
    const a = t.read(), b = u.read(), same = exact ? 0 : SAME[t.dtype] ?? 0;
    let top = 0;
    for (const x of b) top = Math.max(top, Number.isFinite(Number(x)) ? Math.abs(Number(x)) : 0);
    for (let i = 0; i < a.length; i++) {
      const [x, y] = [Number(a[i]), Number(b[i])];
      if (!Object.is(x, y) && !(Math.abs(x - y) <= same * top) && !(x === y)) return `${name}[${i}] is ${x}, with the first candidate ${y}`;
    }
  }
  return undefined;
}

/** The named sizes of a kernel, from the shapes of its arguments. */
function sizesOf(k: Kernel, args: KernelArgs): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const p of k.meta.params) {
    const t = args[p.name];
    if (p.kind === 'tensor' && t instanceof Tensor) p.shape.forEach((d, i) => { if (typeof d === 'string') sizes[d] = t.shape[i]!; });
  }
  return sizes;
}

/**
 * Finds the fastest of a tunable's candidates for these arguments on this machine, and remembers it. Each candidate is compiled, checked
 * against what the first one computes, and raced in turns (see `race`); a record of the same key is taken instead, unless `force`.
 * A candidate that cannot be built or that computes something else is kept in the record with its error and cannot win.
 *
 * @param args makes fresh arguments, the same each time
 * @throws ArgumentError without candidates. @throws what building the first candidate throws: there must be one that works.
 * @example
 * const { record } = await tune(algorithm, { candidates, schedule: apply }, () => ({ A, B, C: zeros([512, 512]) }));
 * const gemm = await compileKernel(algorithm, { schedule: (s, ax) => apply(s, ax, record.winner) });
 */
export async function tune<A extends Axes, P>(algorithm: Algorithm<A>, tunable: Tunable<A, P>, args: () => KernelArgs, o: TuneOptions = {}): Promise<{ readonly record: TuneRecord & { readonly winner: P }; readonly path: string | undefined; readonly remembered: boolean }> {
  const [{ lower, printKernel, schedule, target }, { libraryFiles }] = await Promise.all([import('@quern/kernel-dsl'), import('@quern/kernel-dsl/c')]);
  const t = target(o.isa ?? cpuInfo().isas[0] ?? 'generic'), list = tunable.candidates(t), { name } = algorithm;
  if (list.length === 0) throw new ArgumentError(`there are no candidates for '${name}' on ${t.isa}`, { fix: 'candidates(target) must return at least one' });
  const build = (params: P): { kernel: Kernel; reassociates: boolean } => {
    const s = schedule(algorithm, t, (x, axes) => tunable.schedule(x, axes, params));
    const files = libraryFiles([{ name, build: () => lower(s.ir, t) }], [t], { name });
    return { kernel: compileGenerated(files, o.cacheDir === undefined ? {} : { cacheDir: o.cacheDir }).kernel(name, t.isa), reassociates: s.reassociates };
  };
  const first = build(list[0]!), reference = args(), count = o.threads ?? threadCount();
  const key: TuneKey = tuneKey({
    kernel: name, algorithm: digest(printKernel(algorithm.ir)), candidates: digest(JSON.stringify(list) + tunable.schedule.toString()), dsl: dslVersion(),
    isa: t.isa, cpu: cpuInfo().brand, threads: count, sizes: sizesOf(first.kernel, reference),
  });
  const known = o.force === true ? undefined : readRecord(key, o.cacheDir);
  if (known) return { record: known as TuneRecord & { winner: P }, path: undefined, remembered: true };

  first.kernel.run(reference, { threads: count });
  const outputs = first.kernel.meta.params.flatMap((p) => (p.kind === 'tensor' && p.access !== 'in' ? [p.name] : []));
  const errors = new Map<number, string>(), ready: { index: number; kernel: Kernel }[] = [{ index: 0, kernel: first.kernel }];
  for (let i = 1; i < list.length; i++) {
    o.signal?.throwIfAborted();
    o.onProgress?.({ stage: 'compile', done: i, total: list.length });
    // Lets a progress line and a signal through between compilations.
    await new Promise((done) => { setImmediate(done); });
    try {
      const c = build(list[i]!), mine = args();
      c.kernel.run(mine, { threads: count });
      const why = difference(outputs, mine, reference, !c.reassociates && !first.reassociates);
      if (why !== undefined) errors.set(i, `it computes something else: ${why}`);
      else ready.push({ index: i, kernel: c.kernel });
    } catch (error) {
      errors.set(i, error instanceof Error ? error.message.split('\n')[0]! : String(error));
    }
  }
  const work = args();
  const result = race(ready.map(({ index, kernel }) => ({ name: JSON.stringify(list[index]), run: () => kernel.run(work, { threads: count }) })), {
    ...o, onTurn: (done, total) => o.onProgress?.({ stage: 'race', done, total }),
  });
  const usOf = new Map(ready.map(({ index }, i) => [index, result.timings[i]!.us.map((x) => Number(x.toPrecision(5)))]));
  const record = {
    key, winner: list[ready[result.winner]!.index]!, date: new Date().toISOString().slice(0, 10),
    candidates: list.map((params, i) => ({ params, us: usOf.get(i) ?? [], ...(errors.has(i) ? { error: errors.get(i)! } : {}) })),
  };
  return { record, path: writeRecord(record, o.cacheDir), remembered: false };
}
