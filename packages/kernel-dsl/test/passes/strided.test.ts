import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, constant, load, mul, newVar, printKernel, shuffle } from '../../src/ir/index.ts';
import type { Expr, KernelIR, Stmt } from '../../src/ir/index.ts';
import { axes, kernel as trace, tensor } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { RUNNABLE, sameAsInterpreter } from '../emit/harness.ts';
import { buffer, kernel, letStmt, linesWith, loop, lowered, machine, N, store, v } from './helpers.ts';

/** y[n, i * R + (u * 5 + 1) mod R] = x[n, i * R + u] * (u + 1), for all u < R and the lanes i: read apart, put together in another order. */
function permuted(lanes: number, R: number, dtype: 'f32' | 'f64' | 'i32' = 'f32'): KernelIR {
  const row = constant(lanes * R), x = buffer('x', [N, row], { dtype, access: 'in' }), y = buffer('y', [N, row], { dtype, access: 'out' }), n = v('n'), i = v('i');
  const at = (u: number): Expr => add(mul(i, constant(R)), constant(u)), t = Array.from({ length: R }, (_, u) => newVar(`t${u}`, dtype));
  const body: Stmt[] = t.map((name, u) => letStmt(name, mul(load(x, [n, at(u)]), constant(u + 1, dtype))));
  for (let u = 0; u < R; u++) body.push(store(y, [n, at((u * 5 + 1) % R)], t[u]!));
  return { ...kernel([x, y], [loop(n, N, 'seq', [loop(i, constant(lanes), 'vector', body)])]), name: `permuted_${dtype}_${lanes}_${R}` };
}
const filled = (rows: number, row: number, dtype: string): Record<string, { data: Float32Array | Float64Array | Int32Array; shape: number[] }> => {
  const make = (length: number, f: (i: number) => number): Float32Array | Float64Array | Int32Array => {
    const list = Array.from({ length }, (_, i) => f(i));
    return dtype === 'f32' ? new Float32Array(list) : dtype === 'f64' ? new Float64Array(list) : new Int32Array(list);
  };
  return { x: { data: make(rows * row, (i) => i + 1), shape: [rows, row] }, y: { data: make(rows * row, () => -1), shape: [rows, row] } };
};

describe('accesses with a stride of a power of two', () => {
  it('become contiguous ones and shuffles, whatever the stride and the vector', () => {
    fc.assert(fc.property(fc.constantFrom(2, 4, 8, 16), fc.constantFrom(2, 4, 8, 16, 32), fc.constantFrom(8, 16, 32, 64), (lanes, R, vecBytes) => {
      const k = permuted(lanes, R), l = lowered(lower(k, machine(vecBytes, false))), text = printKernel(l);
      expect(text).not.toContain('ramp');
      const a = filled(3, lanes * R, 'f32'), b = filled(3, lanes * R, 'f32');
      interpret(k, a);
      interpret(l, b);
      expect(b['y']!.data, text).toEqual(a['y']!.data);
    }));
  });

  it('take log2 steps of shuffles: R log2(min(R, lanes)) for R vectors', () => {
    const shuffles = (lanes: number, R: number): number => linesWith(printKernel(lower(permuted(lanes, R), machine(4 * lanes))), /shuffle\(x/).length;
    expect([shuffles(16, 2), shuffles(16, 4), shuffles(8, 8), shuffles(4, 16)]).toEqual([2, 8, 24, 32]);
  });

  it('stay as they are when some of them are missing: nothing is read or written that was not', () => {
    const x = buffer('x', [constant(64)], { access: 'in' }), y = buffer('y', [constant(64)], { access: 'inout' }), i = v('i');
    const at = (u: number): Expr => add(mul(i, constant(4)), constant(u));
    const k = kernel([x, y], [loop(i, constant(16), 'vector', [0, 1, 2].map((u) => store(y, [at(u)], load(x, [at(u)]))))], []);
    expect(printKernel(lower(k, machine(64)))).not.toContain('shuffle');
  });

  it('keep their order with other uses of the same buffer', () => {
    // Each half is read back between the two writes of a pair, so the writes cannot be joined.
    const k = trace('ordered', { y: tensor('f32', 32).inout() }, ({ y }) => {
      const ax = axes({ i: 16 });
      for (const i of ax.i) {
        const old = y.at(i.mul(2).add(1));
        y.at(i.mul(2)).set(y.at(i.mul(2)).mul(3));
        const again = y.at(i.mul(2)).add(old);
        y.at(i.mul(2).add(1)).set(again);
        y.at(i.mul(2)).set(y.at(i.mul(2).add(1)).mul(2));
      }
      return ax;
    });
    const l = lower(schedule(k, target('x86-64-v4'), (s, ax) => s.vectorize(ax.i)).ir, machine(64, false));
    const run = (ir: KernelIR): Float32Array => {
      const data = Float32Array.from({ length: 32 }, (_, i) => i + 1);
      interpret(ir, { y: { data, shape: [32] } });
      return data;
    };
    expect(run(l), printKernel(l)).toEqual(run(k.ir));
  });

  it.each(RUNNABLE.map((t) => [t.isa, t] as const))('give the bits of the interpreter in C on %s', (_, t) => {
    const cases = (['f32', 'f64', 'i32'] as const).flatMap((dtype) => [2, 4, 8, 16].map((R) => {
      const lanes = t.vecBytes / (dtype === 'f64' ? 8 : 4), k = permuted(lanes, R, dtype);
      return { k: lowered(lower(k, t)), runs: [filled(3, lanes * R, dtype)] as never };
    }));
    const x = buffer('x', [constant(8)], { access: 'in' }), y = buffer('y', [constant(4)], { access: 'out' }), half = load(x, [constant(0)], { lanes: 4 }), rest = load(x, [constant(4)], { lanes: 4 });
    const odd = { ...kernel([x, y], [store(y, [constant(0)], shuffle(half, rest, [7, 0, 0, 5]))], []), name: 'odd' };
    const run = { x: { data: Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]), shape: [8] }, y: { data: new Float32Array(4), shape: [4] } };
    const text = sameAsInterpreter([...cases, { k: odd, runs: [run] as never }], t);
    expect(text).not.toMatch(/gather_|scatter_/);
    expect(text).toContain('pick_7_0_0_5_f32x4');
  });
});
