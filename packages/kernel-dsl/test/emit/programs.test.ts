import fc from 'fast-check';
import { describe, it } from 'vitest';
import { FULL, spread } from '../../../../tools/test/spread.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import { axes, exp, kernel, reg, scalar, tensor } from '../../src/lang/index.ts';
import { goto } from '../../src/library/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import type { Target } from '../../src/targets/index.ts';
import { lowered } from '../passes/helpers.ts';
import { build, numbers, program } from '../passes/random-program.ts';
import { array } from '../run/helpers.ts';
import { COMPILERS, RUNNABLE, fill, sameAsInterpreter } from './harness.ts';
import type { Case, TensorValue } from './harness.ts';

/** A kernel over constant shapes with tensors filled from a seed. */
function filled(k: KernelIR, seed: number): Case {
  const args = Object.fromEntries(k.params.flatMap((p, i): [string, TensorValue][] => {
    if (p.kind === 'scalar') return [];
    const shape = p.buf.shape.map((e) => (e.kind === 'const' ? e.value : NaN)), n = shape.reduce((a, b) => a * b, 1);
    return [[p.name, { shape, data: p.buf.dtype === 'i32' ? Int32Array.from({ length: n }, (_, j) => (j * 7 + seed) % 5) : numbers(n, seed + i) }]];
  }));
  return { k, runs: [args] };
}

const gemm = kernel('gemm', { alpha: scalar('f32'), A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').inout() }, ({ alpha, A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(alpha.mul(A.at(i, k)).mul(B.at(k, j)));
  return ax;
});
const softmax = kernel('softmax', { X: tensor('f32', 'R', 'C'), Y: tensor('f32', 'R', 'C').out() }, ({ X, Y, R, C }) => {
  const ax = axes({ r: R, m: C, e: C, w: C });
  for (const r of ax.r) {
    const hi = reg('f32', -Infinity), sum = reg('f32', 0);
    for (const m of ax.m) hi.maxAssign(X.at(r, m));
    for (const e of ax.e) sum.addAssign(exp(X.at(r, e).sub(hi)));
    for (const w of ax.w) Y.at(r, w).set(exp(X.at(r, w).sub(hi)).div(sum));
  }
  return ax;
});

const matrix = (rows: number, cols: number, seed: number): TensorValue => ({ data: array('f32', fill('f32', rows * cols, seed)), shape: [rows, cols] });

function library(t: Target): Case[] {
  const blocks = { mr: 3, nr: 2 * t.vecBytes / 4, mc: 6, kc: 5, nc: 4 * t.vecBytes / 4 };
  const product = lower(schedule(gemm, t, (s, ax) => goto(s, ax, { A: 'A', B: 'B', C: 'C' }, blocks)).ir, t);
  const rows = lower(schedule(softmax, t, (s, ax) => { const [, w] = s.split(ax.w, t.vecBytes / 4, { tail: 'peel' }); s.vectorize(w); s.parallel(ax.r); }).ir, t);
  const around = [[0, 5, 3], [1, 1, 1], [7, blocks.nr + 1, 11], [13, 2 * blocks.nc + 3, 5], [6, blocks.nc, 10]] as const;
  return [
    { k: product, runs: around.map(([M, N, K]) => ({ alpha: 0.7, A: matrix(M, K, 1), B: matrix(K, N, 2), C: matrix(M, N, 3) })) },
    { k: rows, runs: [[3, 1], [2, t.vecBytes / 2 + 3], [5, 16]].map(([R, C]) => ({ X: matrix(R!, C!, 1), Y: matrix(R!, C!, 2) })) },
  ];
}

describe('lowered programs in C give the bits of the interpreter', () => {
  it.each(spread(RUNNABLE, 2).map((t, i) => ({ isa: t.isa, t, compilers: spread(COMPILERS, 1, i) })))('$isa', ({ t, compilers }) => {
    // One file for all: compiling is what takes time. FC_SEED repeats a failure.
    const random = fc.sample(program, FULL ? 12 : 8).map((p, n) => filled({ ...lowered(lower(build(p), t)), name: `random${n}` }, p.seed));
    sameAsInterpreter([...random, ...library(t)], t, { compilers });
  });
});
