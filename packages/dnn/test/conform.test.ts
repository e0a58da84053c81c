import { TARGETS } from '@quern/kernel-dsl';
import { conform } from '@quern/conformance';
import type { ConformOptions, ConformReport } from '@quern/conformance';
import * as oracles from '@quern/conformance/oracles';
import { cpuInfo } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { quickly, runs, spread } from '../../../tools/test/spread.ts';
import { kernelNamed } from '../src/kernels/index.ts';

/** Every instruction set of this CPU; the first, and another in turn, unless QUERN_FULL. */
const targets = TARGETS.filter((t) => t.adds.every((f) => f === 'avx512_vnni') && cpuInfo().isas.includes(t.isa)).map(quickly);
let turn = 0;

function conforms(name: string, o: ConformOptions = {}): ConformReport {
  const k = kernelNamed(name), on = [targets[0]!, ...spread(targets.slice(1), 1, turn++)], r = conform({ name, ir: k.algorithm(), schedule: k.schedule }, { runs: runs(24), targets: on, ...o });
  expect(r.isas).toEqual(on.map((t) => t.isa));
  expect(r.uncovered).toEqual([]);
  for (const b of r.backends) expect(b.exact + b.bounded).toBeGreaterThan(100);
  // Whatever the arithmetic, the C computes what the lowered program says.
  expect(r.backends.filter((b) => b.backend === 'c').every((b) => b.bounded === 0)).toBe(true);
  return r;
}

/** Blocks of 32 weights: a scale of ordinary size as f16, then random bytes. */
const blocks = (bytes: number) => ({ shape, random }: { readonly shape: readonly number[]; readonly random: () => number }): number[] =>
  Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i % bytes === 1 ? 0x2c + Math.floor(random() * 8) : Math.floor(random() * 256)));

describe('kernels of dnn', () => {
  it('softmax conforms, and agrees with mathjs', () => {
    const r = conforms('softmax', { oracle: ({ x }) => ({ y: oracles.fromRows(oracles.softmax(x)) }) });
    expect(r.oracle).toBeGreaterThan(1000);
  });
  it('rms_norm conforms', () => { conforms('rms_norm'); });
  it.each(['silu', 'silu_mul', 'add', 'add_to'])('%s conforms', (name) => { conforms(name); });
  it.each(['exp_f32', 'sin_f64', 'pow_f32'])('%s conforms', (name) => { conforms(name); });
  it('add is exact, also scheduled and lowered', () => { expect(conforms('add').backends.every((b) => b.bounded === 0)).toBe(true); });
  it.each([['matvec_q4_0', 18], ['matvec_q8_0_acc', 34]] as const)('%s conforms', (name, bytes) => { conforms(name, { args: { W: blocks(bytes) }, sizes: { NB: { max: 8 } } }); });
});
