/** What the text of products by warps and warpgroups, and of copies ahead, computes on a machine without a GPU: emitted CUDA against the interpreter, bit for bit. */
import { describe, expect, it } from 'vitest';
import { FULL, spread } from '../../../../tools/test/spread.ts';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import { holds } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { target } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { TensorValue, Value } from '../emit/harness.ts';
import { corpusCases } from './cases.ts';
import { teamCases } from './team-cases.ts';
import { tensorCases } from './tensor-cases.ts';
import { GXX, onWarpMachine } from './warp-machine.ts';

const cases = tensorCases(target('cuda-sm90a')).flatMap((c) => c.runs.slice(0, 1).map((args) => ({ c, args: args as Record<string, TensorValue>, name: c.name, arch: c.older ? 750 : c.target.isa === 'cuda-sm80' ? 800 : 900 })));
const copies = (args: Readonly<Record<string, Value>>): Record<string, Value> => Object.fromEntries(Object.entries(args).map(([n, v]) => [n, typeof v === 'number' ? v : { ...v, data: v.data.slice() as TensorValue['data'] }]));

const WHY = GXX ? '' : ' (g++ is not on PATH)';

/** Runs a case with copies as early and as late as they may come. */
function same(k: KernelIR, meaning: KernelIR, on: Target, args: Readonly<Record<string, Value>>, arch: number): void {
  const want = copies(args), run = onWarpMachine(k, on, args, arch);
  interpret(meaning, want as never);
  for (const late of [false, true]) {
    const got = copies(args);
    run(got, late);
    for (const p of k.params) if (p.kind === 'tensor' && p.buf.access !== 'in') expect((got[p.name] as TensorValue).data, p.name).toEqual((want[p.name] as TensorValue).data);
  }
}

describe.skipIf(!GXX)(`emitted products of warps, on a warp made of fibers${WHY}`, () => {
  it.each(spread(cases, 2))('$name for __CUDA_ARCH__ $arch', ({ c, args, arch }) => { same(c.k, c.meaning, c.target, args, arch); }, 240_000);
});

describe.skipIf(!GXX)(`emitted products of warpgroups and their clusters, on lanes made of fibers${WHY}`, () => {
  const sm90 = target('cuda-sm90a'), teams = teamCases(sm90);
  it.each(FULL ? teams : teams.filter((c) => c.name.endsWith('two_rows')))('$name', ({ k, meaning, runs }) => { for (const args of runs.slice(0, 1)) same(k, meaning, sm90, args, 900); }, 240_000);
});

describe.skipIf(!GXX)(`tiles that lanes copy ahead, on lanes made of fibers${WHY}`, () => {
  const sm80 = target('cuda-sm80'), ahead = corpusCases(sm80).filter(({ k }) => holds(k.body, (s) => s.kind === 'region' && s.ahead === true));
  it.each(spread(ahead.flatMap(({ k, runs }) => runs.map((args, i) => ({ name: `${k.name}, arguments ${i}`, k, args: args as Record<string, TensorValue> }))), 3, 2))('$name', ({ k, args }) => {
    expect(emitGpu(k, sm80).source).toContain('cp.async');
    same(k, k, sm80, args, 800);
  }, 240_000);
});
