/** Tensors: every view against plain arrays, every dtype, memory and its end. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allocate, bf16ToF32, clone, DisposedError, type DType, DTypeError, DTYPES, f16ToF32, f32ToBf16, f32ToF16, fromMemory, ShapeError, tensor, Tensor,
  values, zeros,
} from '../src/index.ts';
import { thrown } from './support/thrown.ts';
import { atMost, same } from '../../../tools/test/often.ts';

const shape = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
const count = (s: readonly number[]): number => s.reduce((a, b) => a * b, 1);
const iota = (s: readonly number[]): Tensor<'f32'> => values(Array.from({ length: count(s) }, (_, i) => i + 1), s);

/** The tensor as a function of its index: the model that views are compared with. */
type Model = { shape: number[]; at: (index: number[]) => number };

function elements(m: Model): number[] {
  const out: number[] = [];
  const visit = (index: number[]): void => {
    if (index.length === m.shape.length) out.push(m.at(index));
    else for (let i = 0; i < (m.shape[index.length] ?? 0); i++) visit([...index, i]);
  };
  visit([]);
  return out;
}

function model(s: readonly number[]): Model {
  return { shape: [...s], at: (index) => index.reduce((n, i, d) => n * (s[d] ?? 0) + i, 0) + 1 };
}

type Op = { kind: 'transpose'; key: number[] } | { kind: 'slice'; ranges: ([number, number, number] | number | null)[] };
const range = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 4 }), fc.tuple(fc.integer({ min: -7, max: 7 }), fc.integer({ min: -7, max: 7 }), fc.constantFrom(-3, -2, -1, 1, 2, 3)));
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ kind: fc.constant('transpose' as const), key: fc.array(fc.integer(), { minLength: 4, maxLength: 4 }) }),
  fc.record({ kind: fc.constant('slice' as const), ranges: fc.array(range, { maxLength: 4 }) }),
);

function apply(t: Tensor<'f32'>, m: Model, o: Op): [Tensor<'f32'>, Model] {
  const rank = m.shape.length;
  if (o.kind === 'transpose') {
    const order = m.shape.map((_, d) => d).sort((a, b) => (o.key[a] ?? 0) - (o.key[b] ?? 0) || a - b);
    const back = order.map((_, d) => order.indexOf(d));
    return [rank === 0 ? t : t.transpose(...order), { shape: order.map((d) => m.shape[d] ?? 0), at: (index) => m.at(back.map((d) => index[d] ?? 0)) }];
  }
  const ranges = o.ranges.slice(0, rank).map((r, d) => (typeof r === 'number' && r >= (m.shape[d] ?? 0) ? null : r));
  // Which indices of the old dimension each new one is: by Array.prototype.slice where it can say it, else by counting.
  const kept = m.shape.map((n, d): number[] | number => {
    const r = ranges[d] ?? null;
    const all = Array.from({ length: n }, (_, i) => i);
    if (r === null) return all;
    if (typeof r === 'number') return r;
    const [start, end, step] = r;
    if (step > 0) return all.slice(start, end).filter((_, i) => i % step === 0);
    const from = start < 0 ? start + n : Math.min(start, n - 1);
    const to = end < 0 ? Math.max(end + n, -1) : end;
    const list: number[] = [];
    for (let i = from; i > to && i >= 0; i += step) list.push(i);
    return list;
  });
  const dims = kept.filter((k) => typeof k !== 'number');
  return [t.slice(...ranges), {
    shape: dims.map((k) => k.length),
    at: (index) => {
      let next = 0;
      return m.at(kept.map((k) => (typeof k === 'number' ? k : k[index[next++] ?? 0] ?? NaN)));
    },
  }];
}

