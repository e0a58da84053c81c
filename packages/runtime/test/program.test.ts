/** Programs: launches in order, parameters, other tensors, runs in another thread, traces, and every refusal. */
import { describe, expect, test } from 'vitest';
import {
  allocate, ArgumentError, AssumptionError, bindKernel, CancelledError, DisposedError, fromMemory, param, program, ShapeError, values, zeros,
} from '../src/index.ts';
import { axpyMeta, sample } from './support/sample.ts';
import { rejection, thrown } from './support/thrown.ts';

const { axpy, sum, library } = sample();

describe('runs', () => {
  test('launches run in order and see each other\'s results', () => {
    const x = values([1, 2, 3]), y = zeros([3]), z = zeros([3]);
    const p = program([{ kernel: axpy, args: { x, y, a: 2 } }, { kernel: axpy, args: { x: y, y: z, a: 10 } }]);
    p.run();
    expect([...z.read()]).toEqual([20, 40, 60]);
    p.run({ threads: 1 });
    expect([...z.read()]).toEqual([60, 120, 180]);
    program([]).run();
  });

  test('a parameter changes every launch that uses it', () => {
    const x = values([1, 1, 1, 1]), y = zeros([4]), z = zeros([4]);
    const p = program([
      { kernel: axpy, args: { x, y, a: param('a') }, sizes: { n: param('n') } },
      { kernel: axpy, args: { x, y: z, a: param('a') }, sizes: { n: 2 } },
    ], { a: 1, n: 4 });
    p.run();
    p.set('a', 5).set('n', 1).run();
    expect([...y.read()]).toEqual([6, 1, 1, 1]);
    expect([...z.read()]).toEqual([6, 6, 0, 0]);
    expect(p.params).toEqual({ a: 5, n: 1 });
    p.set('n', 0).run();
    expect([...y.read()]).toEqual([6, 1, 1, 1]);
  });

  test('a launch can be given other tensors', () => {
    const y = zeros([2]);
    const p = program([{ kernel: axpy, args: { x: values([1, 2]), y, a: param('a') } }], { a: 1 });
    p.bind(0, { x: values([10, 0, 20, 0]).slice([0, null, 2]) }).run();
    expect([...y.read()]).toEqual([10, 20]);
    const longer = zeros([3]);
    p.bind(0, { x: values([1, 2, 3]), y: longer }).set('a', 2).run();
    expect([...longer.read()]).toEqual([2, 4, 6]);
    p.bind(0, { a: 7 }).run();
    expect([...longer.read()]).toEqual([9, 18, 27]);
  });

  test('many launches and many rebindings keep nothing wrongly alive', () => {
    const y = zeros([1]);
    const p = program(Array.from({ length: 500 }, () => ({ kernel: axpy, args: { x: values([1]), y, a: 1 } })));
    for (let i = 0; i < 2000; i++) p.bind(i % 500, { x: i % 2 ? values([2]) : Float32Array.of(2) });
    p.run();
    expect(y.get(0)).toBe(1000);
  });

  test('the trace times every launch of a timed run', () => {
    const x = zeros([200_000], 'f64').fill(1), out = zeros([1], 'f64');
    const p = program([{ kernel: sum, args: { x, out }, label: 'big' }, { kernel: sum, args: { x: x.slice([0, 1]), out } }]);
    p.run({ timed: true });
    const [big, small] = p.trace();
    expect(big).toMatchObject({ label: 'big', kernel: 'sum', isa: 'generic' });
    expect(small?.label).toBe('sum');
    expect(big!.ns).toBeGreaterThan(small!.ns);
    expect(small!.ns).toBeGreaterThan(0);
  });
});

