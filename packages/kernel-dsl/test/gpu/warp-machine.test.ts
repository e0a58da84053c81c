/** What the text of products by warps computes, on a machine without a GPU: emitted CUDA against the interpreter, bit for bit. */
import { describe, expect, it } from 'vitest';
import { spread } from '../../../../tools/test/spread.ts';
import { interpret } from '../../src/run/index.ts';
import { target } from '../../src/targets/index.ts';
import type { TensorValue } from '../emit/harness.ts';
import { tensorCases } from './tensor-cases.ts';
import { onWarpMachine } from './warp-machine.ts';

const cases = tensorCases(target('cuda-sm90a')).flatMap((c) => c.runs.slice(0, 1).map((args) => ({ c, args: args as Record<string, TensorValue>, name: c.k.name, arch: c.older ? 750 : c.target.isa === 'cuda-sm80' ? 800 : 900 })));
const copies = (args: Record<string, TensorValue>): Record<string, TensorValue> => Object.fromEntries(Object.entries(args).map(([n, v]) => [n, { ...v, data: v.data.slice() as TensorValue['data'] }]));

describe('emitted products of warps, on a warp made of fibers', () => {
  it.each(spread(cases, 6))('$name for __CUDA_ARCH__ $arch', ({ c, args, arch }) => {
    const want = copies(args);
    interpret(c.meaning, want as never);
    const run = onWarpMachine(c.k, c.target, args, arch);
    for (const late of [false, true]) {
      const got = copies(args);
      run(got, late);
      for (const p of c.k.params) if (p.kind === 'tensor' && p.buf.access !== 'in') expect(got[p.name]!.data, p.name).toEqual(want[p.name]!.data);
    }
  }, 240_000);
});
