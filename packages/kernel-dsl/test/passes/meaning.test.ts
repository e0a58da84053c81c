import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../tools/test/spread.ts';
import { broadcast, constant, load, mul, newVar, printKernel, reduce } from '../../src/ir/index.ts';
import type { KernelIR } from '../../src/ir/index.ts';
import { axes, kernel as trace, scalar, tensor } from '../../src/lang/index.ts';
import { goto } from '../../src/library/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { accum, alloc, buffer, kernel, letStmt, loop, lowered, machine, store, v } from './helpers.ts';
import { build, numbers, program } from './random-program.ts';

/** Runs a kernel over dense tensors filled from the seed; what it left in each of them. */
function run(k: KernelIR, dims: Readonly<Record<string, number>>, seed: number): Record<string, readonly number[]> {
  const args: Record<string, { data: Float32Array | Int32Array; shape: number[] } | number> = {};
  k.params.forEach((p, i) => {
    if (p.kind === 'scalar') { args[p.name] = 0.75; return; }
    const shape = p.buf.shape.map((e) => (e.kind === 'const' ? e.value : e.kind === 'size' ? dims[e.name]! : NaN)), n = shape.reduce((a, b) => a * b, 1);
    const data = numbers(n, seed + i);
    args[p.name] = { data: p.buf.dtype === 'i32' ? Int32Array.from({ length: n }, (_, j) => (j * 7 + seed) % 5 < 0 ? 0 : Math.abs((j * 7 + seed) % 5)) : data, shape };
  });
  interpret(k, args as Parameters<typeof interpret>[1]);
  return Object.fromEntries(Object.entries(args).flatMap(([name, a]) => (typeof a === 'number' ? [] : [[name, [...a.data]]])));
}

const expectSame = (k: KernelIR, vecBytes: number, dims: Readonly<Record<string, number>>, seed: number): void => {
  const l = lowered(lower(k, machine(vecBytes, false)));
  expect(run(l, dims, seed), `${printKernel(k)}\n${printKernel(l)}`).toEqual(run(k, dims, seed));
};

describe('lowering keeps the meaning', () => {
  it('of random vector loops, bit for bit', () => {
    fc.assert(fc.property(program, (p) => { expectSame(build(p), p.vecBytes, {}, p.seed); }), { numRuns: runs(300) });
  });

  it('whatever the width of a vector, also where products are fused', () => {
    fc.assert(fc.property(program, (p) => {
      const k = build(p), at = (vecBytes: number): unknown => run(lowered(lower(k, machine(vecBytes))), {}, p.seed);
      expect(at(32)).toEqual(at(8));
    }), { numRuns: runs(150) });
  });

  it('of reductions wider than a register', () => {
    fc.assert(fc.property(fc.constantFrom(4, 8, 16, 32), fc.constantFrom(8, 16, 64), fc.constantFrom('add' as const, 'mul' as const, 'max' as const), fc.nat(), (lanes, vecBytes, fn, seed) => {
      const x = buffer('x', [constant(8), constant(lanes)]), s = buffer('s', [constant(1)]), r = buffer('r', [constant(lanes)], { space: 'reg' });
      const i = v('i'), j = v('j'), k = v('k');
      const kern = kernel([x, s], [
        alloc(r),
        loop(i, constant(lanes), 'vector', [store(r, [i], load(x, [constant(0), i]))]),
        loop(k, constant(8), 'seq', [loop(j, constant(lanes), 'vector', [{ kind: 'accum', fn, buf: r, index: [j], value: load(x, [k, j]) }])]),
        accum(s, [constant(0)], reduce(fn, load(r, [constant(0)], { lanes }))),
      ], []);
      expectSame(kern, vecBytes, {}, seed % 1000);
    }), { numRuns: 60 });
  });

  it('of stores wider than a register', () => {
    const x = buffer('x', [constant(32)]), t = newVar('t', 'f32', 32), lanes = 32;
    const kern = kernel([x], [letStmt(t, load(x, [constant(0)], { lanes })), store(x, [constant(0)], mul(t, broadcast(constant(3, 'f32'), lanes)))], []);
    expectSame(kern, 16, {}, 5);
  });

  it('of the Goto matrix product, at sizes around every block', () => {
    const gemm = trace('gemm_f32', { alpha: scalar('f32'), A: tensor('f32', 'M', 'K'), B: tensor('f32', 'K', 'N'), C: tensor('f32', 'M', 'N').inout() }, ({ alpha, A, B, C, M, N, K }) => {
      const ax = axes({ i: M, j: N, k: K });
      for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(alpha.mul(A.at(i, k)).mul(B.at(k, j)));
      return ax;
    });
    const s = schedule(gemm, target('x86-64-v4'), (sc, ax) => goto(sc, ax, { A: 'A', B: 'B', C: 'C' }, { mr: 2, nr: 8, mc: 4, kc: 3, nc: 16 }));
    const low = lowered(lower(s.ir, machine(16, false)));
    const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
    fc.assert(fc.property(size(9), size(33), size(7), fc.nat(1000), (M, N, K, seed) => {
      expect(run(low, { M, N, K }, seed)).toEqual(run(gemm.ir, { M, N, K }, seed));
    }), { numRuns: runs(100) });
  });
});
