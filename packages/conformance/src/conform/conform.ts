import fc from 'fast-check';
import { TARGETS } from '@quern/kernel-dsl';
import type { Axes, Kernel, Target } from '@quern/kernel-dsl';
import { cpuInfo } from '@quern/runtime';
import type { Case } from '../cases/index.ts';
import { copyArgs } from '../memory/index.ts';
import { hold, newBench, openCase, runPrograms } from './bench.ts';
import type { Bench } from './bench.ts';
import { ConformanceError, Fault } from './error.ts';
import type { Backend, ConformOptions, Subject } from './options.ts';
import type { ConformReport } from './report.ts';
import { asConformance, conclude, searchOf, seedOf } from './search.ts';
import { stagesFor } from './stages.ts';
import type { Stages } from './stages.ts';

const BACKENDS: readonly Backend[] = ['scheduled', 'lowered', 'c'];

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
  const o = options as ConformOptions, backends = new Set(options.backends ?? BACKENDS), targets = options.targets ?? runnable(), seed = seedOf(options);
  const have = backends.has('c') ? cpuInfo().isas : undefined, lacking = targets.find((t) => have && !have.includes(t.isa));
  if (lacking) throw new ConformanceError(k.name, new Fault({ backend: 'c', isa: lacking.isa, what: `this CPU cannot run it; it has ${have!.join(', ')}` }).mismatch, undefined, { seed, path: undefined });
  const stages: Stages[] = [];
  try {
    for (const t of targets) stages.push(stagesFor(k, t, options, backends));
    const search = searchOf(k.ir, stages, seed, o), bench = newBench(k.ir, o, backends, stages);
    return conclude(k.name, fc.check(fc.property(search.plan.arbitrary, (c) => runCase(bench, stages, c)), search.parameters), bench, search);
  } catch (e) {
    throw asConformance(k.name, seed, e);
  } finally {
    for (const s of stages) s.native?.close();
  }
}

function runCase(b: Bench, stages: readonly Stages[], c: Case): void {
  const x = openCase(b, c);
  for (const s of stages) {
    const lowered = runPrograms(b, s, x), { isa } = s.target;
    if (!s.native) continue;
    const got = { ...x.trial, args: copyArgs(x.trial.args) };
    const trespass = s.native.run(got, c.seed & 1 ? 'start' : 'end', 1 + (c.seed >> 1 & 1));
    if (trespass) throw new Fault({ backend: 'c', isa, param: trespass.param, what: `${trespass.beside ? 'wrote' : 'touched memory'} outside of ${trespass.param}, ${trespass.where} it` });
    hold(b, x, 'c', isa, got.args, s.nativeExact ? lowered : undefined, 'the lowered program on the interpreter');
  }
}