describe('refusals', () => {
  const x = values([1, 2, 3]);

  test('arguments are checked when the program is made and when they change, and an error changes nothing', () => {
    const y = zeros([3]);
    expect(thrown(() => program([{ kernel: axpy, args: { x, y: zeros([2]), a: 1 } }]))).toBeInstanceOf(ShapeError);
    expect(thrown(() => program([{ kernel: axpy, args: { x, y, a: param('a') } }])).message).toMatch(/parameter 'a', which the program does not have/);
    expect(thrown(() => program([{ kernel: axpy, args: { x, y, a: 1 } }], { b: 1 })).message).toMatch(/no launch .* 'b'/);
    expect(thrown(() => program([{ kernel: axpy, args: { x, y, a: 1 }, threads: 0 }]))).toBeInstanceOf(ArgumentError);
    const p = program([{ kernel: axpy, args: { x, y, a: param('a') }, sizes: { n: param('n') } }], { a: 1, n: 3 });
    for (const [name, value, type] of [['n', 4, ShapeError], ['n', -1, ArgumentError], ['n', 1.5, ArgumentError], ['n', 2n, ArgumentError], ['a', 1n, ArgumentError], ['c', 1, ArgumentError]] as const) {
      expect(thrown(() => p.set(name, value))).toBeInstanceOf(type);
    }
    expect(thrown(() => p.bind(0, { y: x })).code).toBe('QUERN_OVERLAP');
    expect(thrown(() => p.bind(0, { y: zeros([2]) }))).toBeInstanceOf(ShapeError);
    expect(thrown(() => p.bind(1, { y }))).toBeInstanceOf(ArgumentError);
    expect(p.params).toEqual({ a: 1, n: 3 });
    p.run();
    expect([...y.read()]).toEqual([1, 2, 3]);
  });

  test('a value that suits one launch but not another changes neither', () => {
    const a = zeros([3]), b = zeros([2]);
    const p = program([
      { kernel: axpy, args: { x, y: a, a: 1 }, sizes: { n: param('n') } }, { kernel: axpy, args: { x: x.slice([0, 2]), y: b, a: 1 }, sizes: { n: param('n') } },
    ], { n: 1 });
    expect(thrown(() => p.set('n', 3))).toBeInstanceOf(ShapeError);
    p.run();
    expect([...a.read(), ...b.read()]).toEqual([1, 0, 0, 1, 0]);
  });

  test('a size that other dimensions follow from is held to them', () => {
    const meta = { ...axpyMeta, params: axpyMeta.params.map((p) => (p.name === 'y' && p.kind === 'tensor' ? { ...p, shape: ['n * 2'] } : p)) };
    const p = program([{ kernel: bindKernel(meta, library.kernel('axpy')), args: { x: zeros([9]), y: zeros([6]), a: 1 }, sizes: { n: param('n') } }], { n: 2 });
    p.set('n', 3).run();
    expect(thrown(() => p.set('n', 4)).message).toMatch(/n \* 2 = 8 in dimension 0, got 6/);
  });

  test('the launch that a kernel refuses is named; those before it have run', () => {
    const y = zeros([3]);
    const odd = bindKernel({ ...axpyMeta, sizes: [], params: axpyMeta.params.map((p) => (p.kind === 'tensor' ? { ...p, shape: p.name === 'x' ? [3, 1] : [3] } : p)) }, library.kernel('axpy'));
    const p = program([{ kernel: axpy, args: { x, y, a: 1 } }, { kernel: odd, args: { x: values([1, 2, 3], [1, 3]).transpose().slice([null, null, -1]), y, a: 1 } }]);
    const error = thrown(() => p.run());
    expect(error).toBeInstanceOf(AssumptionError);
    expect([...y.read()]).toEqual([1, 2, 3]);
  });

  test('buffers that are gone are noticed before anything runs', () => {
    const y = zeros([3]);
    const data = Float32Array.of(1, 2, 3);
    const p = program([{ kernel: axpy, args: { x: data, y, a: 1 } }]);
    p.run();
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expect(thrown(() => p.run()).code).toBe('QUERN_DETACHED');
    using memory = allocate(12);
    const q = program([{ kernel: axpy, args: { x: fromMemory(memory, 'f32', [3]), y, a: 1 } }]);
    memory.dispose();
    expect(thrown(() => q.run())).toBeInstanceOf(DisposedError);
    expect([...y.read()]).toEqual([1, 2, 3]);
  });

  test('after dispose, and after its library has been closed', () => {
    const p = program([{ kernel: axpy, args: { x, y: zeros([3]), a: 1 } }]);
    p.dispose();
    p.dispose();
    for (const use of [() => p.run(), () => p.bind(0, {}), () => p.trace(), () => p.set('a', 1)]) expect(thrown(use)).toBeInstanceOf(DisposedError);
    const other = sample();
    const q = program([{ kernel: other.axpy, args: { x, y: zeros([3]), a: 1 } }]);
    other.library.close();
    expect(thrown(() => q.run())).toBeInstanceOf(DisposedError);
  });
});

