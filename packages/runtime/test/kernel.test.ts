/** Kernels called with tensors: results, and every kind of wrong argument refused before native code runs. */
import { describe, expect, test } from 'vitest';
import {
  allocate, ArgumentError, AssumptionError, bindKernel, DisposedError, DTypeError, fromMemory, mapFile, poolInfo, type QuernError,
  ShapeError, tensor, type KernelArgs, type KernelMeta, values, zeros,
} from '../src/index.ts';
import { axpyMeta, sample, sampleSource, temporaryDir } from './support/sample.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { library, axpy, sum, scalars } = sample();

function thrown(f: () => unknown): QuernError {
  try {
    f();
  } catch (error) {
    return error as QuernError;
  }
  throw new Error('nothing was thrown');
}

describe('results', () => {
  test('typed arrays and tensors alike, at any stride', () => {
    const y = Float32Array.of(1, 1, 1);
    axpy.run({ x: Float32Array.of(1, 2, 3), y, a: 2 });
    expect([...y]).toEqual([3, 5, 7]);

    const m = values([1, 2, 3, 4, 5, 6], [3, 2]);
    axpy.run({ x: m.slice(null, 0), y: m.slice(null, 1), a: 10 });
    expect([...m.read()]).toEqual([1, 12, 3, 34, 5, 56]);

    const z = zeros([3]);
    axpy.run({ x: m.slice([null, null, -1], 0), y: z, a: 1 });
    expect([...z.read()]).toEqual([5, 3, 1]);
    axpy.run({ x: values([7], [1]).broadcast(3), y: z, a: 1 });
    expect([...z.read()]).toEqual([12, 10, 8]);
  });

  test.each([1, 2, 3, 8])('on %i threads every worker has its scratch and no iteration is lost', (threads) => {
    const x = zeros([100_000], 'f64').fill(1);
    const out = zeros([1], 'f64');
    const before = poolInfo();
    for (let i = 0; i < 20; i++) {
      sum.run({ x, out }, { threads });
      expect(out.get(0)).toBe(100_000);
    }
    expect(poolInfo().loops - before.loops).toBe(threads === 1 ? 0 : 20);
    expect(poolInfo().workers).toBeGreaterThanOrEqual(threads - 1);
  });

  test('nothing to do is fine', () => {
    axpy.run({ x: new Float32Array(0), y: zeros([0]), a: 1 });
    axpy.run({ x: zeros([0, 5]).slice(null, 2), y: new Float32Array(0), a: 1 });
  });

  test('scalars of every kind arrive as they are', () => {
    const out = zeros([5], 'f64');
    scalars.run({ out, f64: Math.PI, f32: 0.1, i64: 2n ** 52n + 1n, i32: -5, u32: 4294967295 });
    expect([...out.read()]).toEqual([Math.PI, Math.fround(0.1), 2 ** 52 + 1, -5, 4294967295]);
    scalars.run({ out, f64: NaN, f32: -Infinity, i64: -(2 ** 40), i32: 0, u32: 0 });
    expect([...out.read()]).toEqual([NaN, -Infinity, -(2 ** 40), 0, 0]);
  });

  test('the best instruction set is chosen, another one on request', () => {
    expect(axpy.isa).toBe(process.arch === 'x64' ? 'x86-64-v3' : 'generic');
    expect(library.kernel('axpy', 'generic').entry.isa).toBe('generic');
    expect(thrown(() => library.kernel('future')).message).toMatch(/not for an instruction set of this CPU/);
    expect(thrown(() => library.kernel('nothing')).message).toMatch(/no kernel 'nothing'/);
  });
});

