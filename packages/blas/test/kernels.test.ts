import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interpret, type KernelIR, lower, schedule, target } from '@quern/kernel-dsl';
import { emitFileC } from '@quern/kernel-dsl/c';
import { runs, spread } from '../../../tools/test/spread.ts';
import { blasInfo, gemm, type Op } from '../src/index.ts';
import { buildGemm, GEMM_LAYOUTS, gemm as algorithm, type GemmLayout, scheduleGemm } from '../src/kernels/index.ts';
import { COMPILERS, compile } from '../../kernel-dsl/test/emit/harness.ts';
import { hotLoopStackRefs } from '../../kernel-dsl/test/emit/hot-loop.ts';
import { copyOf, type Full, matrix } from './support/matrices.ts';
import { expectWithinBound } from './support/reference.ts';
import { sameNumbers } from '../../../tools/test/often.ts';

const types = ['f32', 'f64'] as const;
const all = types.flatMap((T) => GEMM_LAYOUTS.map((layout) => ({ T, layout })));

/** Operands as a layout's kernel declares them, with rows and columns of op(A) and op(B) for the reference. */
function operands(T: 'f32' | 'f64', layout: GemmLayout, m: number, n: number, k: number): { A: Full; B: Full; C: Full; ops: { opA: Op; opB: Op } } {
  const lie = layout === 'any' ? 'both' : 'row', [ta, tb] = [layout[0] === 't', layout[1] === 't'];
  return {
    A: ta ? matrix(T, k, m, { lie, gap: 1, seed: 1 }) : matrix(T, m, k, { lie, gap: 1, seed: 1 }), B: tb ? matrix(T, n, k, { lie, gap: 1, seed: 2 }) : matrix(T, k, n, { lie, gap: 1, seed: 2 }),
    C: matrix(T, m, n, { lie, gap: 2, seed: 3 }), ops: { opA: ta ? 't' : 'n', opB: tb ? 't' : 'n' },
  };
}
const arg = (m: Full): { data: Full['data']; shape: number[]; strides: number[]; offset: number } => ({ data: m.data, shape: [m.rows, m.cols], strides: [m.rowStride, m.colStride], offset: m.offset });
function interpreted(ir: KernelIR, A: Full, B: Full, C: Full, alpha: number, beta: number, seed = 1): Full {
  const c = copyOf(C);
  interpret(ir, { A: arg(A), B: arg(B), C: arg(c), alpha, beta }, { seed });
  return c;
}

describe.each(all.map((k, turn) => ({ ...k, turn })))('the kernel $layout in $T', ({ T, layout, turn }) => {
  const small = { mr: 2, nr: T === 'f32' ? 4 : 2, mc: 4, kc: 3, nc: 8 };
  const sizes = [fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 17 }), fc.integer({ min: 0, max: 7 }), fc.constantFrom(1, 0, -0.75), fc.constantFrom(0, 1, 0.5)] as const;

  it('with small blocks keeps the bound, and lowering changes no bit but by fused multiply-adds', () => {
    const blocked = (isa: 'x86-64' | 'x86-64-v3'): KernelIR => schedule(algorithm(T, layout), target(isa), (s, ax) => { scheduleGemm(s, ax, T, small); }).ir;
    const plain = blocked('x86-64'), exact = lower(plain, target('x86-64')), fused = lower(blocked('x86-64-v3'), target('x86-64-v3'));
    const at = (x: Full, op: Op): Full => (op === 'n' ? x : { ...x, rows: x.cols, cols: x.rows, rowStride: x.colStride, colStride: x.rowStride });
    fc.assert(fc.property(...sizes, fc.integer(), (m, n, k, alpha, beta, seed) => {
      const { A, B, C, ops } = operands(T, layout, m, n, k), c = interpreted(exact, A, B, C, alpha, beta, seed);
      sameNumbers(c.data, interpreted(plain, A, B, C, alpha, beta).data);
      for (const x of [c, interpreted(fused, A, B, C, alpha, beta, seed)]) expectWithinBound({ T, a: at(A, ops.opA), b: at(B, ops.opB), c0: C, c: x, alpha, beta });
    }), { numRuns: runs(30) });
  });

  it.each(spread(blasInfo().isas, 2, turn))('compiled for %s gives the bits of its interpretation', (isa) => {
    const k = buildGemm(T, layout, target(isa as 'x86-64'));
    for (const [m, n, p] of [[7, 9, 5], [13, 70, 3], [1, 1, 1]] as const) {
      const { A, B, C, ops } = operands(T, layout, m, n, p), c = copyOf(C);
      gemm({ a: A, b: B, c, ...ops, alpha: -1.25, beta: 0.5 }, { isa });
      sameNumbers(c.data, interpreted(k, A, B, C, -1.25, 0.5).data);
    }
  });
});

describe('the hot loop of every shipped micro-kernel stays in registers', () => {
  const builds = (['x86-64-v4', 'x86-64-v3', 'x86-64'] as const).flatMap((isa, i) => spread(types, 1, i).flatMap((T) => spread(COMPILERS.flatMap((compiler) => ['-O2', '-O3'].map((level) => ({ isa, T, compiler, level }))), 1, i)));
  it.each(builds)('$T for $isa, $compiler $level', ({ isa, T, compiler, level }) => {
    const t = target(isa), object = compile(emitFileC([buildGemm(T, 'nn', t)], t), [...t.cflags.filter((f) => f !== '-O2'), level], { compiler, object: true });
    const { refs, fmas } = hotLoopStackRefs(execFileSync('objdump', ['-d', '--no-show-raw-insn', object], { encoding: 'utf8', maxBuffer: 1 << 26 }));
    expect(refs).toEqual([]);
    expect(fmas).toBeGreaterThanOrEqual(8);
  });
});

it('describes its kernels in the manifest and nothing else', () => {
  const manifest = JSON.parse(readFileSync(new URL('../native/gen/manifest.json', import.meta.url), 'utf8')) as { kernels: object[] };
  expect(manifest.kernels.length).toBeGreaterThanOrEqual(10);
  for (const k of manifest.kernels) expect(Object.keys(k)).toEqual(['isa', 'name', 'params', 'sizes', 'scratchBytes', 'sharedBytes', 'assumptions']);
});
