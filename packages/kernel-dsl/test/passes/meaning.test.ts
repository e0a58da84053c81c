import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, binary, broadcast, cast, compare, constant, load, mul, newVar, printKernel, reduce, select, sub, unary } from '../../src/ir/index.ts';
import type { Buffer, Expr, KernelIR, LoopKind, Stmt, Var } from '../../src/ir/index.ts';
import { axes, kernel as trace, scalar, tensor } from '../../src/lang/index.ts';
import { goto } from '../../src/library/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { accum, alloc, buffer, kernel, letStmt, loop, lowered, machine, store, v } from './helpers.ts';

/** Numbers that tell apart roundings and orders, the same for a seed. */
function numbers(n: number, seed: number): Float32Array {
  let x = (seed | 0) ^ 0x9e3779b9;
  return Float32Array.from({ length: n }, () => ((x = (Math.imul(x, 1664525) + 1013904223) | 0) / 2 ** 29));
}

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

/**
 * Random bodies inside of a vector loop i of extent E: rows, strides, gathers, scatters, registers. No lane reads what another one writes,
 * and each buffer is written in one pattern only: what a schedule checks before it vectorises.
 */
const program = fc.record({
  extent: fc.constantFrom(1, 2, 3, 4, 6, 8, 12, 16),
  vecBytes: fc.constantFrom(8, 16, 32),
  outer: fc.constantFrom<LoopKind>('seq', 'unroll', 'parallel'),
  inner: fc.constantFrom<LoopKind>('seq', 'unroll'),
  ops: fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 6 }),
  seed: fc.nat(1000),
});

function build(p: { extent: number; outer: LoopKind; inner: LoopKind; ops: readonly number[]; seed: number }): KernelIR {
  const E = constant(p.extent), eight = constant(8);
  const x = buffer('x', [eight]), y = buffer('y', [eight, E]), z = buffer('z', [eight, constant(2 * p.extent + 1)]);
  const w = buffer('w', [eight, constant(p.extent + 1)]), u = buffer('u', [eight, constant(2 * p.extent)]);
  const ids = buffer('ids', [eight, E], { dtype: 'i32', access: 'in' });
  const acc = buffer('acc_reg', [E], { space: 'reg' });
  const o = v('o'), i = v('i');
  let pick = p.seed;
  const choose = <T>(xs: readonly T[]): T => { pick = (pick * 31 + 17) % 10007; return xs[pick % xs.length]!; };
  const temps: Var[] = [];
  const own: Buffer[] = [];
  const value = (depth: number): Expr => {
    const leaf = (): Expr => choose<() => Expr>([
      () => load(x, [o]), () => load(y, [o, i]), () => load(z, [o, add(i, constant(p.extent))]), () => load(z, [o, add(mul(i, constant(2)), constant(1))]),
      () => load(z, [o, sub(constant(p.extent), i)]), () => constant(choose([0.5, -3, 7]), 'f32'), () => cast(i, 'f32'), () => load(acc, [i]),
      () => load(y, [cast(load(ids, [o, i]), 'i64'), i]),
      () => (temps.length > 0 ? choose(temps) : load(y, [o, i])), () => (own.length > 0 ? load(choose(own), []) : load(acc, [i])),
    ])();
    if (depth === 0) return leaf();
    return choose<() => Expr>([
      leaf, () => add(value(depth - 1), value(depth - 1)), () => mul(value(depth - 1), value(depth - 1)), () => sub(value(depth - 1), value(depth - 1)),
      () => binary('max', value(depth - 1), value(depth - 1)), () => unary('neg', value(depth - 1)),
      () => select(compare('lt', value(depth - 1), value(depth - 1)), value(depth - 1), value(depth - 1)),
      () => { const twice = value(depth - 1); return add(twice, mul(twice, twice)); },
    ])();
  };
  const statement = (op: number): readonly Stmt[] => {
    switch (op) {
      case 0: case 1: { const t = newVar('t', 'f32'), s = letStmt(t, value(2)); temps.push(t); return [s]; }
      case 2: { const b = buffer('mine_reg', [], { space: 'reg' }), s = store(b, [], value(1)); own.push(b); return [alloc(b), s]; }
      case 3: return [store(w, [o, add(i, constant(1))], value(2))];
      case 4: return [store(u, [o, mul(i, constant(2))], value(1))];
      case 5: return own.length > 0 ? [accum(choose(own), [], value(1))] : [accum(acc, [i], value(1))];
      case 6: { const kk = newVar('k'); return [loop(kk, eight, p.inner, [accum(acc, [i], mul(load(y, [kk, i]), load(x, [kk])))])]; }
      case 7: { const b = choose([add(o, constant(1)), constant(3)]); return [{ kind: 'if', cond: compare('lt', b, constant(5)), then: store(y, [o, i], value(2)), else: accum(y, [o, i], value(1)) }]; }
      case 8: return [accum(y, [o, i], mul(value(1), value(1)))];
      default: return [store(y, [o, i], value(2))];
    }
  };
  const body = p.ops.flatMap(statement), i0 = v('i');
  return kernel([x, y, z, w, u, ids], [loop(o, p.outer === 'parallel' ? constant(1) : eight, p.outer, [
    alloc(acc),
    loop(i0, E, 'vector', [store(acc, [i0], load(y, [o, i0]))]),
    loop(i, E, 'vector', body),
  ])], []);
}

describe('lowering keeps the meaning', () => {
  it('of random vector loops, bit for bit', () => {
    fc.assert(fc.property(program, (p) => { expectSame(build(p), p.vecBytes, {}, p.seed); }), { numRuns: 300 });
  });

  it('whatever the width of a vector, also where products are fused', () => {
    fc.assert(fc.property(program, (p) => {
      const k = build(p), at = (vecBytes: number): unknown => run(lowered(lower(k, machine(vecBytes))), {}, p.seed);
      expect(at(32)).toEqual(at(8));
    }), { numRuns: 150 });
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
    }), { numRuns: 100 });
  });
});
