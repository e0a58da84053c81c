/** Every file in examples/: conforms on every instruction set, and passes the command's own check; all are short. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { conform } from '@quern/conformance';
import type { ArgHint, Oracle, OracleArg } from '@quern/conformance';
import * as oracles from '@quern/conformance/oracles';
import { f16ToF32 } from '@quern/kernel-dsl';
import { cpuInfo } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { check, chooseTarget } from '../../packages/quern/src/commands/kernel.ts';
import { FULL, quickly, runs, spread } from './spread.ts';
import type { KernelModule } from '../../packages/quern/src/commands/module.ts';

const folder = fileURLToPath(new URL('../../examples/', import.meta.url));
const names = readdirSync(folder).filter((f) => f.endsWith('.ts')).map((f) => f.slice(0, -3)).sort();
const flat = (x: OracleArg | undefined): number[] => [...(x as { data: readonly number[] }).data];
const shape = (x: OracleArg | undefined): readonly number[] => (x as { shape: readonly number[] }).shape;

/** The weights of Q4_0 blocks, dequantised one by one. */
function weights(W: OracleArg | undefined): number[] {
  const bytes = flat(W), out: number[] = [];
  for (let b = 0; b < bytes.length; b += 18) {
    const scale = f16ToF32(bytes[b]! + 256 * bytes[b + 1]!);
    for (let i = 0; i < 32; i++) out.push(scale * (((i < 16 ? bytes[b + 2 + i]! & 15 : bytes[b + 2 + i - 16]! >> 4)) - 8));
  }
  return out;
}

/** What each example must compute, by mathjs, and where its arguments come from when not every value is a good one. */
const KNOWN: Readonly<Record<string, { readonly oracle: Oracle; readonly args?: Readonly<Record<string, ArgHint>> }>> = {
  saxpy: { oracle: ({ a, x, y }) => ({ y: oracles.add(oracles.scale(oracles.vector(x), a as number), oracles.vector(y)) }) },
  dot: { oracle: ({ x, y }) => ({ s: oracles.dot(x, y) }) },
  gemm: { oracle: ({ A, B, C }) => ({ C: oracles.add(oracles.fromRows(oracles.multiply(A, B)), flat(C)) }) },
  softmax: { oracle: ({ x }) => ({ y: oracles.softmax(x) }) },
  'own-instruction': { oracle: ({ W, x }) => ({ y: oracles.rows(W).map((row) => row.reduce((n, w, k) => n + w * flat(x)[k]!, 0)) }) },
  'q4-matvec': {
    oracle: ({ W, x }) => ({ y: oracles.multiply({ shape: [shape(W)[0]!, 32 * shape(W)[1]!], data: weights(W) }, { shape: [flat(x).length, 1], data: flat(x) }) }),
    // Scales of ordinary size: the upper byte of each.
    args: { W: ({ shape: s, random }) => Array.from({ length: s.reduce((p, n) => p * n, 1) }, (_, i) => (i % 18 === 1 ? 0x28 + Math.floor(random() * 8) : Math.floor(random() * 256))) },
  },
  transpose: { oracle: ({ x }) => ({ y: (shape(x)[1] === 0 ? [] : Array.from({ length: shape(x)[1]! }, (_, j) => oracles.rows(x).map((row) => row[j]!))) }) },
};

it('every example has an oracle, and the other way round', () => expect(names).toEqual(Object.keys(KNOWN).sort()));

describe.each(names.map((name, i) => [name, i] as const))('examples/%s.ts', (name, turn) => {
  const load = async (): Promise<KernelModule> => (await import(join(folder, `${name}.ts`))) as KernelModule;

  it('conforms', async () => {
    const m = await load(), { oracle, args } = KNOWN[name]!;
    // The instruction sets of this CPU, but for those that only add what `tensorize` reaches; the best and another, unless QUERN_FULL.
    const targets = cpuInfo().isas.map((isa) => chooseTarget(isa)).filter((t) => t.adds.every((f) => f === 'avx512_vnni')), on = [targets[0]!, ...spread(targets.slice(1), 1, turn)].map(quickly);
    const r = conform(m.algorithm, { cpu: m.cpu!, oracle, ...(args ? { args } : {}), runs: runs(12), ...(FULL ? {} : { work: 3000 }), targets: on });
    expect(r.isas).toEqual(on.map((t) => t.isa));
    expect(r.oracle).toBeGreaterThan(10);
    expect(r.backends.filter((b) => b.backend === 'c').every((b) => b.exact > 20 && b.bounded === 0)).toBe(true);
  });

  it('equals the interpreter in the check of `quern kernel --run`', async () => {
    const m = await load();
    for (const isa of spread(cpuInfo().isas, 1, turn)) {
      const r = check(m, chooseTarget(isa));
      expect(r.elements).toBeGreaterThan(100);
      expect(r.differing).toBe(0);
    }
  });

  it('is short, and says first what it is', () => {
    const text = readFileSync(join(folder, `${name}.ts`), 'utf8');
    expect(text.split('\n').length).toBeLessThan(60);
    expect(text).toMatch(/^\/\/ \S.{40,}/);
  });
});
