import fc from 'fast-check';
import { RunError, TARGETS, interpret } from '@quern/kernel-dsl';
import type { Axes, InterpretArg, Kernel, KernelIR, Target } from '@quern/kernel-dsl';
import { cpuInfo } from '@quern/runtime';
import { boundsOf } from '../bound/index.ts';
import { factorsOf, makeArgs, planOf } from '../cases/index.ts';
import type { Case, Trial } from '../cases/index.ts';
import { copyArgs } from '../memory/index.ts';
import { boundsAround, checkBits, checkNear, checkUntouched, tally } from './compare.ts';
import type { Around, Tally } from './compare.ts';
import { ConformanceError, Fault } from './error.ts';
import { flat, seenBy } from './oracle.ts';
import type { Backend, ConformOptions, Subject } from './options.ts';
import type { ConformReport } from './report.ts';
import { stagesFor } from './stages.ts';
import type { Stages } from './stages.ts';

type Args = Readonly<Record<string, InterpretArg>>;
const BACKENDS: readonly Backend[] = ['scheduled', 'lowered', 'c'];

/** Everything that the runs of one kernel share. */
interface Bench {
  readonly k: KernelIR;
  readonly o: ConformOptions;
  readonly backends: ReadonlySet<Backend>;
  readonly stages: readonly Stages[];
  readonly counts: Map<string, Tally>;
  readonly seen: Map<string, Set<number>>;
  cases: number;
  oracle: number;
}

const runnable = (): readonly Target[] => {
  const { isas } = cpuInfo();
  // Targets that add what only instructions reach would run the same programs once more.
  return TARGETS.filter((t) => t.adds.every((f) => f === 'avx512_vnni') && isas.includes(t.isa));
};

/**
 * Holds a kernel to its definition, which is the interpreter running its algorithm. For each target the scheduled program must give the same bits
 * where it does not reorder sums, the lowered program those of the scheduled one where nothing is fused or replaced by a formula, and the compiled C always those of the
 * lowered program (NaN equals NaN; where the C library computes a function, its result may differ in rounding). Elsewhere results are held to `bound`, or to one
 * computed by running the algorithm in doubles with an error for every rounding, in any order.
 *
 * Sizes are 0, 1, around every split factor and prime, layouts padded, offset, reversed and, where parameters allow it, strided; values hold NaN, infinities,
 * signed zeros and subnormals. Nothing outside of an operand may be touched (pages that trap, and patterns beside it), no input may change.
 *
 * @returns what was compared
 * @throws ConformanceError with the smallest case found; DslError when the kernel cannot be scheduled or lowered
 * @example it('conforms', () => { conform(saxpy, { cpu: schedule }); })
 */
export function conform<A extends Axes>(k: Kernel<A> | Subject, options: ConformOptions<A> = {}): ConformReport {
  const o = options as ConformOptions, backends = new Set(options.backends ?? BACKENDS), targets = options.targets ?? runnable();
  const seed = options.seed ?? fc.readConfigureGlobal().seed ?? Date.now() & 0x7fffffff;
  const have = backends.has('c') ? cpuInfo().isas : undefined, lacking = targets.find((t) => have && !have.includes(t.isa));
  if (lacking) throw new ConformanceError(k.name, new Fault({ backend: 'c', isa: lacking.isa, what: `this CPU cannot run it; it has ${have!.join(', ')}` }).mismatch, undefined, { seed, path: undefined });
  const stages: Stages[] = [];
  try {
    for (const t of targets) stages.push(stagesFor(k, t, options, backends));
    const factors = [...new Set(stages.flatMap((s) => factorsOf(s.steps)))].sort((a, b) => a - b);
    const plan = planOf(k.ir, factors, options.sizes ?? {}, options.work ?? 2048, seed);
    const bench: Bench = { k: k.ir, o, backends, stages, counts: new Map(), seen: new Map(k.ir.sizes.map((n) => [n, new Set()])), cases: 0, oracle: 0 };
    const details = fc.check(fc.property(plan.arbitrary, (c) => runCase(bench, c)), {
      seed, examples: plan.always.map((c): [Case] => [c]), numRuns: plan.always.length + (options.runs ?? 25), ...(options.path === undefined ? {} : { path: options.path }),
    });
    if (details.failed) throw asError(k.name, details);
    return reportOf(bench, plan.uncovered, factors, seed);
  } catch (e) {
    throw e instanceof Fault ? new ConformanceError(k.name, e.mismatch, undefined, { seed, path: undefined }, e) : e;
  } finally {
    for (const s of stages) s.native?.close();
  }
}

function asError(name: string, d: fc.RunDetails<[Case]>): Error {
  const e = d.errorInstance, run = { seed: d.seed, path: d.counterexamplePath ?? undefined };
  if (e === null || e === undefined) return new ConformanceError(name, new Fault({ backend: 'algorithm', what: 'its assumptions exclude almost every case; say with `sizes` and `args` what it is meant for' }).mismatch, undefined, run);
  return e instanceof Fault ? new ConformanceError(name, e.mismatch, d.counterexample?.[0], run, e) : (e as Error);
}

