/** Kernels of the language on the GPUs of this machine: what they compute, what they refuse, and which variant runs. */
import { assume, axes, fma, interpret, kernel, lower, print, scalar, tensor as tensorParam } from '@quern/kernel-dsl';
import { FAULT_WORDS, emitGpu, evaluate, printedLines } from '@quern/kernel-dsl/gpu';
import { describe, expect, test } from 'vitest';
import { ArgumentError, AssumptionError, BoundsError, compileKernel, device, gpuKernel, type GpuKernel, gpuTarget, listDevices, tensor, values, zeros } from '../../src/index.ts';
import { FULL } from '../../../../tools/test/spread.ts';
import { node } from '../support/child.ts';
import { temporaryDir } from '../support/sample.ts';
import { rejection } from '../support/thrown.ts';

const saxpy = kernel('saxpy', { a: scalar('f32'), x: tensorParam('f32', 'N'), y: tensorParam('f32', 'N').inout() }, ({ a, x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(fma(a, x.at(i), y.at(i)));
  return ax;
});
const rows = kernel('rows', { X: tensorParam('f32', 'M', 4), y: tensorParam('f64', 'M').out() }, ({ X, y, M }) => {
  const ax = axes({ r: M });
  for (const r of ax.r) y.at(r).set([1, 2, 3].reduce((sum, c) => sum.add(X.at(r, c).to('f64')), X.at(r, 0).to('f64')));
  return ax;
});
/** y = x[index]; nobody says what the index may be, or somebody does. */
const lookup = (safe: boolean): ReturnType<typeof kernel> => kernel('lookup', { index: tensorParam('i32', 'N'), x: tensorParam('f32', 'M'), y: tensorParam('f32', 'N').out() }, ({ index, x, y, N, M }) => {
  const ax = axes({ j: N, i: N });
  if (safe) for (const j of ax.j) assume(index.at(j).ge(0).and(index.at(j).to('i64').lt(M)), 'every index lies in x');
  for (const i of ax.i) y.at(i).set(x.at(index.at(i).to('i64')));
  return { i: ax.i };
});

const gpus = (await listDevices()).devices.filter(({ kind }) => kind === 'opencl' || kind === 'cuda');
test.skipIf(gpus.length === 0 && !/opencl|cuda/.test(process.env['QUERN_REQUIRE_DEVICES'] ?? ''))('there is a device of OpenCL or CUDA (skipped where none is)', () => { expect(gpus.length).toBeGreaterThan(0); });

for (const { id, kind } of gpus) {
  describe(id, () => {
    const cacheDir = temporaryDir();
    const opened = device(id, { fallback: 'none' });
    const compiled = async (): Promise<GpuKernel> => compileKernel(saxpy, {
      device: { ...(await opened), driver: (await opened).driver! }, cacheDir,
      schedule: (s, { i }) => { const [o, l] = s.split(i, 256, { tail: 'mask' }), [t, v] = s.split(l, 4); s.vectorize(v); s.bind({ 'block.x': o, 'lane.x': t }); },
    });
    const far = async (a: Float32Array): ReturnType<ReturnType<typeof tensor>['to']> => tensor(a).to(await opened);

    test('a scheduled kernel gives the bits of the interpreter, whatever the views', async () => {
      const k = await compiled(), n = 1003, x = Float32Array.from({ length: n + 8 }, (_, i) => Math.sin(i)), y = Float32Array.from({ length: n + 8 }, (_, i) => Math.cos(i));
      for (const [from, count] of [[0, n], [4, n], [3, n - 1], [0, 4], [0, 0], [7, 1]] as const) {
        const want = y.slice();
        const args = { a: 0.3, x: { data: x, shape: [count], offset: from }, y: { data: want, shape: [count], offset: from } };
        interpret(saxpy.ir, args);
        const dx = await far(x), dy = await far(y);
        await k.run({ a: 0.3, x: dx.slice([from, from + count]), y: dy.slice([from, from + count]) });
        expect(await dy.readAsync(), `${from} ${count}`).toEqual(want);
      }
      k.dispose();
    });

    test('wide accesses run where addresses allow them, and only there', async () => {
      const k = await compiled(), x = await far(new Float32Array(64)), y = await far(new Float32Array(64));
      expect((await k.prepare({ a: 1, x, y })).module.options.aligned).toBe(true);
      expect((await k.prepare({ a: 1, x: x.slice([1]), y: y.slice([1]) })).module.options.aligned).toBe(false);
      expect(k.isa).toMatch(/^(opencl|cuda-)/);
      expect(k.source).toContain('saxpy');
    });

    test('machine code is kept on disk', async () => {
      const x = await far(new Float32Array(64)), y = await far(new Float32Array(64));
      await (await compiled()).run({ a: 1, x, y });
      expect((await (await compiled()).prepare({ a: 1, x, y })).cache).toBe('hit');
    });

    test('an algorithm without a schedule runs too', async () => {
      const k = await compileKernel(rows, { device: await opened, cacheDir }) as GpuKernel;
      const X = values(Array.from({ length: 20 }, (_, i) => i / 3), [5, 4]), y = zeros([5], 'f64', { device: await opened });
      await k.run({ X: await X.to(await opened), y });
      expect(Array.from(await y.readAsync())).toEqual(Array.from({ length: 5 }, (_, r) => Array.from(X.slice(r).read()).reduce((a, b) => a + b, 0)));
      expect(await (await k.prepare({ X: await X.to(await opened), y })).time(2)).toBeGreaterThan(0);
    });

    test('arguments are checked as on the CPU, and must lie on the device', async () => {
      const k = await compiled(), x = await far(new Float32Array(8)), y = await far(new Float32Array(8));
      expect(await rejection(k.run({ a: 1, x: new Float32Array(8), y }))).toMatchObject({ code: 'QUERN_DEVICE', message: expect.stringMatching(/'x' lies on cpu:0[^]*Fix/) });
      expect(await rejection(k.run({ a: 1, x, y: x }))).toMatchObject({ code: 'QUERN_OVERLAP' });
      expect(await rejection(k.run({ a: 1, x: x.slice([0, 4]), y }))).toMatchObject({ code: 'QUERN_SHAPE' });
      expect(await rejection(k.run({ x, y }))).toBeInstanceOf(ArgumentError);
      y.dispose();
      expect(await rejection(k.run({ a: 1, x, y }))).toMatchObject({ code: 'QUERN_DISPOSED' });
      const cpu = await compileKernel(saxpy);
      expect(() => cpu.run({ a: 1, x, y: new Float32Array(8) })).toThrow(/lies on/);
    });

    test('assumptions about elements are checked on the device, before anything is written', async () => {
      const d = await opened, k = await compileKernel(lookup(true), { device: d, cacheDir }) as GpuKernel, x = await values([5, 6, 7]).to(d), y = zeros([3], 'f32', { device: d });
      await k.run({ index: await tensor(Int32Array.of(2, 0, 2)).to(d), x, y });
      expect(Array.from(await y.readAsync())).toEqual([7, 5, 7]);
      const error = await rejection(k.run({ index: await tensor(Int32Array.of(0, 3, 1)).to(d), x, y }));
      expect(error).toBeInstanceOf(AssumptionError);
      expect(error.message).toContain('every index lies in x');
      expect(Array.from(await y.readAsync())).toEqual([7, 5, 7]);
      await k.run({ index: await tensor(Int32Array.of(1, 1, 1)).to(d), x, y });
      expect(Array.from(await y.readAsync())).toEqual([6, 6, 6]);
    });

    test('calls under way at the same time do not hear of the faults of each other', async () => {
      const d = await opened, k = await compileKernel(lookup(true), { device: d, cacheDir }) as GpuKernel, x = await values([5, 6, 7]).to(d);
      const [bad, good] = [await tensor(Int32Array.of(0, 3, 1)).to(d), await tensor(Int32Array.of(2, 1, 0)).to(d)], ys = Array.from({ length: 6 }, () => zeros([3], 'f32', { device: d }));
      const ended = await Promise.allSettled(ys.map((y, i) => k.run({ index: i % 2 === 0 ? bad : good, x, y })));
      expect(ended.map((e) => e.status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
      for (const [i, y] of ys.entries()) expect(Array.from(await y.readAsync()), `${i}`).toEqual(i % 2 === 0 ? [0, 0, 0] : [7, 6, 5]);
      const call = await k.prepare({ index: good, x, y: ys[0]! });
      expect(await rejection(k.prepare({ index: bad, x, y: ys[0]! }))).toBeInstanceOf(AssumptionError);
      call.enqueue();
      expect(Array.from(await ys[0]!.readAsync())).toEqual([7, 6, 5]);
      call.dispose();
      expect(() => { call.enqueue(); }).toThrow(/prepared call of kernel 'lookup' was used after/);
      k.dispose();
    });

    test.runIf(kind === 'opencl')('weights are read through images: bits, places, whole texels and single elements, limits', async () => {
      const d = await opened, { info } = d.driver!, n = 100, types = { f32: Float32Array, f16: Uint16Array, i16: Int16Array, u8: Uint8Array, i8: Int8Array, i32: Int32Array } as const;
      // PoCL compiles conversions for long: npm test reads two of the types.
      const chosen = (FULL ? ['f32', 'f16', 'i16', 'u8', 'i8', 'i32'] as const : ['f32', 'i8'] as const), names = chosen.map((t) => `w_${t}`);
      const weights = kernel('weights', { y: tensorParam('f32', 'N').out(), ...Object.fromEntries(chosen.map((t) => [`w_${t}`, tensorParam(t, 'N')])) }, ({ y, N, ...all }) => {
        const ax = axes({ i: N });
        for (const i of ax.i) y.at(i).set(names.map((w) => (all as unknown as Record<string, typeof y>)[w]!.at(i).to('f32')).reduce((x, w, j) => x.add(w.mul(j + 1))));
        return ax;
      });
      const on = (driver: typeof d.driver): Promise<GpuKernel> => compileKernel(weights, { device: { ...d, driver: driver! }, cacheDir, schedule: (s, { i }) => {
        for (const w of names) s.stage(w, i, 'image');
        const [o, l] = s.split(i, 64, { tail: 'mask' }), [t, v] = s.split(l, 4);
        s.vectorize(v);
        s.bind({ 'block.x': o, 'lane.x': t });
      } });
      const k = await on(d.driver), near = Object.fromEntries(chosen.map((t, j) => [names[j]!, { dtype: t, data: new types[t](Array.from({ length: n }, (_, i) => (t === 'f16' ? 0x3000 + 37 * i : ((i * 37 + j) % 251) - (t === 'u8' ? 0 : 100)))) }]));
      expect(k.source).toContain('__read_only image1d_buffer_t w_i8');
      expect(k.source).not.toMatch(/w_\w+\[/);
      const far = Object.fromEntries(await Promise.all(Object.entries(near).map(async ([w, { data, dtype }]) => [w, await tensor(data, [n], { dtype: dtype as 'f16' }).to(d)] as const)));
      const part = (from: number, to: number): typeof far => Object.fromEntries(Object.entries(far).map(([w, x]) => [w, x.slice([from, to])]));
      for (const [from, to] of [[8, 99], [3, 90]] as const) {
        const want = new Float32Array(to - from), y = zeros([to - from], 'f32', { device: d });
        interpret(weights.ir, { ...Object.fromEntries(Object.entries(near).map(([w, { data }]) => [w, { data, shape: [to - from], offset: from }])), y: { data: want, shape: [to - from] } });
        await k.run({ ...part(from, to), y });
        expect(await y.readAsync(), `${from} to ${to}`).toEqual(want);
      }
      expect((await k.prepare({ ...part(8, 99), y: zeros([91], 'f32', { device: d }) })).module).toMatchObject({ options: { aligned: true }, features: ['images'] });
      const less = await on({ ...d.driver!, info: { ...info, limits: { ...info.limits, texels: 20 } } });
      await less.prepare({ ...part(8, 80), y: zeros([72], 'f32', { device: d }) });
      expect(await rejection(less.prepare({ ...part(8, 81), y: zeros([73], 'f32', { device: d }) }))).toMatchObject({ code: 'QUERN_LAUNCH', message: expect.stringMatching(/'w_f32' ends at texel 21 of an image; opencl:0 takes 20/), fix: expect.stringContaining('image') });
      k.dispose();
    });

    test('print goes to the standard output of the process', async () => {
      const { info } = (await opened).driver!, t = await gpuTarget(info), data = [0.5, -2, NaN], lines: string[] = [];
      const shows = kernel('shows', { x: tensorParam('f32', 3).inout() }, ({ x }) => { const ax = axes({ i: 3 }); for (const i of ax.i) { print('100% of', i, x.at(i), x.at(i).gt(0)); x.at(i).set(1); } return ax; });
      const lowered = lower(shows.ir, t, { print: true }), m = emitGpu(lowered, t), [step] = m.plan;
      interpret(lowered, { x: { data: Float32Array.from(data), shape: [3] } }, { print: (line) => lines.push(line) });
      if (step?.kind !== 'launch' || m.plan.length > 1) throw new Error('one launch');
      // A head of 16 bytes each, a value behind its own: see gpu_launch.c.
      const args = step.launch.args.flatMap((a) => (a.kind === 'buffer' ? [1, 0, 0, 0] : [0, 4, 0, 0, a.kind === 'stride' ? 1 : 0, 0, 0, 0]));
      const { stdout, stderr } = node(`
        const { source, flags, entry, args } = ${JSON.stringify({ source: m.source, flags: m.flags, entry: step.launch.entry, args })};
        const d = addon.gpuOpen('${kind}', ${info.index}), m = addon.gpuBuild(d, source, flags), f = addon.gpuFunction(d, m, entry), x = addon.gpuAlloc(d, 16);
        addon.gpuWrite(d, x, 0, Float32Array.of(${data.join(', ')}));
        addon.gpuLaunch(d, m, f, Float64Array.of(1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1), new Uint8Array(Uint32Array.from(args).buffer), [x]);
        addon.gpuSyncAsync(d);`);
      expect(stdout.split('\n'), stderr).toEqual([...lines, '']);
    });

    test('debug mode finds what leaves its tensor, with the line', async () => {
      const d = await opened, t = await gpuTarget(d.driver!.info), lowered = lower(lookup(false).ir, t);
      const k = gpuKernel(d, { target: t, evaluate, faultWords: FAULT_WORDS, printed: printedLines, emit: (v) => emitGpu(lowered, t, v) }, { cacheDir });
      const x = await values([5, 6, 7]).to(d), y = zeros([3], 'f32', { device: d });
      await k.run({ index: await tensor(Int32Array.of(2, 1, 0)).to(d), x, y }, { bounds: true });
      const error = await rejection(k.run({ index: await tensor(Int32Array.of(0, 99, 1)).to(d), x, y }, { bounds: true }));
      expect(error).toBeInstanceOf(BoundsError);
      expect(error.message).toMatch(/x is read at .* = 99 in dimension 0, which has 3 \(.*kernel\.test\.ts:\d+:\d+\)/);
    });
  });
}
