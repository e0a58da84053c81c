import { describe, expect, it } from 'vitest';
import { constant, load, printKernel, unary } from '../../src/ir/index.ts';
import type { DType, UnaryFn } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import { erf, interpret } from '../../src/run/index.ts';
import { buffer, kernel, loop, lowered, machine, N, store, v } from './helpers.ts';

/** f over all of x, lowered for a machine with or without fused multiply-add; the vector form must give the bits of the scalar one. */
function evaluate(fn: UnaryFn, x: Float32Array, fused: boolean, lanes = 1): Float32Array {
  const i = v('i'), j = v('j'), X = buffer('x', [N, constant(lanes)], { access: 'in' }), Y = buffer('y', [N, constant(lanes)], { access: 'out' });
  const k = lowered(lower(kernel([X, Y], [loop(i, N, 'seq', [loop(j, constant(lanes), 'vector', [store(Y, [i, j], unary(fn, load(X, [i, j])))])])]), machine(4 * lanes, fused)));
  expect(printKernel(k)).not.toMatch(new RegExp(`\\b${fn}\\(`));
  const y = new Float32Array(x.length), shape = [x.length / lanes, lanes];
  interpret(k, { x: { data: x, shape }, y: { data: y, shape } });
  return y;
}

/** The distance of two neighbouring f32 around x. */
const ulp = (x: number): number => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(x)))) - 23);
const floats = (bits: Iterable<number>): Float32Array => new Float32Array(Uint32Array.from(bits).buffer);
/** Every f32 exponent and both signs, evenly over the bits: 2^32 / step of them. */
const everywhere = (step: number): Float32Array => floats((function* () { for (let b = 0; b < 2 ** 32; b += step) yield b; })()).filter((x) => !Number.isNaN(x));

/** [function, in double, the ulps that its docstring states, smallest result that is not flushed to 0, where it is hardest] */
const CASES: readonly [UnaryFn, (x: number) => number, number, number, readonly [number, number]][] = [
  ['exp', Math.exp, 0.9, 2 ** -126, [-87.5, 89]],
  ['exp2', (x) => 2 ** x, 1.06, 2 ** -126, [-126.5, 128.5]],
  ['log', Math.log, 0.84, 0, [0.5, 2]],
  ['tanh', Math.tanh, 1.33, 0, [-9.5, 9.5]],
  ['erf', erf, 1.41, 0, [-4, 4]],
];
const SPECIAL = floats([0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0x7fc001ff, 0xffffffff, 0, 0x80000000]);

describe.each(CASES)('%s of f32', (fn, exact, bound, smallest, [lo, hi]) => {
  const dense = Float32Array.from({ length: 60_000 }, (_, n) => lo + ((hi - lo) * n) / 60_000);
  it.each([true, false])('is within the ulps it states, fused: %s', (fused) => {
    for (const x of [dense, everywhere(160_001)]) {
      const y = evaluate(fn, x, fused);
      let worst = 0;
      x.forEach((a, n) => {
        const want = exact(a), got = y[n]!;
        if (Number.isNaN(want)) expect(got, `${fn}(${a})`).toBeNaN();
        else if (!Number.isFinite(Math.fround(want)) || want === 0) expect(got, `${fn}(${a})`).toBe(Math.fround(want));
        else if (Math.abs(want) < smallest) expect(got, `${fn}(${a})`).toBe(0);
        else worst = Math.max(worst, Math.abs(got - want) / ulp(want));
      });
      expect(worst).toBeLessThan(bound);
      expect(worst, 'a sweep that measures something').toBeGreaterThan(0.4);
    }
  });
  it('treats infinities, every kind of NaN and zeros like the function itself', () => {
    for (const fused of [true, false]) expect([...evaluate(fn, SPECIAL, fused)]).toEqual([...SPECIAL].map((x) => Math.fround(exact(x))));
  });
  it('is the same in every lane', () => {
    const x = dense.slice(0, 800).map((a) => a * 1.01), few = Float32Array.from([...SPECIAL, ...x]);
    expect(new Uint8Array(evaluate(fn, few, true, 8).buffer)).toEqual(new Uint8Array(evaluate(fn, few, true).buffer));
  });
});

describe('mathlib', () => {
  it('computes a function once where it is asked for twice, and leaves other dtypes and functions to the C library', () => {
    const text = (dtype: DType, fn: UnaryFn): string => {
      const X = buffer('x', [N], { dtype }), Y = buffer('y', [N], { dtype }), f = unary(fn, load(X, [constant(0)]));
      return printKernel(lower(kernel([X, Y], [store(Y, [constant(1)], f), store(Y, [constant(2)], f)]), machine(16)));
    };
    expect(text('f32', 'exp').match(/<< 23/g)).toHaveLength(1);
    expect(text('f64', 'exp')).toContain('exp(x[0])');
    expect(text('f32', 'sin')).toContain('sin(x[0])');
  });
  it('gives exact powers of two', () => {
    const n = Float32Array.from({ length: 254 }, (_, k) => k - 126);
    expect([...evaluate('exp2', n, false)]).toEqual([...n].map((k) => 2 ** k));
  });
});
