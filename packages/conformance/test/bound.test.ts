import { axes, exp, interpret, kernel, reg, tensor, value, when } from '@quern/kernel-dsl';
import type { KernelIR } from '@quern/kernel-dsl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsOf } from '../src/index.ts';
import { dot, formulas } from './kernels.ts';

const vec = (x: readonly number[]): { data: Float32Array; shape: number[] } => ({ data: Float32Array.from(x), shape: [x.length] });
const dotOf = (x: readonly number[], y: readonly number[]): { value: number; error: number } => {
  const b = boundsOf(dot.ir, { x: vec(x), y: vec(y), s: vec([0]) })!.get('s')!;
  return { value: b.value[0]!, error: b.error[0]! };
};

describe('boundsOf', () => {
  it('gives n u sum |x y| for an inner product, whatever cancels', () => {
    const u = 2 ** -24, { value: v, error } = dotOf([1, 1, 1, 1], [1, -1, 1, -1]);
    expect(v).toBe(0);
    expect(error / (4 * u)).toBeGreaterThan(4);
    expect(error / (4 * u)).toBeLessThan(6);
  });

  it('holds for the sum in any order', () => {
    const term = fc.float({ min: -100, max: 100, noNaN: true });
    fc.assert(fc.property(fc.array(fc.tuple(term, term), { maxLength: 40 }), fc.nat(), (pairs, turn) => {
      const { value: v, error } = dotOf(pairs.map((p) => p[0]), pairs.map((p) => p[1]));
      const order = pairs.map((p, i) => [p, (i * 7919 + turn) % 41] as const).sort((a, b) => a[1] - b[1]);
      const sum = order.reduce((s, [[a, b]]) => Math.fround(s + Math.fround(a * b)), 0);
      expect(Math.abs(sum - v)).toBeLessThanOrEqual(error);
    }));
  });

  it('holds for the interpreter wherever it says something', () => {
    const x = fc.array(fc.oneof(fc.float(), fc.float({ min: -90, max: 90, noNaN: true })), { maxLength: 20 });
    fc.assert(fc.property(x, (list) => {
      const args = { x: vec(list), y: vec(list.map(() => 0)) }, b = boundsOf(formulas.ir, args)!.get('y')!;
      interpret(formulas.ir, args);
      args.y.data.forEach((y, i) => {
        if (b.error[i] === Infinity) return;
        if (Number.isFinite(b.value[i])) expect(Math.abs(y - b.value[i]!)).toBeLessThanOrEqual(b.error[i]!);
        else expect(y).toBe(b.value[i]);
      });
    }));
  });

  it('is certain of NaN and of infinities that come from arguments, and of nothing that overflows', () => {
    expect(dotOf([NaN, 1], [1, 1])).toEqual({ value: NaN, error: 0 });
    expect(dotOf([Infinity, 1], [1, 5])).toEqual({ value: Infinity, error: 0 });
    expect(dotOf([Infinity, -Infinity], [1, 1])).toEqual({ value: NaN, error: 0 });
    expect(dotOf([3e38, 3e38, -3e38], [1, 1, 1]).error).toBe(Infinity);
    // In another order, the finite terms are -Infinity before the infinite one comes.
    expect(dotOf([Infinity, -3e38, -3e38], [1, 1, 1]).error).toBe(Infinity);
  });

  it('says nothing where a branch hangs on rounding, and something where it does not', () => {
    const k = (limit: number): KernelIR => kernel('branch', { x: tensor('f32', 'N'), y: tensor('f32', 1).out() }, ({ x, y, N }) => {
      const ax = axes({ i: N }), acc = reg('f32', 0);
      for (const i of ax.i) acc.addAssign(exp(x.at(i)));
      when(acc.lt(value('f32', limit)), () => y.at(0).set(1), () => y.at(0).set(2));
      return ax;
    }).ir;
    const args = { x: vec([0, 0]), y: vec([0]) };
    expect(boundsOf(k(2), args)).toBeUndefined();
    expect(boundsOf(k(3), args)!.get('y')).toEqual({ value: Float64Array.of(1), error: Float64Array.of(0) });
  });
});
