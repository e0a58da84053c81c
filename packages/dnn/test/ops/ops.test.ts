import { ArgumentError, DTypeError, ShapeError, f32ToF16, tensor, values, zeros } from '@quern/runtime';
import type { Tensor } from '@quern/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, addTo, attention, embedding, kvAppend, matmul, matvec, quantizeQ8, rmsNorm, rope, silu, siluMul, softmax } from '../../src/index.ts';
import * as math from '../../src/index.ts';
import type { QuantizedWeights, Weights } from '../../src/index.ts';
import { blocks, random, unblock } from '../kernels/random.ts';
import { U, gamma } from '../kernels/rounding.ts';

const f32 = (list: readonly number[], ...shape: number[]): Tensor<'f32'> => tensor(Float32Array.from(list), shape.length > 0 ? shape : [list.length]);
const near = (got: ArrayLike<number>, want: readonly number[], relative: number): void => {
  expect(got.length).toBe(want.length);
  want.forEach((w, i) => expect(Math.abs(got[i]! - w), `element ${i} is ${got[i]}, not ${w}`).toBeLessThanOrEqual(relative * Math.abs(w)));
};

describe('the examples of the documentation', () => {
  it('rmsNorm', () => near(rmsNorm(f32([3, 4]), f32([1, 1]), { eps: 0 }).read(), [3 / Math.sqrt(12.5), 4 / Math.sqrt(12.5)], gamma(7)));
  it('softmax', () => expect([...softmax(zeros([4])).read()]).toEqual([0.25, 0.25, 0.25, 0.25]));
  it('silu', () => near(silu(f32([0, 1])).read(), [0, 1 / (1 + Math.exp(-1))], 7 * U));
  it('siluMul', () => near(siluMul(f32([1]), f32([2])).read(), [2 / (1 + Math.exp(-1))], 8 * U));
  it('functions of elements, of f32 and of f64', () => {
    const ones = { exp: Math.E, exp2: 2, log: 0, log2: 0, sin: Math.sin(1), cos: Math.cos(1), tanh: Math.tanh(1), erf: 0.8427007929497149, sqrt: 1, rsqrt: 1, sigmoid: 1 / (1 + Math.exp(-1)), gelu: 0.8413447460685429 };
    for (const [name, want] of Object.entries(ones)) {
      const f = math[name as keyof typeof ones];
      near(f(f32([1])).read(), [want], 4 * U);
      near(f(tensor(Float64Array.of(1))).read(), [want], 2 ** -51);
    }
    expect([...math.pow(f32([2, 9]), f32([3, 0.5])).read()]).toEqual([8, 3]);
    near(math.sin(tensor(Float64Array.of(1e22))).read(), [-0.8522008497671888], 2 ** -51);
  });
  it('functions of elements write into out, take views, and refuse other dtypes and shapes', () => {
    const x = tensor(Float64Array.of(0, 1, 2, 3), [2, 2]), y = zeros([2, 2], 'f64');
    expect(math.exp2(x.transpose(), { out: y })).toBe(y);
    expect([...y.read()]).toEqual([1, 4, 2, 8]);
    expect(() => math.exp(tensor(Int32Array.of(1)) as never)).toThrow(DTypeError);
    expect(() => math.exp([1] as never)).toThrow(ArgumentError);
    expect(() => math.pow(x, zeros([2], 'f64'))).toThrow(ShapeError);
    expect(() => math.pow(x, zeros([2, 2]) as never)).toThrow(DTypeError);
    expect(() => math.log(x, { out: zeros([2, 2]) as never })).toThrow(DTypeError);
  });
  it('add', () => expect([...add(f32([1]), f32([2])).read()]).toEqual([3]));
  it('addTo', () => expect([...addTo(f32([1]), f32([2])).read()]).toEqual([3]));
  it('rope', () => expect([...rope(f32([1, 0], 1, 1, 2), f32([0], 1, 1), f32([1], 1, 1)).read()]).toEqual([0, 1]));
  it('quantizeQ8', () => {
    const { q, d } = quantizeQ8(values(Array.from({ length: 32 }, (_, i) => i / 31), [1, 32]));
    expect(d.read()[0]).toBe(Math.fround(1 / 127));
    expect(q.read()[31]).toBe(127);
  });
  it('matvec', () => expect([...matvec(f32([1, 2, 3, 4], 2, 2), f32([1, 1])).read()]).toEqual([3, 7]));
  it('matmul', () => expect([...matmul(f32([1, 2, 3, 4], 2, 2), f32([1, 0, 0, 1], 2, 2)).read()]).toEqual([1, 3, 2, 4]));
  it('embedding', () => expect([...embedding(f32([1, 2, 3, 4], 2, 2), tensor(Int32Array.of(1))).read()]).toEqual([3, 4]));
  it('attention', () => expect([...attention(zeros([1, 1, 2]), zeros([1, 1, 2]), f32([3, 4], 1, 1, 2)).read()]).toEqual([3, 4]));
  it('kvAppend', () => {
    const K = zeros([2, 1, 2]), V = zeros([2, 1, 2], 'f32');
    kvAppend(f32([1, 2], 1, 1, 2), f32([3, 4], 1, 1, 2), K, V, 1);
    expect([...K.read(), ...V.read()]).toEqual([0, 0, 1, 2, 0, 0, 3, 4]);
  });
});

