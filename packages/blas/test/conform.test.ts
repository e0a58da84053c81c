import { TARGETS } from '@quern/kernel-dsl';
import { cpuInfo } from '@quern/runtime';
import { conform } from '@quern/conformance';
import { describe, expect, it } from 'vitest';
import * as oracles from '@quern/conformance/oracles';
import type { OracleArg } from '@quern/conformance';
import { quickly, runs, spread } from '../../../tools/test/spread.ts';
import { gemm, scheduleGemm } from '../src/kernels/index.ts';
import type { GemmLayout, GemmType } from '../src/kernels/index.ts';

const targets = TARGETS.filter((t) => t.adds.every((f) => f === 'avx512_vnni') && cpuInfo().isas.includes(t.isa)).map(quickly);

/** alpha op(A) op(B) + beta C by mathjs. */
function right(layout: GemmLayout, a: Readonly<Record<string, OracleArg>>): number[] {
  const product = oracles.fromRows(oracles.multiply(a['A'], a['B'], { transposeA: layout[0] === 't', transposeB: layout[1] === 't' }));
  const old = oracles.fromRows(oracles.rows(a['C']));
  return oracles.add(oracles.scale(product, a['alpha'] as number), oracles.scale(old, a['beta'] as number));
}

describe('gemm in blocks so small that every tail occurs', () => {
  const cases: readonly (readonly [GemmType, GemmLayout])[] = [['f32', 'nn'], ['f32', 'tn'], ['f32', 'any'], ['f64', 'nn'], ['f64', 'nt']];
  it.each(spread(cases.map((c, i) => [...c, i] as const), 3))('conforms: %s %s', (T, layout, turn) => {
    const on = [targets[0]!, ...spread(targets.slice(1), 1, turn)];
    const r = conform(gemm(T, layout), {
      cpu: (s, ax) => scheduleGemm(s, ax, T, { mr: 2, nr: s.vec(T), mc: 4, kc: 5, nc: 2 * s.vec(T) }),
      oracle: (a) => ({ C: right(layout, a) }), runs: runs(24), work: 2048, targets: on,
    });
    expect(r.isas).toEqual(on.map((t) => t.isa));
    expect(r.uncovered).toEqual([]);
    expect(r.oracle).toBeGreaterThan(500);
    for (const b of r.backends) {
      expect(b.exact + b.bounded).toBeGreaterThan(500);
      // Whatever the arithmetic, the C computes what the lowered program says.
      if (b.backend === 'c') expect(b.bounded).toBe(0);
    }
  });
});
