import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blasInfo, gemm, type Op } from '../src/index.ts';
import { gemmBlocks } from '../src/kernels/index.ts';
import { target } from '@quern/kernel-dsl';
import { canariesLive, copyOf, type Full, type Lie, matrix, transposeOf } from './support/matrices.ts';
import { expectWithinBound } from './support/reference.ts';

const { isas, backend } = blasInfo();
const types = ['f32', 'f64'] as const;
const cases = types.flatMap((T) => isas.map((isa) => ({ T, isa })));
const blocks = (T: 'f32' | 'f64', isa: string): ReturnType<typeof gemmBlocks> => gemmBlocks(T, target(isa as 'x86-64'));

interface Case { T: 'f32' | 'f64'; a: Full; b: Full; c: Full; opA: Op; opB: Op; alpha: number; beta: number; isa?: string; threads?: number }

/** Runs gemm on a copy of C; checks the bound and every canary. */
function check({ T, a, b, c: c0, opA, opB, alpha, beta, ...options }: Case): Full {
  const c = copyOf(c0);
  gemm({ a, b, c, opA, opB, alpha, beta }, options);
  expectWithinBound({ T, a: opA === 'n' ? a : transposeOf(a), b: opB === 'n' ? b : transposeOf(b), c0, c, alpha, beta });
  expect(canariesLive(c)).toBe(true);
  return c;
}

/** Operands of an m x n x k product. */
function operands(T: 'f32' | 'f64', m: number, n: number, k: number, o: { opA?: Op; opB?: Op; lies?: readonly [Lie, Lie, Lie]; gap?: number; reversed?: boolean } = {}): Case {
  const { opA = 'n', opB = 'n', lies = ['row', 'row', 'row'], gap = 0, reversed = false } = o;
  const make = (rows: number, cols: number, lie: Lie, seed: number): Full => matrix(T, rows, cols, { lie, gap, reversed, seed });
  return {
    T, opA, opB, alpha: 1, beta: 0, c: make(m, n, lies[2], 3),
    a: opA === 'n' ? make(m, k, lies[0], 1) : make(k, m, lies[0], 1), b: opB === 'n' ? make(k, n, lies[1], 2) : make(n, k, lies[1], 2),
  };
}

const sameBits = (x: Full, y: Full): boolean => Buffer.compare(Buffer.from(x.data.buffer), Buffer.from(y.data.buffer)) === 0;

it('runs native code here, for every instruction set of this processor down to the baseline', () => {
  expect(backend).toBe('native');
  if (process.arch === 'x64') expect(isas.at(-1)).toBe('x86-64');
});

describe.each(cases)('gemm $T on $isa', ({ T, isa }) => {
  const { mr, nr, mc, kc, nc } = blocks(T, isa);
  const around = (n: number): fc.Arbitrary<number> => fc.oneof(fc.integer({ min: 0, max: 4 }), fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: -1, max: 1 })).map(([x, d]) => x * n + d));

  it('keeps the bound on every element, at sizes around the register tile, any transposition, strides and gaps', () => {
    const op = fc.constantFrom<Op>('n', 't', 'c'), lie = fc.constantFrom<Lie>('row', 'col', 'both');
    fc.assert(fc.property(around(mr), around(nr), fc.integer({ min: 0, max: 20 }), op, op, fc.tuple(lie, lie, lie), fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.constantFrom(1, -0.5, 0, 3), fc.constantFrom(0, 1, 0.25, -2),
      (m, n, k, opA, opB, lies, gap, reversed, alpha, beta) => { check({ ...operands(T, m, n, k, { opA, opB, lies, gap, reversed }), alpha, beta, isa }); }), { numRuns: 60 });
  });

  it.each([[mc - 1, 5, 7], [mc, 5, 7], [mc + 1, 5, 7], [2 * mc + 1, 3, 3], [7, 9, kc - 1], [7, 9, kc], [7, 9, kc + 1], [3, 4, 2 * kc + 1], [3, nc - 1, 4], [3, nc + 1, 4], [mc + 1, nr + 1, kc + 1]])(
    'keeps the bound at the edge of a cache block: %i x %i x %i', (m, n, k) => {
      for (const [opA, opB] of [['n', 'n'], ['t', 't']] as const) check({ ...operands(T, m, n, k, { opA, opB }), alpha: 1.5, beta: -1, isa });
    });

  it('gives the same bits for every number of threads', () => {
    const o = operands(T, 2 * mc + 11, 2 * nr + 3, kc + 9);
    const [one, ...others] = [1, 2, 3, 4].map((threads) => {
      const c = copyOf(o.c);
      gemm({ ...o, c, alpha: 0.75, beta: 0.5 }, { isa, threads });
      return c;
    });
    for (const c of others) expect(sameBits(c, one!)).toBe(true);
  });

  it('never reads C when beta is 0, nor A and B when alpha is 0', () => {
    const o = operands(T, mr + 1, nr + 1, 5);
    o.c.data.fill(NaN);
    const c = copyOf(o.c);
    gemm({ ...o, c }, { isa });
    expectWithinBound({ ...o, c0: o.c, c });
    const d = matrix(T, mr + 1, nr + 1), before = copyOf(d);
    o.a.data.fill(NaN);
    o.b.data.fill(Infinity);
    gemm({ ...o, c: d, alpha: 0, beta: 2 }, { isa });
    expectWithinBound({ T, a: matrix(T, d.rows, 0), b: matrix(T, 0, d.cols), c0: before, c: d, alpha: 0, beta: 2 });
    gemm({ ...o, c: d, alpha: 0, beta: 0 }, { isa });
    expect(Array.from({ length: d.rows }, (_, i) => d.data[d.offset + i * d.rowStride])).toEqual(Array(d.rows).fill(0));
  });

  it('lets NaN and infinities through, from the operands and from the factors', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const o = operands(T, mr + 1, nr + 1, 3);
      o.a.data[o.a.offset] = bad;
      const c = copyOf(o.c);
      gemm({ ...o, c }, { isa });
      for (let j = 0; j <= nr; j++) expect(Number.isFinite(c.data[c.offset + j])).toBe(false);
      for (let j = 0; j <= nr; j++) expect(Number.isFinite(c.data[c.offset + c.rowStride + j])).toBe(true);
      const d = operands(T, 2, 2, 2);
      gemm({ ...d, alpha: NaN }, { isa });
      expect(d.c.data[d.c.offset]).toBeNaN();
      const e = operands(T, 2, 2, 2);
      gemm({ ...e, beta: NaN }, { isa });
      expect(e.c.data[e.c.offset]).toBeNaN();
    }
  });

  it('does nothing wrong with nothing: empty C, and k = 0, which is beta C', () => {
    for (const [m, n] of [[0, 3], [3, 0], [0, 0]] as const) expect(canariesLive(check({ ...operands(T, m, n, 4), isa }))).toBe(true);
    const o = operands(T, 3, 4, 0);
    for (const beta of [0, 1, -2]) check({ ...o, beta, isa });
  });
});

it('uses broadcast inputs, with strides of 0', () => {
  const a = { data: Float32Array.of(2), rows: 3, cols: 4, rowStride: 0, colStride: 0 }, b = { data: Float32Array.of(1, 2), rows: 4, cols: 2, rowStride: 0, colStride: 1 };
  const c = { data: new Float32Array(6), rows: 3, cols: 2 };
  expect(gemm({ a, b, c })).toBe(c);
  expect(c.data).toEqual(Float32Array.of(8, 16, 8, 16, 8, 16));
});
