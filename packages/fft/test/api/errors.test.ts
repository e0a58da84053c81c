import { ArgumentError, DisposedError, DTypeError, ShapeError } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { fft, ifft, planFft } from '../../src/index.ts';
import type { FftSpec } from '../../src/index.ts';

describe('a plan refuses', () => {
  const bad = (s: unknown, kind: new (...a: never[]) => Error, text: RegExp): void => {
    const make = (): unknown => planFft(s as FftSpec);
    expect(make).toThrow(kind);
    expect(make).toThrow(text);
  };
  it('sizes and settings that make no sense, and says which', () => {
    for (const n of [0, 3, -4, 1.5, NaN, 2 ** 29, '8', undefined]) bad({ n, dtype: 'f32' }, ArgumentError, /n must be a power of two/);
    bad({ n: 8, dtype: 'f16' }, DTypeError, /dtype must be 'f32' or 'f64', got 'f16'/);
    bad({ n: 8, dtype: 'f32', sign: 0 }, ArgumentError, /sign/);
    bad({ n: 8, dtype: 'f32', batch: -1 }, ArgumentError, /batch/);
    bad({ n: 8, dtype: 'f32', batch: 2 ** 50 }, ArgumentError, /batch/);
    bad({ n: 8, dtype: 'f32', norm: 'forward' }, ArgumentError, /norm/);
    bad(null, ArgumentError, /planFft takes/);
    expect(() => planFft({ n: 8, dtype: 'f32' }, { threads: 0 })).toThrow(/threads/);
    expect(() => planFft({ n: 8, dtype: 'f32' }, { backend: 'gpu' as never })).toThrow(/backend/);
  });

  const plan = planFft({ n: 8, dtype: 'f32', batch: 2 }), out = new Float32Array(32).fill(5), x = new Float32Array(32);
  const run = (o: unknown, i: unknown): (() => unknown) => () => plan.run(o as Float32Array, i as Float32Array);
  it('arrays of another kind or length', () => {
    expect(run(out, new Float64Array(32))).toThrow(DTypeError);
    expect(run(out, [1, 2])).toThrow(/input of an f32 transform must be a Float32Array, got an array/);
    expect(run(undefined, x)).toThrow(/output/);
    expect(run(out, new Float32Array(16))).toThrow(ShapeError);
    expect(run(new Float32Array(34), x)).toThrow(/output must hold 2 x 8 complex numbers = 32 elements, got 34/);
    expect(out.every((v) => v === 5)).toBe(true);
  });
  it('arrays that overlap in part', () => {
    const both = new Float32Array(40);
    expect(run(both.subarray(0, 32), both.subarray(8, 40))).toThrow(ArgumentError);
    expect(run(both.subarray(0, 32), both.subarray(8, 40))).toThrow(/overlap/);
  });
  it('arrays that have been transferred, before and after a run with them', () => {
    const gone = new Float32Array(32);
    plan.run(out, gone);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(run(out, gone)).toThrow(/detached/);
    expect(run(gone, x)).toThrow(/detached/);
    out.fill(5);
    expect(plan.run(out, x)).toEqual(new Float32Array(32));
  });
  it('to run after it was disposed', () => {
    const p = planFft({ n: 64, dtype: 'f64' });
    p.run(new Float64Array(128), new Float64Array(128));
    p.dispose();
    p.dispose();
    expect(() => p.run(new Float64Array(128), new Float64Array(128))).toThrow(DisposedError);
  });
});

describe('a call', () => {
  it('transforms as its example says', () => {
    expect(fft(new Float64Array([1, 0, 0, 0]))).toEqual(new Float64Array([1, 0, 1, 0]));
    expect(ifft(new Float64Array([1, 0, 1, 0]))).toEqual(new Float64Array([1, 0, 0, 0]));
    expect(fft(new Float32Array([1, 2]))).toEqual(new Float32Array([1, 2]));
  });
  it('refuses what is no power of two of complex numbers', () => {
    for (const length of [0, 1, 3, 6, 24]) expect(() => fft(new Float32Array(length))).toThrow(ShapeError);
    expect(() => ifft([1, 0] as never)).toThrow(DTypeError);
  });
  it('works for more sizes than it keeps plans', () => {
    for (let round = 0; round < 2; round++) for (let b = 0; b < 12; b++) expect(fft(new Float64Array(2 ** (b + 1)).fill(0).map((_, i) => (i === 0 ? 1 : 0)))[0]).toBe(1);
  });
  it('describes itself', () => {
    const p = planFft({ n: 1024, dtype: 'f32', batch: 3, sign: 1 });
    expect(p.describe()).toMatch(/^3 x 1024 complex f32, backward, norm inverse: radices 8 x 8 x 16, native x86-64\S* ?.*, \d+ bytes of scratch and twiddles$/);
    expect(planFft({ n: 16, dtype: 'f64' }).describe()).toContain('one codelet of 16');
    expect(planFft({ n: 0 + 1, dtype: 'f64' }).describe()).toContain('a copy');
    expect(planFft({ n: 4, dtype: 'f64', batch: 0 }).run(new Float64Array(0), new Float64Array(0))).toHaveLength(0);
  });
});