describe('in another thread', () => {
  const big = (): { x: ReturnType<typeof zeros<'f64'>>; out: ReturnType<typeof zeros<'f64'>> } => ({ x: zeros([2_000_000], 'f64').fill(1), out: zeros([1], 'f64') });

  test('JavaScript goes on meanwhile, and the program is busy', async () => {
    const { x, out } = big();
    const p = program(Array.from({ length: 100 }, () => ({ kernel: sum, args: { x, out } })));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const run = p.runAsync({ threads: 1 });
    for (const use of [() => p.run(), () => p.dispose(), () => p.set('a', 1), () => p.trace(), () => p.bind(0, {})]) expect(thrown(use).code).toBe('QUERN_BUSY');
    expect((await rejection(p.runAsync())).code).toBe('QUERN_BUSY');
    // A kernel called meanwhile has the pool to itself or runs alone; either way it is right.
    const y = zeros([3]);
    axpy.run({ x: values([1, 2, 3]), y, a: 1 });
    expect([...y.read()]).toEqual([1, 2, 3]);
    await run;
    clearInterval(timer);
    expect(out.get(0)).toBe(2_000_000);
    expect(ticks).toBeGreaterThan(3);
    p.run();
  });

  test('a signal stops it between two launches', async () => {
    const { x, out } = big();
    const p = program(Array.from({ length: 300 }, () => ({ kernel: sum, args: { x, out } })));
    const abort = new AbortController();
    const run = p.runAsync({ threads: 1, signal: abort.signal });
    setTimeout(() => abort.abort(), 10);
    const start = performance.now();
    expect(await rejection(run)).toBeInstanceOf(CancelledError);
    expect(performance.now() - start).toBeLessThan(300);
    expect(await rejection(p.runAsync({ signal: abort.signal }))).toBeInstanceOf(CancelledError);
    await p.runAsync();
    expect(out.get(0)).toBe(2_000_000);
  });

  test('only native memory: a typed array could be taken away in the middle', async () => {
    const p = program([{ kernel: axpy, args: { x: Float32Array.of(1), y: zeros([1]), a: 1 } }]);
    const error = await rejection(p.runAsync());
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(/native memory/);
  });

  test('a tensor disposed in the middle stays until the run ends', async () => {
    const { x, out } = big();
    const p = program(Array.from({ length: 50 }, () => ({ kernel: sum, args: { x, out } })));
    const run = p.runAsync({ threads: 1 });
    x.dispose();
    await run;
    expect(out.get(0)).toBe(2_000_000);
    expect(thrown(() => p.run())).toBeInstanceOf(DisposedError);
  });

  test('a refusal rejects', async () => {
    const odd = bindKernel({ ...axpyMeta, sizes: [], params: axpyMeta.params.map((p) => (p.kind === 'tensor' ? { ...p, shape: p.name === 'x' ? [3, 1] : [3] } : p)) }, library.kernel('axpy'));
    const p = program([{ kernel: odd, args: { x: values([1, 2, 3], [1, 3]).transpose().slice([null, null, -1]), y: zeros([3]), a: 1 } }]);
    expect(await rejection(p.runAsync())).toBeInstanceOf(AssumptionError);
  });
});
