import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { TARGETS, axes, kernel, target, tensor } from '@quern/kernel-dsl';
import { describe, expect, it } from 'vitest';
import { quickly, spread } from '../../../tools/test/spread.ts';
import { conform } from '../src/index.ts';
import * as oracles from '../src/oracles/index.ts';
import { addRow, blocked, dot, formulas, gemm, hash, lanes, lookup, peeled, relu6, saxpy } from './kernels.ts';

/** What the processor says of itself, asked without the addon. */
const flags = readFileSync('/proc/cpuinfo', 'utf8');
const expectedIsas = TARGETS.filter((t) => t.adds.every((f) => f === 'avx512_vnni') && t.features.every((f) => new RegExp(`\\b${f}\\b`).test(flags))).map((t) => t.isa);
/** One of them in turn, unless QUERN_FULL. */
const some = (turn: number): { readonly targets: ReturnType<typeof target>[] } => ({ targets: spread(expectedIsas, 1, turn).map((isa) => quickly(target(isa))) });

describe('conform', () => {
  it('compares every backend on every instruction set of this CPU, at sizes around the split factors', () => {
    const r = conform(saxpy, { cpu: peeled });
    expect(r.isas).toEqual(expectedIsas);
    expect(r.backends.map((b) => `${b.isa} ${b.backend}`)).toEqual(expectedIsas.flatMap((i) => ['scheduled', 'lowered', 'c'].map((b) => `${i} ${b}`)));
    expect(r.uncovered).toEqual([]);
    expect(r.factors).toContain(8);
    for (const f of r.factors) expect(r.sizes['N']).toEqual(expect.arrayContaining([0, 1, f - 1, f, f + 1, 2 * f]));
    for (const b of r.backends) {
      expect(b.exact + b.bounded).toBeGreaterThan(500);
      // C is always held to bits; only the lowering to fused multiply-add is not.
      expect(b.bounded > 0).toBe(b.backend === 'lowered' && b.isa !== 'x86-64');
    }
  });

  it('holds a kernel without rounding to its bits everywhere', () => {
    for (const k of [relu6, addRow]) expect(conform(k, { ...some(0), ...(k === relu6 ? { cpu: (s, ax) => peeled(s, ax as never) } : {}) }).backends.every((b) => b.exact > 0 && b.bounded === 0)).toBe(true);
    expect(conform(hash, { ...some(1), cpu: peeled }).backends.every((b) => b.exact > 0 && b.bounded === 0)).toBe(true);
  });

  it('holds reordered sums to a bound that is neither empty nor idle', () => {
    const r = conform(dot, { cpu: lanes, oracle: ({ x, y }) => ({ s: oracles.dot(x, y) }) });
    expect(r.oracle).toBeGreaterThan(20);
    const s = r.backends.filter((b) => b.backend === 'scheduled');
    expect(s.every((b) => b.bounded > 20 && b.exact === 0)).toBe(true);
    expect(Math.max(...s.map((b) => b.worst))).toBeGreaterThan(0.01);
  });

  it('holds packed and blocked products to bits, and to mathjs', () => {
    const r = conform(gemm, { ...some(0), cpu: blocked, sizes: { M: { max: 9 } }, runs: 10, oracle: ({ A, B, C }) => ({ C: oracles.add(oracles.fromRows(oracles.multiply(A, B)), oracles.fromRows(oracles.rows(C))) }) });
    expect(r.backends.filter((b) => b.backend === 'scheduled').every((b) => b.bounded === 0)).toBe(true);
    expect(r.oracle).toBeGreaterThan(500);
    expect(r.factors).toEqual(expect.arrayContaining([2, 5, ...r.isas.map((isa) => target(isa).vecBytes / 8)])); // a vector of each instruction set of this CPU
  });

  it('holds formulas to their ulps', () => {
    const r = conform(formulas, { ...some(0), cpu: (s, { i }) => { const [, lane] = s.split(i, s.vec('f32'), { tail: 'peel' }); s.vectorize(lane); } });
    expect(r.backends.filter((b) => b.backend === 'lowered').every((b) => b.bounded > 500)).toBe(true);
  });

  it('takes arguments from arbitraries and functions', () => {
    const r = conform(lookup, { ...some(1), sizes: { R: { min: 4, max: 4 } }, args: { at: fc.integer({ min: 0, max: 3 }), table: ({ shape }) => Array.from({ length: shape[0]! }, (_, i) => i + 0.5) }, oracle: ({ at }) => ({ y: oracles.vector(at).map((i) => i + 0.5) }), bound: () => 0 });
    expect(r.oracle).toBeGreaterThan(100);
    expect(r.sizes['R']).toEqual([4]);
  });

  it('keeps sizes within their hints', () => {
    const r = conform(relu6, { sizes: { N: { min: 8, max: 40, multipleOf: 8 } }, backends: ['scheduled'] });
    expect(r.sizes['N']).toEqual(expect.arrayContaining([8, 40]));
    expect(r.sizes['N']!.every((n) => n % 8 === 0 && n >= 8 && n <= 40)).toBe(true);
  });

  it('says which factors it did not reach', () => {
    expect(conform(relu6, { cpu: (s, { i }) => { s.split(i, 1000); }, sizes: { N: { max: 100 } }, backends: ['scheduled'] }).uncovered).toEqual([1000]);
  });

  it('runs kernels of constant shape, whose sizes are none', () => {
    const k = kernel('four', { x: tensor('f32', 4), y: tensor('f32', 4).out() }, ({ x, y }) => {
      const ax = axes({ i: 4 });
      for (const i of ax.i) y.at(i).set(x.at(i).neg());
      return ax;
    });
    expect(conform(k).cases).toBeGreaterThan(20);
  });
});
