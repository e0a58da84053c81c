import { interpret, lower, target } from '@quern/kernel-dsl';
import type { InterpretArg } from '@quern/kernel-dsl';
import { cpuInfo, tensor } from '@quern/runtime';
import type { DType, KernelArgs } from '@quern/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, spread } from '../../../../tools/test/spread.ts';
import { dnnKernel, dnnLibrary } from '../../src/index.ts';
import { KERNELS, kernelNamed } from '../../src/kernels/index.ts';
import type { Args, Case } from '../kernels/case.ts';
import { MATH_CASES } from '../kernels/cases-math.ts';
import { PRODUCT_CASES } from '../kernels/cases-products.ts';
import { ROW_CASES } from '../kernels/cases-rows.ts';
import { random } from '../kernels/random.ts';
import { expectWithin } from '../kernels/rounding.ts';

const CASES: readonly Case[] = [...ROW_CASES, ...PRODUCT_CASES, ...MATH_CASES];
/** What the library was built for and this CPU can run: the baseline at least. */
const ISAS = [...new Set(dnnLibrary().entries.map((e) => e.isa))].filter((isa) => cpuInfo().isas.includes(isa));

type Array_ = Float32Array;
const copy = (a: Args): Record<string, InterpretArg> => Object.fromEntries(Object.entries(a).map(([n, x]) => [n, typeof x === 'number' ? x : { ...x, data: x.data.slice() as Array_ }]));
const dataOf = (a: Readonly<Record<string, InterpretArg>>, name: string): Array_ => (a[name] as { data: Array_ }).data;

/** Runs the native kernel on a copy of the arguments and returns it. */
function runNative(c: Case, isa: string, args: Args, threads: number): Record<string, InterpretArg> {
  const mine = copy(args), k = dnnKernel(c.kernel, isa);
  expect(k.isa).toBe(isa);
  const dtypes = new Map(k.meta.params.map((p) => [p.name, p.dtype]));
  k.run(Object.fromEntries(Object.entries(mine).map(([n, x]) => [n, typeof x === 'number' ? x : tensor<Array_, DType>(x.data as Array_, x.shape, { dtype: dtypes.get(n)! })])) as KernelArgs, { threads });
  return mine;
}

/** Equal bit for bit; any NaN equals any other. */
function expectSame(got: Array_, want: Array_, what: string): void {
  for (let i = 0; i < want.length; i++) if (!Object.is(got[i], want[i])) throw new Error(`${what}[${i}] is ${got[i]}, the interpreter says ${want[i]}`);
}

describe('kernels as native code', () => {
  it('the library has every kernel for every instruction set, the baseline among those that run here', () => {
    expect(ISAS).toContain('x86-64');
    expect(dnnLibrary().entries.map((e) => `${e.name} ${e.isa}`).sort()).toEqual([...new Set(dnnLibrary().entries.map((e) => e.isa))].flatMap((isa) => KERNELS.map((k) => `${k.name} ${isa}`)).sort());
  });

  it.each(CASES.flatMap((c, i) => spread(ISAS, 1, i).map((isa) => [c.kernel, isa, c] as const)))('%s for %s: within its bounds, and bit for bit what the interpreter makes of the same program', (name, isa, c) => {
    const t = target(isa), lowered = lower(kernelNamed(name).schedule(t).ir, t);
    fc.assert(fc.property(fc.record(c.sizes), fc.integer(), fc.boolean(), (sizes, seed, special) => {
      const args = c.make(sizes, random(seed, special)), want = c.expected(sizes, args), mine = runNative(c, isa, args, 1 + (seed & 1)), theirs = copy(args);
      interpret(lowered, theirs);
      for (const [n, e] of Object.entries(want)) {
        expectWithin(dataOf(mine, n), e, `${name}: ${n}`);
        expectSame(dataOf(mine, n), dataOf(theirs, n), `${name}: ${n}`);
      }
    }), { numRuns: runs(24) });
  });
});

describe('the number of threads', () => {
  it.each(CASES.map((c) => [c.kernel, c] as const))('%s gives the same bits with 1 and 2', (name, c) => {
    fc.assert(fc.property(fc.record(c.sizes), fc.integer(), (sizes, seed) => {
      const args = c.make(sizes, random(seed)), [one, two] = [1, 2].map((n) => runNative(c, dnnKernel(name).isa, args, n));
      for (const n of Object.keys(c.expected(sizes, args))) expectSame(dataOf(two!, n), dataOf(one!, n), `${name}: ${n}`);
    }), { numRuns: runs(24) });
  });
});