describe('views', () => {
  test('any chain of slices and transpositions reads what plain arrays say', () => {
    fc.assert(fc.property(shape, fc.array(op, { maxLength: 4 }), (s, ops) => {
      let t = iota(s), m = model(s);
      for (const o of ops) [t, m] = apply(t, m, o);
      expect(t.shape).toEqual(m.shape);
      expect([...t.read()]).toEqual(elements(m));
      const copy = clone(t);
      expect(copy.contiguous).toBe(true);
      expect([...copy.array]).toEqual(elements(m));
    }), { numRuns: 500 });
  });

  test('writing through a view changes those elements of the tensor and no others', () => {
    fc.assert(fc.property(shape, fc.array(op, { maxLength: 3 }), (s, ops) => {
      const whole = iota(s);
      let t = whole, m = model(s);
      for (const o of ops) [t, m] = apply(t, m, o);
      t.write(elements(m).map((x) => -x));
      const written = new Set(elements(m));
      expect([...whole.read()]).toEqual(elements(model(s)).map((x) => (written.has(x) ? -x : x)));
    }));
  });

  test('reshape keeps the order, broadcast repeats it', () => {
    const t = iota([2, 3]);
    expect([...t.reshape(3, 2).read()]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(t.reshape(-1).shape).toEqual([6]);
    expect(t.reshape(1, -1, 2).shape).toEqual([1, 3, 2]);
    expect(zeros([0, 3]).reshape(3, 0).size).toBe(0);
    expect([...values([1, 2]).broadcast(2, 2).read()]).toEqual([1, 2, 1, 2]);
    expect([...values([1, 2], [2, 1]).broadcast(2, 3).read()]).toEqual([1, 1, 1, 2, 2, 2]);
    expect([...values([5], []).broadcast(2).read()]).toEqual([5, 5]);
  });

  test.each<[string, () => unknown]>([
    ['reshape to another size', () => iota([2, 3]).reshape(4)],
    ['reshape with -1 that does not divide', () => iota([2, 3]).reshape(4, -1)],
    ['reshape with two -1', () => iota([2, 3]).reshape(-1, -1)],
    ['reshape of 0 elements to -1 and 0', () => zeros([0]).reshape(0, -1)],
    ['reshape of a transposed tensor', () => iota([2, 3]).transpose().reshape(6)],
    ['an index outside', () => iota([2, 3]).slice(2)],
    ['an index below', () => iota([2, 3]).slice(-3)],
    ['a fractional index', () => iota([2, 3]).slice(0.5)],
    ['a step of 0', () => iota([2, 3]).slice([0, 1, 0])],
    ['a NaN in a range', () => iota([2, 3]).slice([NaN, 1])],
    ['too many ranges', () => iota([2]).slice(null, null)],
    ['a transposition that repeats', () => iota([2, 3]).transpose(0, 0)],
    ['a broadcast of 2 to 3', () => iota([2]).broadcast(3)],
    ['a broadcast to a lower rank', () => iota([1, 2]).broadcast(2)],
    ['array of a transposed tensor', () => iota([2, 3]).transpose().array],
    ['write of another length', () => iota([2]).write([1])],
    ['a negative dimension', () => zeros([-1])],
    ['a fractional dimension', () => zeros([1.5])],
    ['more elements than there are numbers', () => zeros([2 ** 40, 2 ** 40])],
    ['a shape that the array does not have', () => tensor(new Float32Array(5), [2, 3])],
    ['strides that leave the array', () => tensor(new Float32Array(5), [3], { strides: [3] })],
    ['an offset that leaves the array', () => tensor(new Float32Array(5), [3], { offset: 3 })],
    ['negative strides from the start', () => tensor(new Float32Array(5), [3], { strides: [-1] })],
    ['too few strides', () => tensor(new Float32Array(4), [2, 2], { strides: [1] })],
    ['memory that is too small', () => fromMemory(allocate(10), 'f32', [3])],
  ])('%s is a ShapeError', (_, f) => {
    expect(thrown(f)).toBeInstanceOf(ShapeError);
  });
});

describe('dtypes', () => {
  test.each(DTYPES)('%s keeps what it can hold', (dtype) => {
    const t = zeros([2, 2], dtype);
    expect(t.bytes).toBe(4 * new Map<DType, number>([['f64', 8], ['i64', 8], ['f32', 4], ['i32', 4], ['u32', 4], ['f16', 2], ['bf16', 2], ['i16', 2], ['u16', 2], ['i8', 1], ['u8', 1], ['bool', 1]]).get(dtype)!);
    t.write([0, 1, 1, 0]).set(1, 1, 1);
    expect([...t.read()].map(Number)).toEqual([0, 1, 1, 1]);
    expect(Number(t.get(0, 1))).toBe(1);
    expect([...t.transpose().read()].map(Number)).toEqual([0, 1, 1, 1]);
  });

  test('values are rounded as typed arrays do; bool is 0 or 1', () => {
    expect(values([0.1], [1]).get(0)).toBe(Math.fround(0.1));
    expect(values([300, -1], [2], 'u8').read()).toEqual(Uint8Array.of(44, 255));
    expect(values([2n ** 62n], [1], 'i64').get(0)).toBe(2n ** 62n);
    expect(values([0.5, 0, NaN, 7], [4], 'bool').read()).toEqual(Uint8Array.of(1, 0, 1, 1));
  });

  test('a typed array is used in place', () => {
    const data = new Uint16Array([0x3c00, 0xc000]);
    expect([...tensor(data, [2], { dtype: 'f16' }).read()]).toEqual([1, -2]);
    expect(tensor(data).dtype).toBe('u16');
    const t = tensor(data.subarray(1));
    t.set(7, 0);
    expect(data[1]).toBe(7);
    expect(t.array.buffer).toBe(data.buffer);
  });

  test('an array that cannot hold the dtype is a DTypeError', () => {
    expect(thrown(() => tensor(new Float32Array(2), [2], { dtype: 'f64' }))).toBeInstanceOf(DTypeError);
    expect(thrown(() => tensor(new BigUint64Array(2)))).toBeInstanceOf(DTypeError);
    expect(thrown(() => zeros([2], 'q4' as never))).toBeInstanceOf(DTypeError);
  });
});

describe('halves', () => {
  test('every binary16 survives, and lies between its neighbours', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const x = f16ToF32(bits);
      if (Number.isNaN(x)) atMost(0x7c01, f32ToF16(x) & 0x7fff);
      else same(f32ToF16(x), bits);
    }
  });

  test('rounding is to the nearest, ties to even', () => {
    fc.assert(fc.property(fc.oneof(fc.float({ noNaN: true }), fc.float({ min: -70000, max: 70000, noNaN: true }), fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true })), (x) => {
      const bits = f32ToF16(x);
      const y = f16ToF32(bits);
      if (Math.abs(x) >= 65520) return y === Math.sign(x) * Infinity;
      const below = bits & 0x7fff ? f16ToF32(bits - 1) : -(2 ** -24) * (Object.is(y, -0) ? -1 : 1);
      const above = f16ToF32(bits + 1);
      const error = Math.abs(y - x);
      for (const other of [below, Math.abs(above) === Infinity ? Math.sign(x) * 65536 : above]) {
        const d = Math.abs(other - x);
        if (d < error || (d === error && (bits & 1) === 1)) return false;
      }
      return Object.is(Math.sign(x), Math.sign(y)) || y === 0;
    }), { numRuns: 3000 });
  });

  test('bfloat16 rounds to nearest even and keeps NaN and infinity', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const x = bf16ToF32(bits);
      if (Number.isNaN(x)) same(bf16ToF32(f32ToBf16(x)), NaN);
      else same(f32ToBf16(x), bits);
    }
    expect(f32ToBf16(1 + 2 ** -8)).toBe(0x3f80);
    expect(f32ToBf16(1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(f32ToBf16(1 + 2 ** -8 + 2 ** -20)).toBe(0x3f81);
    expect(f32ToBf16(3.4e38)).toBe(0x7f80);
  });
});

describe('the end of a tensor', () => {
  test('memory goes with the last view, and then every use is an error', () => {
    const t = zeros([4]);
    const view = t.slice([1, 3]);
    const array = t.array;
    t.dispose();
    t.dispose();
    expect(thrown(() => t.read())).toBeInstanceOf(DisposedError);
    expect([...view.read()]).toEqual([0, 0]);
    expect(array.length).toBe(4);
    view.dispose();
    expect(array.length).toBe(0);
    for (const use of [() => view.read(), () => view.array, () => view.slice(0), () => view.write([1, 2]), () => view.transpose()]) {
      expect(thrown(use)).toBeInstanceOf(DisposedError);
    }
  });

  test('a tensor over somebody else\'s memory leaves it alone', () => {
    using memory = allocate(16);
    fromMemory(memory, 'f32', [4]).dispose();
    expect(memory.disposed).toBe(false);
    const t = fromMemory(memory, 'f32', [4]);
    memory.dispose();
    expect(thrown(() => t.read())).toBeInstanceOf(DisposedError);
  });

  test('a detached array is noticed', () => {
    const data = new Float32Array(4);
    const t = tensor(data);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expect(thrown(() => t.read()).code).toBe('QUERN_DETACHED');
  });
});