describe('arguments that are refused', () => {
  const x = Float32Array.of(1, 2, 3);
  const detached = new Float32Array(3);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const gone = zeros([3]);
  gone.dispose();
  const file = join(temporaryDir(), 'weights');
  writeFileSync(file, new Uint8Array(64));
  const mapped = fromMemory(mapFile(file), 'f32', [3]);
  const whole = new Float32Array(8);
  const shared = zeros([8]);
  const shrunk = new (ArrayBuffer as unknown as new (n: number, o: { maxByteLength: number }) => ArrayBuffer & { resize(n: number): void })(12, { maxByteLength: 24 });
  const onShrunk = tensor(new Float32Array(shrunk, 0, 3));
  shrunk.resize(4);

  const cases: readonly [name: string, args: Record<string, unknown>, type: new (...a: never[]) => QuernError, says: RegExp][] = [
    ['a missing tensor', { x, a: 1 }, ArgumentError, /axpy' needs 'y'/],
    ['a missing scalar', { x, y: new Float32Array(3) }, ArgumentError, /needs 'a'/],
    ['an unknown name', { x, y: new Float32Array(3), a: 1, b: 2 }, ArgumentError, /no parameter 'b'[^]*x, y, a/],
    ['a plain array', { x: [1, 2, 3], y: new Float32Array(3), a: 1 }, ArgumentError, /'x' must be a tensor[^]*values\(/],
    ['null', { x: null, y: new Float32Array(3), a: 1 }, ArgumentError, /got null/],
    ['another element type', { x: new Float64Array(3), y: new Float32Array(3), a: 1 }, DTypeError, /'x' must be f32, got a Float64Array/],
    ['a tensor of another type', { x: zeros([3], 'i32'), y: new Float32Array(3), a: 1 }, DTypeError, /got i32/],
    ['another rank', { x: zeros([3, 1]), y: new Float32Array(3), a: 1 }, ShapeError, /1 dimension \[n\], got \[3, 1\]/],
    ['sizes that differ', { x, y: new Float32Array(4), a: 1 }, ShapeError, /size 'n' is 3 in 'x' but 4 in 'y'/],
    ['a string as a number', { x, y: new Float32Array(3), a: '2' }, ArgumentError, /'a' must be a number, got string/],
    ['a detached array', { x: detached, y: new Float32Array(3), a: 1 }, ArgumentError, /detached/],
    ['a shortened buffer', { x: onShrunk, y: new Float32Array(3), a: 1 }, ArgumentError, /detached/],
    ['a disposed tensor', { x: gone, y: new Float32Array(3), a: 1 }, DisposedError, /after it had been disposed/],
    ['an output in a mapped file', { x, y: mapped, a: 1 }, ArgumentError, /'y' is written, but lies in a file mapped for reading/],
    ['an output that is its own input', { x, y: x, a: 1 }, ArgumentError, /'y' is written and overlaps 'x'/],
    ['an output that overlaps by one', { x: whole.subarray(0, 4), y: whole.subarray(3, 7), a: 1 }, ArgumentError, /overlaps/],
    ['a tensor and a typed array over it', { x: shared.array.subarray(2, 6), y: shared.slice([0, 4]), a: 1 }, ArgumentError, /overlaps/],
    ['a broadcast output', { x, y: zeros([1]).broadcast(3), a: 1 }, ArgumentError, /elements share a place/],
  ];

  test.each(cases)('%s', (_, args, type, says) => {
    const y = args['y'] instanceof Float32Array ? args['y'] : undefined;
    const before = y && [...y];
    const error = thrown(() => axpy.run(args as KernelArgs));
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(says);
    if (y) expect([...y]).toEqual(before);
  });

  test('interleaved and neighbouring parts of one array are no overlap', () => {
    axpy.run({ x: whole.subarray(0, 4), y: whole.subarray(4, 8), a: 1 });
    const t = tensor(whole);
    axpy.run({ x: t.slice([0, null, 2]), y: t.slice([1, null, 2]), a: 1 });
    const m = tensor(whole, [2, 4]);
    axpy.run({ x: m.slice(null, 1), y: m.slice(null, 2), a: 1 });
  });

  test.each([
    ['i32', 1.5], ['i32', 2 ** 31], ['i32', NaN], ['u32', -1], ['u32', 2 ** 32], ['i64', 2 ** 60], ['i64', 2n ** 63n], ['i64', 0.5], ['f64', 1n],
  ] as const)('%s = %s', (name, value) => {
    const out = zeros([5], 'f64').fill(9);
    const error = thrown(() => scalars.run({ out, f64: 0, f32: 0, i64: 0, i32: 0, u32: 0, [name]: value }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain(`'${name}' must be`);
    expect([...out.read()]).toEqual([9, 9, 9, 9, 9]);
  });

  test('fixed dimensions and innermost strides', () => {
    const out = zeros([1], 'f64');
    expect(thrown(() => sum.run({ x: zeros([4], 'f64'), out: zeros([2], 'f64') })).message).toMatch(/'out' must have 1 in dimension 0, got 2/);
    expect(thrown(() => sum.run({ x: zeros([8], 'f64').slice([0, null, 2]), out })).message).toMatch(/innermost stride 1, got 2[^]*clone/);
  });

  test('threads', () => {
    for (const threads of [0, -1, 1.5, 257, NaN]) expect(thrown(() => axpy.run({ x, y: new Float32Array(3), a: 1 }, { threads }))).toBeInstanceOf(ArgumentError);
  });
});

describe('descriptions', () => {
  const withDims = (x: string | number, y: string | number): KernelMeta => ({
    ...axpyMeta, sizes: ['n'],
    params: axpyMeta.params.map((p) => (p.kind === 'tensor' ? { ...p, shape: [p.name === 'x' ? x : y] } : p)),
  });

  test('a dimension computed from sizes is held to its value', () => {
    const k = bindKernel(withDims('n', '(n + 1) * 2 / 2 - 1'), library.kernel('axpy'));
    const y = new Float32Array(3);
    k.run({ x: Float32Array.of(1, 2, 3), y, a: 1 });
    expect([...y]).toEqual([1, 2, 3]);
    expect(thrown(() => k.run({ x: new Float32Array(3), y: new Float32Array(4), a: 1 })).message).toMatch(/'y' must have .* = 3 in dimension 0, got 4/);
  });

  test('a size that no tensor tells must be given', () => {
    const k = bindKernel(withDims('n * 1', 'n / 1'), library.kernel('axpy'));
    const args = { x: Float32Array.of(1, 2), y: new Float32Array(2), a: 1 };
    expect(thrown(() => k.run(args)).message).toMatch(/no tensor has the size 'n'[^]*sizes: \{ n/);
    k.run(args, { sizes: { n: 2 } });
    expect([...args.y]).toEqual([1, 2]);
    expect(thrown(() => k.run(args, { sizes: { n: 3 } }))).toBeInstanceOf(ShapeError);
    expect(thrown(() => k.run(args, { sizes: { m: 3 } })).message).toMatch(/no size 'm'/);
  });

  test('a size given by hand uses a part of longer tensors', () => {
    const y = new Float32Array(4);
    axpy.run({ x: Float32Array.of(1, 2, 3), y, a: 1 }, { sizes: { n: 2 } });
    expect([...y]).toEqual([1, 2, 0, 0]);
    expect(thrown(() => axpy.run({ x: new Float32Array(3), y, a: 1 }, { sizes: { n: 4 } })).message).toMatch(/size 'n' is 4, but 'x' has only 3/);
  });

  test('a broken assumption is an error that says it', () => {
    // The library's axpy refuses n < 0; sizes cannot be negative, so give it a description that reads a stride as n.
    const k = bindKernel({ ...axpyMeta, sizes: [], params: axpyMeta.params.map((p) => (p.kind === 'tensor' ? { ...p, shape: p.name === 'x' ? [3, 1] : [3] } : p)) }, library.kernel('axpy'));
    const error = thrown(() => k.run({ x: values([1, 2, 3], [1, 3]).transpose().slice([null, null, -1]), y: zeros([3]), a: 1 }));
    expect(error).toBeInstanceOf(AssumptionError);
    expect(error.message).toContain("kernel 'axpy' needs: n >= 0");
  });

  test('a description of another kernel is refused', () => {
    expect(thrown(() => bindKernel(axpyMeta, library.kernel('sum'))).message).toMatch(/2 tensors, 3 sizes and strides, 1 scalars, its native code 2 tensors, 3 sizes and strides, 0/);
    expect(thrown(() => bindKernel(withDims('m', 'n'), library.kernel('axpy'))).message).toMatch(/uses the size 'm'/);
    expect(thrown(() => bindKernel(withDims('n +', 'n'), library.kernel('axpy'))).message).toMatch(/cannot read the dimension 'n \+'/);
  });
});

test('a closed library refuses its kernels', () => {
  const other = sample();
  other.library.close();
  expect(thrown(() => other.axpy.run({ x: new Float32Array(1), y: new Float32Array(1), a: 1 }))).toBeInstanceOf(DisposedError);
  expect(thrown(() => other.library.kernel('axpy'))).toBeInstanceOf(DisposedError);
});

test('shared memory of threads can be an operand', () => {
  const y = new Float32Array(new SharedArrayBuffer(12));
  axpy.run({ x: Float32Array.of(1, 2, 3), y, a: 1 });
  expect([...y]).toEqual([1, 2, 3]);
});

test('native memory under its own tensors', () => {
  using memory = allocate(64);
  const x = fromMemory(memory, 'f32', [4]).write([1, 2, 3, 4]);
  const y = fromMemory(memory, 'f32', [4], { byteOffset: 16 });
  axpy.run({ x, y, a: 3 });
  expect([...y.read()]).toEqual([3, 6, 9, 12]);
  expect(sampleSource).toContain('quern.h');
});
