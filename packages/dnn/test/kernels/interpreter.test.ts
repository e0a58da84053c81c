import { TARGETS, interpret, lower } from '@quern/kernel-dsl';
import type { InterpretArg, KernelIR } from '@quern/kernel-dsl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, spread } from '../../../../tools/test/spread.ts';
import { KERNELS, kernelNamed } from '../../src/kernels/index.ts';
import type { Args, Case } from './case.ts';
import { MATH_CASES } from './cases-math.ts';
import { PRODUCT_CASES } from './cases-products.ts';
import { ROW_CASES } from './cases-rows.ts';
import { random } from './random.ts';
import { expectWithin } from './rounding.ts';

const CASES: readonly Case[] = [...ROW_CASES, ...PRODUCT_CASES, ...MATH_CASES];
const targets = TARGETS.filter((x) => x.adds.every((f) => f === 'avx512_vnni' || f === 'i8mm'));

/** A copy of the arguments, so that a run cannot change what the next one sees. */
const copy = (a: Args): Record<string, InterpretArg> => Object.fromEntries(Object.entries(a).map(([n, x]) => [n, typeof x === 'number' ? x : { ...x, data: x.data.slice() as Float32Array }]));

function check(c: Case, ir: KernelIR, what: string, sizes: Readonly<Record<string, number>>, seed: number, special: boolean): void {
  const args = c.make(sizes, random(seed, special)), mine = copy(args), want = c.expected(sizes, args);
  interpret(ir, mine, { seed });
  for (const [name, e] of Object.entries(want)) expectWithin((mine[name] as { data: Float32Array }).data, e, `${c.kernel} (${what}): ${name}`);
}

describe('kernels on the interpreter, against double precision', () => {
  it('every kernel has a case', () => {
    expect(CASES.map((c) => c.kernel).sort()).toEqual(KERNELS.map((k) => k.name).sort());
  });

  it.each(CASES.map((c) => [c.kernel, c] as const))('%s: the algorithm', (name, c) => {
    const ir = kernelNamed(name).algorithm();
    fc.assert(fc.property(fc.record(c.sizes), fc.integer(), fc.boolean(), (sizes, seed, special) => check(c, ir, 'algorithm', sizes, seed, special)), { numRuns: runs(30) });
  });

  it.each(CASES.map((c, i) => [c.kernel, c, i] as const))('%s: scheduled and lowered, for every target (one of them in turn, unless QUERN_FULL)', (name, c, i) => {
    for (const t of spread(targets, 1, i)) {
      const s = kernelNamed(name).schedule(t), lowered = lower(s.ir, t);
      fc.assert(fc.property(fc.record(c.sizes), fc.integer(), fc.boolean(), (sizes, seed, special) => {
        check(c, s.ir, `scheduled for ${t.isa}`, sizes, seed, special);
        check(c, lowered, `lowered for ${t.isa}`, sizes, seed, special);
      }), { numRuns: 6 });
    }
  });
});