describe('layouts', () => {
  it('takes views with any strides and writes into out', () => {
    const x = f32([1, 2, 3, 4, 5, 6], 2, 3).transpose(), y = zeros([3, 2]);
    expect(add(x, x, { out: y })).toBe(y);
    expect([...y.read()]).toEqual([2, 8, 4, 10, 6, 12]);
    expect([...softmax(f32([0, 9, 0, 9], 2, 2).transpose()).read()]).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect([...rmsNorm(zeros([2, 3, 4]), zeros([4])).shape]).toEqual([2, 3, 4]);
  });

  it('rotates the first part of a head, in either layout', () => {
    const quarter = { cos: f32([0], 1, 1), sin: f32([1], 1, 1) };
    expect([...rope(f32([1, 2, 3, 4], 1, 1, 4), quarter.cos, quarter.sin).read()]).toEqual([-2, 1, 3, 4]);
    expect([...rope(f32([1, 2, 3, 4], 1, 1, 4), f32([0, 0], 1, 2), f32([1, 1], 1, 2), { layout: 'neox' }).read()]).toEqual([-3, -4, 1, 2]);
  });

  it('reads f16 tables and caches', () => {
    const half = (list: number[], ...shape: number[]): Tensor<'f16'> => tensor(Uint16Array.from(list, f32ToF16), shape, { dtype: 'f16' });
    expect([...embedding(half([1, 2, 3, 4], 2, 2), tensor(Int32Array.of(1, 0))).read()]).toEqual([3, 4, 1, 2]);
    expect([...attention(zeros([1, 2, 2]), half([0, 0], 1, 1, 2), half([3, 4], 1, 1, 2)).read()]).toEqual([3, 4, 3, 4]);
  });
});

describe('quantised products', () => {
  const setup = (format: 'q4_0' | 'q8_0', R: number, NB: number, T: number, seed: number): { W: QuantizedWeights; x: Tensor<'f32'>; exact: number[]; bound: number[] } => {
    const r = random(seed), bytes = format === 'q4_0' ? 18 : 34, raw = blocks(r, R * NB, bytes), x = f32([...r.f32(T * NB * 32)], T, NB * 32), data = x.read();
    const exact: number[] = [], bound: number[] = [];
    for (let t = 0; t < T; t++) for (let k = 0; k < R; k++) {
      let y = 0, b = 0;
      for (let n = 0; n < NB; n++) {
        const { scale, weights } = unblock(raw, k * NB + n, bytes), block = data.slice((t * NB + n) * 32, (t * NB + n + 1) * 32), d = Math.max(...block.map(Math.abs)) / 127;
        weights.forEach((w, i) => {
          y += scale * w * block[i]!;
          b += Math.abs(scale * w) * (d * (0.5 + 128 * U) + gamma(NB + 8) * (Math.abs(block[i]!) + d));
        });
      }
      exact.push(y);
      bound.push(b);
    }
    return { W: { format, blocks: tensor(raw, [R, NB, bytes]) }, x, exact, bound };
  };
  const within = (got: Float32Array, exact: number[], bound: number[]): void => exact.forEach((y, i) => expect(Math.abs(got[i]! - y), `element ${i}`).toBeLessThanOrEqual(bound[i]!));

  it.each(['q4_0', 'q8_0'] as const)('%s: matmul errs by the rounding of x and little more, for one token and for many', (format) => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 20 }), fc.integer(), (R, NB, T, seed) => {
      const { W, x, exact, bound } = setup(format, R, NB, T, seed), y = matmul(W, x);
      within(y.read(), exact, bound);
      within(matvec(W, x.slice(0)).read(), exact.slice(0, R), bound);
      const twice = matmul(W, x, { out: y, accumulate: true }).read();
      within(twice, exact.map((v) => 2 * v), bound.map((b, i) => 2 * b + 4 * U * Math.abs(exact[i]!)));
    }), { numRuns: 20 });
  });
  it('embedding gives the weights themselves', () => {
    const { W } = setup('q4_0', 3, 2, 1, 5), raw = W.blocks.read();
    const want = [0, 1].flatMap((b) => { const { scale, weights } = unblock(raw, 2 * 2 + b, 18); return weights.map((w) => Math.fround(scale * w)); });
    expect([...embedding(W, tensor(Int32Array.of(2))).read()]).toEqual(want);
  });
});

