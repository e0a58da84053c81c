import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { MAX_ULP } from '../../src/passes/math/index.ts';
import type { MathFn } from '../../src/passes/math/index.ts';
import { target } from '../../src/targets/index.ts';
import { cases as atomics } from '../emit/atomic-cases.ts';
import type { Case, TensorValue } from '../emit/harness.ts';
import { cases as functions } from '../emit/math-cases.ts';
import { accessCase, bytesCase, joinCase, namesCase, parallelCase, rampCase } from '../emit/memory-cases.ts';
import { cases as packed } from '../emit/packed-cases.ts';
import { args as starts, collatz } from '../emit/while-cases.ts';
import { build, numbers, program } from '../passes/random-program.ts';
import { inPlace } from './cases.ts';
import { NVCC, OPENCL, compileCuda, sameOnOpenCl } from './harness.ts';

const t = target('opencl');
const named = (cases: readonly Case[]): Case[] => cases.map(({ k, runs }, i) => ({ k: { ...k, name: `${k.name}_${i}` }, runs }));
const lowered = (cases: readonly Case[]): Case[] => cases.map(({ k, runs }) => ({ k: lower(k, t), runs }));

const GROUPS: Readonly<Record<string, () => Case[]>> = {
  'memory of every kind': () => lowered([accessCase(4), bytesCase(4), bytesCase(8), rampCase(4), parallelCase(), namesCase(), joinCase(), inPlace()]),
  'atomic updates': () => atomics(t),
  'four-bit integers': () => packed(t),
  'loops that end when they are done': () => [{ k: lower(collatz.ir, t), runs: [starts([1, 6, 27, 97, 871], 200)] }],
  'random vector loops': () => fc.sample(program, process.env['QUERN_GPU_ALL'] === undefined ? 4 : 100).map((p, i): Case => {
    const k = build(p);
    const args = Object.fromEntries(k.params.flatMap((x, n): [string, TensorValue][] => {
      if (x.kind === 'scalar') return [];
      const shape = x.buf.shape.map((e) => (e.kind === 'const' ? e.value : NaN)), size = shape.reduce((a, b) => a * b, 1);
      return [[x.name, { shape, data: x.buf.dtype === 'i32' ? Int32Array.from({ length: size }, (_, j) => (j * 7 + p.seed) % 5) : numbers(size, p.seed + n) }]];
    }));
    return { k: { ...lower(k, t), name: `random${i}` }, runs: [args] };
  }),
  'functions of floats': () => (Object.keys(MAX_ULP) as MathFn[]).flatMap((fn) => functions(fn, t).filter((c) => !c.k.name.endsWith('_1'))),
};

describe.skipIf(!OPENCL)(OPENCL ? 'OpenCL gives the bits of the interpreter' : 'there is no OpenCL here: no text for it was run', () => {
  it.each(Object.keys(GROUPS))('%s', (name) => { sameOnOpenCl(named(GROUPS[name]!()), t); });
});
describe.skipIf(!NVCC)(NVCC ? 'nvcc compiles' : 'nvcc is not on PATH: no CUDA was compiled', () => {
  // The passes see the same limits and features, so that what was lowered for OpenCL is what CUDA runs.
  it('all of them', () => { expect(compileCuda(Object.keys(GROUPS).flatMap((name) => named(GROUPS[name]!())).map(({ k }) => emitGpu(k, target('cuda-sm80'))))).toContain('.entry'); });
});