/** Interprets, or says how it failed. A case that the kernel's own assumptions exclude is no case. */
function interpreted(k: KernelIR, args: Args, seed: number, at: { backend: 'algorithm' | Backend; isa?: string }): Args {
  const mine = copyArgs(args);
  try {
    interpret(k, mine, { seed: 1 + seed });
  } catch (e) {
    if (!(e instanceof RunError)) throw e;
    if (e.id === 'KD-RUN-ASSUME' && at.backend === 'algorithm') fc.pre(false);
    const hint = at.backend === 'algorithm' && e.id === 'KD-RUN-OOB' ? '\n  If it indexes by values of an argument, say with `args` which values it may get.' : '';
    throw new Fault({ ...at, param: e.buffer, index: e.index, what: `fails: ${e.message}${hint}` }, { cause: e });
  }
  return mine;
}

function runCase(b: Bench, c: Case): void {
  const trial = makeArgs(b.k, c, b.o.args ?? {}), right = interpreted(b.k, trial.args, c.seed, { backend: 'algorithm' });
  checkUntouched(b.k, trial.args, right, { backend: 'algorithm', isa: undefined });
  const seen = seenBy(b.k, trial.args);
  let around: ReadonlyMap<string, Around> | undefined;
  const bounds = (): ReadonlyMap<string, Around> => (around ??= boundsAround(b.k, right, trial, b.o.bound ? undefined : boundsOf(b.k, trial.args), b.o.bound, seen));
  b.cases++;
  for (const [n, v] of Object.entries(c.sizes)) b.seen.get(n)?.add(v);
  if (b.o.oracle && c.values !== 2) compareOracle(b, b.o.oracle(seen, trial.sizes), bounds(), right);
  const done = new Map<string, Args>();
  const once = (text: string, run: () => Args): Args => {
    const known = done.get(text) ?? run();
    done.set(text, known);
    return known;
  };
  for (const s of b.stages) runTarget(b, s, trial, c, right, bounds, once);
}

function compareOracle(b: Bench, answer: Readonly<Record<string, unknown>>, bounds: ReadonlyMap<string, Around>, right: Args): void {
  const around = new Map(Object.entries(answer).map(([n, x]): [string, Around] => {
    const value = flat(x), own = bounds.get(n), count = (right[n] as { shape: readonly number[] } | undefined)?.shape.reduce((p, y) => p * y, 1);
    if (own === undefined || value.length !== count) throw new Fault({ backend: 'algorithm', param: n, what: own ? `the oracle gives ${value.length} elements, the kernel ${count}` : 'the oracle tells of what the kernel does not write' });
    // The oracle rounds too, and the computed bound is around neither result: both have room on their side.
    return [n, { value, error: (i) => 2 * own.error(i) }];
  }));
  const counts = tally();
  checkNear(b.k, around, right, { backend: 'algorithm', isa: undefined }, 'the oracle', counts);
  b.oracle += counts.bounded;
}

function runTarget(b: Bench, s: Stages, trial: Trial, c: Case, right: Args, bounds: () => ReadonlyMap<string, Around>, once: (text: string, run: () => Args) => Args): void {
  const { isa } = s.target;
  const hold = (backend: Backend, got: Args, equalTo: Args | undefined, than: string): void => {
    const at = { backend, isa }, key = `${isa} ${backend}`, counts = b.counts.get(key) ?? tally();
    b.counts.set(key, counts);
    checkUntouched(b.k, trial.args, got, at);
    if (equalTo) checkBits(b.k, equalTo, got, at, than, counts);
    else checkNear(b.k, bounds(), got, at, 'what the algorithm computes', counts);
  };
  const scheduled = once(s.texts.scheduled, () => interpreted(s.scheduled, trial.args, c.seed, { backend: 'scheduled', isa }));
  if (b.backends.has('scheduled')) hold('scheduled', scheduled, s.scheduledExact ? right : undefined, 'the algorithm');
  const lowered = once(s.texts.lowered, () => interpreted(s.lowered, trial.args, c.seed, { backend: 'lowered', isa }));
  if (b.backends.has('lowered')) hold('lowered', lowered, s.loweredExact ? scheduled : undefined, 'the scheduled program');
  if (!s.native) return;
  const got = { ...trial, args: copyArgs(trial.args) };
  const trespass = s.native.run(got, c.seed & 1 ? 'start' : 'end', 1 + (c.seed >> 1 & 1));
  if (trespass) throw new Fault({ backend: 'c', isa, param: trespass.param, what: `${trespass.beside ? 'wrote' : 'touched memory'} outside of ${trespass.param}, ${trespass.where} it` });
  hold('c', got.args, s.nativeExact ? lowered : undefined, 'the lowered program on the interpreter');
}

function reportOf(b: Bench, uncovered: readonly number[], factors: readonly number[], seed: number): ConformReport {
  const backends = b.stages.flatMap((s) => [...b.backends].map((backend) => ({ isa: s.target.isa, backend, ...(b.counts.get(`${s.target.isa} ${backend}`) ?? tally()) })));
  const blind = backends.find((x) => x.unbounded > x.bounded + x.exact);
  if (blind) throw new Fault({ backend: blind.backend, isa: blind.isa, what: `the bound says something of ${blind.bounded} elements only, nothing of ${blind.unbounded}: give a bound, or narrower arguments` });
  return {
    kernel: b.k.name, seed, cases: b.cases, isas: b.stages.map((s) => s.target.isa), backends, factors, uncovered, oracle: b.oracle,
    sizes: Object.fromEntries([...b.seen].map(([n, all]) => [n, [...all].sort((x, y) => x - y)])),
  };
}
