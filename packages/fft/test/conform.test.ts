import { TARGETS } from '@quern/kernel-dsl';
import { conform } from '@quern/conformance';
import type { OracleArg } from '@quern/conformance';
import * as oracles from '@quern/conformance/oracles';
import { cpuInfo } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { algorithm, kernelName, scheduled } from '../src/kernels/index.ts';
import type { KernelId } from '../src/kernels/index.ts';

const targets = TARGETS.filter((t) => cpuInfo().isas.includes(t.isa));
const data = (x: OracleArg | undefined): readonly number[] => (x as { data: readonly number[] }).data;

/** Transforms of n points, one after the other: point 0 in x0, the rest in x. */
function transforms(n: number, a: Readonly<Record<string, OracleArg>>): number[] {
  const first = data(a['x0']), rest = data(a['x']), scale = a['scale'] as number;
  return Array.from({ length: first.length / 2 }, (_, p) => oracles.scale(oracles.fft([...first.slice(2 * p, 2 * p + 2), ...rest.slice(2 * p * (n - 1), 2 * (p + 1) * (n - 1))]), scale)).flat();
}

const small: readonly KernelId[] = [{ role: 'small', dtype: 'f32', n: 4 }, { role: 'small', dtype: 'f64', n: 8 }, { role: 'small', dtype: 'f32', n: 16 }];
const passes: readonly KernelId[] = [
  { role: 'first', dtype: 'f32', radix: 8, narrow: false }, { role: 'middle', dtype: 'f64', radix: 8, narrow: false },
  { role: 'last', dtype: 'f32', radix: 8, narrow: true }, { role: 'last', dtype: 'f64', radix: 8, narrow: false },
];

describe('kernels of fft', () => {
  it('are tried on every instruction set of this CPU', () => expect(targets.map((t) => t.isa)).toEqual(expect.arrayContaining(['x86-64', 'generic'].filter((x) => process.arch === 'x64' || x === 'generic'))));

  // Passes are written for the vectors of a target, so each target has an algorithm of its own.
  it.each([...small, ...passes].map((id) => [kernelName(id), id] as const))('%s conforms', (_, id) => {
    for (const t of targets) {
      const r = conform({ name: kernelName(id), ir: algorithm(id, t).ir, schedule: (x) => ({ ir: scheduled(id, x), steps: [], reassociates: false }) }, {
        targets: [t], runs: 6, sizes: { P: { max: 5 }, Q: { max: 3 }, K: { max: 3 } },
        ...(id.role === 'small' ? { oracle: (a) => ({ y: transforms(id.n, a) }) } : {}),
      });
      expect(r.backends.every((b) => b.exact + b.bounded > 200)).toBe(true);
      expect(r.backends.filter((b) => b.backend !== 'lowered').every((b) => b.bounded === 0)).toBe(true);
      if (id.role === 'small') expect(r.oracle).toBeGreaterThan(50);
    }
  });
});