describe('bad arguments', () => {
  const x = f32([1, 2, 3, 4], 2, 2), w = f32([1, 1]), kv = zeros([4, 2, 8]), q4 = (s: number[]): Weights => ({ format: 'q4_0', blocks: zeros(s, 'u8') });
  const any = (v: unknown): never => v as never;
  const cases: readonly [string, () => unknown, new (...a: never[]) => Error, RegExp][] = [
    ['no tensor', () => rmsNorm(any([1]), w), ArgumentError, /rmsNorm: x must be a Tensor/],
    ['dtype', () => softmax(any(zeros([2], 'f64'))), DTypeError, /softmax: x must be f32, got f64/],
    ['shape of w', () => rmsNorm(x, f32([1])), ShapeError, /rmsNorm: w must have the shape \[2\], got \[1\]/],
    ['eps', () => rmsNorm(x, w, { eps: NaN }), ArgumentError, /rmsNorm: eps must be a finite number/],
    ['empty rows', () => softmax(zeros([3, 0])), ShapeError, /at least one element/],
    ['shapes differ', () => add(x, w), ShapeError, /add: b must have the shape \[2, 2\]/],
    ['out', () => add(x, x, { out: w }), ShapeError, /add: out must have the shape/],
    ['overlap', () => silu(x, { out: x }), ArgumentError, /overlaps/],
    ['too many pairs', () => rope(zeros([1, 1, 2]), zeros([1, 2]), zeros([1, 2])), ShapeError, /2 pairs do not fit/],
    ['columns', () => quantizeQ8(zeros([1, 33])), ShapeError, /no multiple of 32/],
    ['length of x', () => matvec(x, f32([1, 2, 3])), ShapeError, /matvec: x must have the shape \[2\]/],
    ['format', () => matvec(any({ format: 'q5_1' }), w), ArgumentError, /got format 'q5_1'/],
    ['block bytes', () => matmul(q4([2, 1, 17]), zeros([1, 32])), ShapeError, /\[rows, columns \/ 32, 18\]/],
    ['strided weights', () => matvec(x.transpose(), w), ShapeError, /must be neighbours/],
    ['accumulate without out', () => matmul(x, x, { accumulate: true }), ArgumentError, /accumulate needs out/],
    ['id', () => embedding(x, tensor(Int32Array.of(0, 2))), ArgumentError, /ids\[1\] is 2, but the table has 2 rows/],
    ['negative id', () => embedding(x, tensor(Int32Array.of(-1))), ArgumentError, /ids\[0\] is -1/],
    ['caches differ', () => attention(zeros([1, 2, 8]), kv, any(zeros([4, 2, 8], 'f16'))), DTypeError, /K is f32 but V is f16/],
    ['heads', () => attention(zeros([1, 3, 8]), kv, kv), ShapeError, /3 heads cannot share 2 groups/],
    ['no groups', () => attention(zeros([1, 3, 8]), zeros([4, 0, 8]), zeros([4, 0, 8])), ShapeError, /3 heads cannot share 0 groups/],
    ['context', () => attention(zeros([2, 2, 8]), kv, kv, { pos: 3 }), ShapeError, /positions 3 to 4 do not fit a cache of 4/],
    ['position', () => kvAppend(zeros([1, 2, 8]), zeros([1, 2, 8]), kv, zeros([4, 2, 8]), -1), ArgumentError, /pos must be an integer/],
    ['same cache twice', () => kvAppend(zeros([1, 2, 8]), zeros([1, 2, 8]), kv, kv, 0), ArgumentError, /overlaps/],
  ];
  it.each(cases)('%s', (_, f, kind, text) => {
    expect(f).toThrow(text);
    expect(f).toThrow(kind as unknown as new () => Error);
  });

  it('leaves the output as it was', () => {
    const out = f32([7, 7]);
    expect(() => embedding(f32([1, 2], 1, 2), tensor(Int32Array.of(1)), { out: out.reshape(1, 2) })).toThrow(ArgumentError);
    expect([...out.read()]).toEqual([7, 7]);
  });
});
