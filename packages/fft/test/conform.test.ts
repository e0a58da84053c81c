import { TARGETS } from '@quern/kernel-dsl';
import { conform } from '@quern/conformance';
import type { OracleArg } from '@quern/conformance';
import * as oracles from '@quern/conformance/oracles';
import { cpuInfo } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { quickly, spread } from '../../../tools/test/spread.ts';
import { algorithm, kernelName, scheduled } from '../src/kernels/index.ts';
import type { KernelId } from '../src/kernels/index.ts';

const targets = TARGETS.filter((t) => t.adds.every((f) => f === 'avx512_vnni') && cpuInfo().isas.includes(t.isa)).map(quickly);
const data = (x: OracleArg | undefined): readonly number[] => (x as { data: readonly number[] }).data;

/** Transforms of n points, one after the other; backward ones with real and imaginary parts in each other's place. */
function transforms(n: number, a: Readonly<Record<string, OracleArg>>): number[] {
  const x = data(a['x']), scale = a['scale'] as number, turn = (v: readonly number[]): readonly number[] => (a['backward'] === 0 ? v : v.map((_, i) => v[i ^ 1]!));
  return Array.from({ length: x.length / (2 * n) }, (_, p) => turn(oracles.scale(oracles.fft([...turn(x.slice(2 * n * p, 2 * n * (p + 1)))]), scale))).flat();
}

const small: readonly KernelId[] = [{ role: 'small', dtype: 'f32', n: 4 }, { role: 'small', dtype: 'f64', n: 8 }, { role: 'small', dtype: 'f32', n: 16 }];
const passes: readonly KernelId[] = [
  { role: 'first', dtype: 'f32', radix: 8, narrow: false }, { role: 'middle', dtype: 'f64', radix: 8, narrow: false },
  { role: 'last', dtype: 'f32', radix: 8, narrow: true }, { role: 'last', dtype: 'f64', radix: 8, narrow: false },
];

describe('kernels of fft', () => {
  it('are tried on every instruction set of this CPU', () => expect(targets.map((t) => t.isa)).toEqual(expect.arrayContaining(['x86-64', 'generic'].filter((x) => process.arch === 'x64' || x === 'generic'))));

  // Passes are written for the vectors of a target, so each target has an algorithm of its own.
  it.each([...small, ...passes].map((id, i) => [kernelName(id), id, i] as const))('%s conforms (on two instruction sets in turn, unless QUERN_FULL)', (_, id, turn) => {
    for (const t of spread(targets, 2, turn)) {
      const r = conform({ name: kernelName(id), ir: algorithm(id, t).ir, schedule: (x) => ({ ir: scheduled(id, x), steps: [], reassociates: false }) }, {
        targets: [t], runs: 6, sizes: { P: { max: 9 }, Q: { max: 3 }, K: { max: 3 } },
        ...(id.role === 'small' ? { oracle: (a) => ({ y: transforms(id.n, a) }) } : {}),
      });
      expect(r.backends.every((b) => b.exact + b.bounded > 80)).toBe(true);
      expect(r.backends.filter((b) => b.backend !== 'lowered').every((b) => b.bounded === 0)).toBe(true);
      if (id.role === 'small') expect(r.oracle).toBeGreaterThan(40);
    }
  });
});
