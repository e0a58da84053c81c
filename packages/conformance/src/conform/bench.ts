import fc from 'fast-check';
import { RunError, interpret } from '@quern/kernel-dsl';
import type { InterpretArg, KernelIR } from '@quern/kernel-dsl';
import { boundsOf } from '../bound/index.ts';
import { makeArgs } from '../cases/index.ts';
import type { Case, Trial } from '../cases/index.ts';
import { copyArgs } from '../memory/index.ts';
import { boundsAround, checkBits, checkNear, checkUntouched, tally } from './compare.ts';
import type { Around, Tally } from './compare.ts';
import { Fault } from './error.ts';
import { flat, seenBy } from './oracle.ts';
import type { Backend, ConformOptions } from './options.ts';
import type { ConformReport } from './report.ts';
import type { Programs } from './stages.ts';

/** Arguments by name. */
export type Args = Readonly<Record<string, InterpretArg>>;

/** Everything that the runs of one kernel share. */
export interface Bench {
  readonly k: KernelIR;
  readonly o: ConformOptions;
  readonly backends: ReadonlySet<Backend>;
  readonly stages: readonly Programs[];
  readonly counts: Map<string, Tally>;
  readonly seen: Map<string, Set<number>>;
  /** What is added to every bound: of devices that may take subnormal numbers for zero. */
  readonly slack: number;
  cases: number;
  oracle: number;
}

/** An empty bench for a kernel. */
export const newBench = (k: KernelIR, o: ConformOptions, backends: ReadonlySet<Backend>, stages: readonly Programs[], slack = 0): Bench =>
  ({ k, o, backends, stages, slack, counts: new Map(), seen: new Map(k.sizes.map((n) => [n, new Set()])), cases: 0, oracle: 0 });

/** One case with what the algorithm makes of it. */
export interface Opened {
  readonly c: Case;
  readonly trial: Trial;
  readonly right: Args;
  /** What results are held to where bits may differ. */
  readonly bounds: () => ReadonlyMap<string, Around>;
  /** Results on the interpreter by the text of the program: equal programs run once. */
  readonly done: Map<string, Args>;
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

/** Runs a case's algorithm, and compares it with the oracle. */
export function openCase(b: Bench, c: Case): Opened {
  const trial = makeArgs(b.k, c, b.o.args ?? {}), right = interpreted(b.k, trial.args, c.seed, { backend: 'algorithm' });
  checkUntouched(b.k, trial.args, right, { backend: 'algorithm', isa: undefined });
  const seen = seenBy(b.k, trial.args);
  let around: ReadonlyMap<string, Around> | undefined;
  const bounds = (): ReadonlyMap<string, Around> => (around ??= boundsAround(b.k, right, trial, b.o.bound ? undefined : boundsOf(b.k, trial.args), b.o.bound, seen));
  b.cases++;
  for (const [n, v] of Object.entries(c.sizes)) b.seen.get(n)?.add(v);
  if (b.o.oracle && c.values !== 2) compareOracle(b, b.o.oracle(seen, trial.sizes), bounds(), right);
  return { c, trial, right, bounds, done: new Map() };
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

/** Holds what a backend computed to the bits that it must equal, or to bounds where those are not given. */
export function hold(b: Bench, x: Opened, backend: Backend, isa: string, got: Args, equalTo: Args | undefined, than: string): void {
  const at = { backend, isa }, key = `${isa} ${backend}`, counts = b.counts.get(key) ?? tally();
  b.counts.set(key, counts);
  checkUntouched(b.k, x.trial.args, got, at);
  if (equalTo) checkBits(b.k, equalTo, got, at, than, counts);
  else checkNear(b.k, x.bounds(), got, at, 'what the algorithm computes', counts, b.slack);
}

/** Runs the scheduled and the lowered program on the interpreter; returns what the lowered one computes. */
export function runPrograms(b: Bench, s: Programs, x: Opened): Args {
  const { isa } = s.target;
  const once = (text: string, run: () => Args): Args => {
    const known = x.done.get(text) ?? run();
    x.done.set(text, known);
    return known;
  };
  const scheduled = once(s.texts.scheduled, () => interpreted(s.scheduled, x.trial.args, x.c.seed, { backend: 'scheduled', isa }));
  if (b.backends.has('scheduled')) hold(b, x, 'scheduled', isa, scheduled, s.scheduledExact ? x.right : undefined, 'the algorithm');
  const lowered = once(s.texts.lowered, () => interpreted(s.lowered, x.trial.args, x.c.seed, { backend: 'lowered', isa }));
  if (b.backends.has('lowered')) hold(b, x, 'lowered', isa, lowered, s.loweredExact ? scheduled : undefined, 'the scheduled program');
  return lowered;
}

/** What was compared. @throws Fault where the bounds say nothing of most elements */
export function reportOf(b: Bench, uncovered: readonly number[], factors: readonly number[], seed: number): ConformReport {
  const backends = b.stages.flatMap((s) => [...b.backends].map((backend) => ({ isa: s.target.isa, backend, ...(b.counts.get(`${s.target.isa} ${backend}`) ?? tally()) })));
  const blind = backends.find((x) => x.unbounded > x.bounded + x.exact);
  if (blind) throw new Fault({ backend: blind.backend, isa: blind.isa, what: `the bound says something of ${blind.bounded} elements only, nothing of ${blind.unbounded}: give a bound, or narrower arguments` });
  return {
    kernel: b.k.name, seed, cases: b.cases, isas: b.stages.map((s) => s.target.isa), backends, factors, uncovered, oracle: b.oracle,
    sizes: Object.fromEntries([...b.seen].map(([n, all]) => [n, [...all].sort((x, y) => x - y)])),
  };
}
