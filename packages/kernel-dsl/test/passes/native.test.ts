import { describe, expect, it } from 'vitest';
import { quickly, spread } from '../../../../tools/test/spread.ts';
import { add, constant, load, mul, newVar, reduce, unary } from '../../src/ir/index.ts';
import type { KernelIR, UnaryFn } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import { COMPILERS, RUNNABLE, sameAsInterpreter } from '../emit/harness.ts';
import { accum, alloc, buffer, kernel, letStmt, loop, lowered, N, store, v } from './helpers.ts';

/** y[n, :] = fn(x[n, :]) in vectors of 16 lanes. */
function formula(fn: UnaryFn): KernelIR {
  const i = v('n'), j = v('j'), x = buffer('x', [N, constant(16)], { access: 'in' }), y = buffer('y', [N, constant(16)], { access: 'out' });
  return { ...kernel([x, y], [loop(i, N, 'seq', [loop(j, constant(16), 'vector', [store(y, [i, j], unary(fn, load(x, [i, j])))])])]), name: `f32_${fn}` };
}

/** Row sums of e^x in wide registers, with strides, gathers and a reduction across registers. */
function rows(): KernelIR {
  const x = buffer('x', [N, constant(64)], { access: 'in' }), s = buffer('s', [N]), r = buffer('r', [constant(32)], { space: 'reg' }), t = newVar('t', 'f32');
  const n = v('n'), a = v('a'), b = v('b'), c = constant;
  return kernel([x, s], [loop(n, N, 'seq', [
    alloc(r),
    loop(a, c(32), 'vector', [letStmt(t, load(x, [n, mul(a, c(2))])), store(r, [a], mul(t, t))]),
    loop(b, c(32), 'vector', [accum(r, [b], mul(unary('exp', load(x, [n, add(b, c(32))])), load(x, [n, b])))]),
    accum(s, [n], reduce('add', load(r, [c(0)], { lanes: 32 }))),
  ])]);
}

describe('lowered kernels in C', () => {
  it.each(RUNNABLE.map((t, i) => [t.isa, t, spread(COMPILERS, 1, i + 1)] as const))('give the bits of the interpreter on %s', (_, target, compilers) => {
    const bits = Uint32Array.from({ length: 16 * 600 }, (_x, i) => Math.floor((i * 2 ** 32) / 9600) + (i % 7)), wide = new Float32Array(bits.buffer);
    wide.set([Infinity, -Infinity, NaN, 0, -0, 88.72283, 88.72284, -87.33654, -87.33655], 0);
    const near = Float32Array.from({ length: 16 * 600 }, (_x, i) => (i - 4800) / 53);
    const filled = (data: Float32Array): object => ({ x: { data, shape: [600, 16] }, y: { data: new Float32Array(9600), shape: [600, 16] } });
    const cases = (['exp', 'exp2', 'log', 'tanh', 'erf'] as const).map((fn) => ({ k: lowered(lower(formula(fn), target)), runs: [filled(wide), filled(near)] as never }));
    const some = { x: { data: near.slice(0, 640).map((a) => a / 40), shape: [10, 64] }, s: { data: new Float32Array(10), shape: [10] } };
    const text = sameAsInterpreter([...cases, { k: lowered(lower(rows(), target)), runs: [some] }], target, { compilers, cflags: quickly(target).cflags });
    expect(text).not.toMatch(/\b(expf|exp2f|logf|tanhf|erff)\b/);
  });
});
