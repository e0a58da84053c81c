import { describe, it } from 'vitest';
import { emitGpu } from '../../src/emit/gpu/index.ts';
import { lower } from '../../src/passes/index.ts';
import { target } from '../../src/targets/index.ts';
import type { Target } from '../../src/targets/index.ts';
import type { Case } from '../emit/harness.ts';
import { INTEGERS, boolCase, castCases, dotCases, floatCases, halfCases, intCases, partsCases, reduceCases } from '../emit/ops-cases.ts';
import { NVCC, OPENCL, compileCuda, sameOnOpenCl } from './harness.ts';

/** Vectors are taken apart, so the widest ones stand for all; the wider tests take the others and scalars too. */
const WIDE = process.env['QUERN_GPU_ALL'] !== undefined;
const widest = (cases: readonly Case[]): readonly Case[] => (WIDE ? cases : cases.slice(-1));

const operations = (t: Target): Case[] => [
  ...widest(floatCases(t, 'f32')), ...widest(floatCases(t, 'f64')), ...widest(partsCases(t, 'f32')), ...widest(partsCases(t, 'f64')), ...INTEGERS.flatMap((d) => widest(intCases(t, d))),
  ...widest(reduceCases(t).filter((c) => c.k.name.includes('f32'))), ...(WIDE ? reduceCases(t) : []), ...widest(dotCases(t)), boolCase(t),
];
const casts = (t: Target): Case[] => [...(WIDE ? castCases(t) : castCases(t).filter((c) => /_(2|4|16)$/.test(c.k.name) && !/_(f32|i32|u32|i16|u16|f16|bf16)_2$/.test(c.k.name))), ...(WIDE ? halfCases(t) : halfCases(t).filter((c) => c.k.name.endsWith('_4')))];
const lowered = (cases: readonly Case[], t: Target): Case[] => cases.map(({ k, runs }, i) => ({ k: { ...lower(k, t), name: `${k.name}_${i}` }, runs }));

describe('every operation and cast', () => {
  const t = target('opencl'), WHY = OPENCL ? '' : ' (which is not here)';
  it.skipIf(!OPENCL)(`gives the bits of the interpreter in OpenCL${WHY}: operations`, () => { sameOnOpenCl(lowered(operations(t), t), t); });
  it.skipIf(!OPENCL)(`gives the bits of the interpreter in OpenCL${WHY}: casts`, () => { sameOnOpenCl(lowered(casts(t), t), t); });
  it.skipIf(!NVCC).each(WIDE ? ['cuda-sm75', 'cuda-sm80', 'cuda-sm90a'] : ['cuda-sm75'])(NVCC ? 'compiles for %s' : 'is not compiled for %s: nvcc is not on PATH', (isa) => {
    const c = target(isa);
    compileCuda(lowered([...operations(c), ...casts(c)], c).map(({ k }) => emitGpu(k, c)));
  });
});
