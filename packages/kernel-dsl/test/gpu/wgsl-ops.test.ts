import { describe, it } from 'vitest';
import { lower, MAX_ULP } from '../../src/passes/index.ts';
import type { MathFn } from '../../src/passes/index.ts';
import { wgslTarget } from '../../src/targets/index.ts';
import { cases as atomics } from '../emit/atomic-cases.ts';
import type { Case } from '../emit/harness.ts';
import { cases as functions } from '../emit/math-cases.ts';
import { bytesCase, namesCase, rampCase } from '../emit/memory-cases.ts';
import { boolCase, castCases, dotCases, floatCases, halfCases, intCases, partsCases, reduceCases } from '../emit/ops-cases.ts';
import { cases as packed } from '../emit/packed-cases.ts';
import { args as numbers, collatz } from '../emit/while-cases.ts';
import { inPlace } from './cases.ts';
import { WEBGPU, sameOnWebGpu } from './webgpu.ts';

const t = wgslTarget(['print', 'dot4']);
/** Vectors are taken apart, and software compiles long texts slowly: four lanes stand for all. */
const four = (cases: readonly Case[]): readonly Case[] => cases.slice(1, 2);
const WIDE = process.env['QUERN_GPU_ALL'] !== undefined;
const named = (cases: readonly Case[]): Case[] => cases.map(({ k, runs }, i) => ({ k: { ...k, name: `${k.name}_${i}` }, runs }));
/** What no 64-bit number is part of. */
const narrow = (cases: readonly Case[]): Case[] => cases.filter(({ k }) => k.params.every((p) => !['f64', 'i64'].includes(p.kind === 'tensor' ? p.buf.dtype : p.dtype)));
const lowered = (cases: readonly Case[]): Case[] => cases.map(({ k, runs }) => ({ k: lower(k, t), runs }));

const GROUPS: Readonly<Record<string, () => Case[]>> = {
  'integers': () => lowered((WIDE ? (['i32', 'u32', 'i16', 'u16', 'i8', 'u8'] as const) : (['i32', 'u8'] as const)).flatMap((d) => intCases(t, d).slice(0, 1))),
  'bools and dot products': () => lowered([...dotCases(t), boolCase(t)]),
  'casts': () => lowered(castCases(t).filter((c) => (WIDE ? c.k.name.endsWith('_1') : /_(f32|u32|i8|f16)_1$/.test(c.k.name)))),
  'halves': () => lowered(halfCases(t).filter((c) => c.k.name.endsWith('_4'))),
  'memory of every kind': () => lowered(narrow([bytesCase(4), bytesCase(8), rampCase(4), namesCase(), inPlace()])),
  'atomic updates': () => narrow(atomics(t)),
  'four-bit integers': () => narrow(packed(t)).filter((c) => WIDE || /plain|apart|matvec/.test(c.k.name)),
  'loops that end when they are done': () => [{ k: lower(collatz.ir, t), runs: [numbers([1, 6, 27, 97, 871], 200)] }],
};

const QUICK = ['bools and dot products', 'halves', 'loops that end when they are done'];

describe.skipIf(!WEBGPU)('WGSL gives the bits of the interpreter', () => {
  // Software compiles slowly: the wider tests take the rest.
  it.each(Object.keys(GROUPS).filter((g) => WIDE || QUICK.includes(g)))('%s', (name) => { sameOnWebGpu(named(GROUPS[name]!()), t); });
});
/** Division may be off by 2.5 ulp, fused operations may round twice, subnormal numbers may be 0: what a formula loses by that beside the interpreter. Of angles near multiples of pi the absolute error counts. */
const ULP: Readonly<Record<MathFn, number>> = { exp: 3, exp2: 3, log: 4, log2: 4, sin: 8, cos: 8, tanh: 8, erf: 8, pow: 200 };

describe.skipIf(!WEBGPU)('WGSL is near the interpreter', () => {
  // The sum of three terms of which two cancel is off by what rounding leaves of numbers below 4. Division by what is not between 2^-126 and 2^126 may give anything: special values are for the others.
  it.skipIf(!WIDE)('arithmetic of floats', () => { sameOnWebGpu(named(lowered([...four(floatCases(t, 'f32')).map((c) => ({ ...c, runs: c.runs.slice(1) })), ...four(partsCases(t, 'f32')), ...four(reduceCases(t).filter((c) => c.k.name.includes('f32')))])), t, { ulp: 3, absolute: 2 ** -20 }); });
  it.each((Object.keys(MAX_ULP) as MathFn[]).filter((fn) => fn !== 'pow' && (WIDE || fn === 'exp' || fn === 'sin')))('%s', (fn) => { sameOnWebGpu(named(narrow(functions(fn, t).filter((c) => c.k.name.includes('f32')))), t, { ulp: ULP[fn] }); });
});
