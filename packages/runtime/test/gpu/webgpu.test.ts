/** The WebGPU driver: kernels, memory, errors. Runs where an adapter is; QUERN_REQUIRE_DEVICES=webgpu makes a missing one a failure (driver.test.ts). */
import '../support/webgpu.ts';
import { execFileSync } from 'node:child_process';
import { axes, interpret, kernel, print, scalar, tensor as tensorParam } from '@quern/kernel-dsl';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { compileKernel, device, type GpuKernel, KernelCompileError, LaunchError, listDevices, OutOfMemoryError, tensor, zeros } from '../../src/index.ts';
import { rejection, thrown } from '../support/thrown.ts';

const here = (await listDevices()).devices.some((d) => d.kind === 'webgpu');

const saxpy = kernel('saxpy', { a: scalar('f32'), x: tensorParam('f32', 'N'), y: tensorParam('f32', 'N').inout() }, ({ a, x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(a.mul(x.at(i)).add(y.at(i)));
  return ax;
});
const invert = kernel('invert', { x: tensorParam('u8', 'N'), y: tensorParam('u8', 'N').out() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(x.at(i).not());
  return ax;
});
const shows = kernel('shows', { x: tensorParam('f32', 'N'), y: tensorParam('f32', 'N').out() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) { print('100% of', i, x.at(i)); y.at(i).set(1); }
  print('end');
  return ax;
});

describe.skipIf(!here)('webgpu:0', () => {
  const opened = device('webgpu', { fallback: 'none' }).then((d) => ({ ...d, driver: d.driver! }));
  opened.catch(() => undefined); // where all tests are skipped

  test('memory is written, copied, filled and read back at any place', async () => {
    const { driver } = await opened, a = driver.alloc(1000), b = driver.alloc(1000), data = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
    driver.write(a, 0, data);
    driver.copy(b, 101, a, 3, 899);
    driver.fill(b, 0, 0xab, 101);
    driver.write(b, 997, data.subarray(5, 7));
    expect(await driver.read(a, 10, 5)).toEqual(data.subarray(10, 15));
    expect(await driver.read(b, 0, 999)).toEqual(Uint8Array.from([...new Array<number>(101).fill(0xab), ...data.subarray(3, 899), ...data.subarray(5, 7)]));
    driver.copy(b, 1, b, 0, 50); // over itself
    expect((await driver.read(b, 0, 51)).every((x) => x === 0xab)).toBe(true);
    expect(await rejection(driver.read(a, 0, 1001))).toMatchObject({ code: 'QUERN_RANGE' });
    driver.free(a);
    expect(thrown(() => driver.write(a, 0, data))).toMatchObject({ code: 'QUERN_DISPOSED' });
    driver.free(b);
  });

  test('kernels run, wide accesses where addresses allow them; slices of one buffer may be read and written', async () => {
    const d = await opened, n = 1003, k = await compileKernel(saxpy, { device: d, schedule: (s, { i }) => { const [o, l] = s.split(i, 256, { tail: 'mask' }), [t, v] = s.split(l, 4); s.vectorize(v); s.bind({ 'block.x': o, 'lane.x': t }); } }) as GpuKernel;
    const both = Float32Array.from({ length: 2 * n + 5 }, (_, i) => i % 97), all = await tensor(both).to(d);
    for (const [x, y] of [[0, n + 5], [3, n + 4], [n + 2, 1]] as const) {
      const want = both.map((v, i) => (i >= y && i < y + n ? Math.fround(Math.fround(2 * both[x + i - y]!) + v) : v));
      const mine = await tensor(both).to(d);
      await k.run({ a: 2, x: mine.slice([x, x + n]), y: mine.slice([y, y + n]) });
      expect(await mine.readAsync(), `${x} ${y}`).toEqual(want);
    }
    expect(await all.readAsync()).toEqual(both);
    expect((await k.prepare({ a: 1, x: all.slice([0, 64]), y: all.slice([64, 128]) })).module.options.aligned).toBe(true);
    expect((await k.prepare({ a: 1, x: all.slice([1, 65]), y: all.slice([65, 129]) })).module.options.aligned).toBe(false);
    expect(await (await k.prepare({ a: 0, x: all.slice([0, 64]), y: all.slice([64, 128]) })).time(3)).toBeGreaterThan(0);
  });

  test('bytes are written by those who own them, between others', async () => {
    const d = await opened, k = await compileKernel(invert, { device: d }) as GpuKernel, x = Uint8Array.from({ length: 21 }, (_, i) => i), out = zeros([40], 'u8', { device: d });
    await k.run({ x: await tensor(x).to(d), y: out.slice([7, 28]) });
    expect(await out.readAsync()).toEqual(Uint8Array.from([...new Array<number>(7).fill(0), ...x.map((v) => ~v), ...new Array<number>(12).fill(0)]));
  });

  test('a prepared call keeps its workspace when a larger call needs more; it is freed with the call', async () => {
    const d = await opened, k = await compileKernel(invert, { device: d }) as GpuKernel, small = Uint8Array.from({ length: 21 }, (_, i) => i), large = Uint8Array.from({ length: 5000 }, (_, i) => i * 3);
    const x = await tensor(small).to(d), y = zeros([21], 'u8', { device: d }), call = await k.prepare({ x, y }), second = await k.prepare({ x, y });
    expect(call.module.workspace.length).toBeGreaterThan(0); // else there is nothing to keep
    const out = zeros([5000], 'u8', { device: d });
    await k.run({ x: await tensor(large).to(d), y: out });
    call.enqueue();
    expect(await y.readAsync()).toEqual(small.map((v) => ~v));
    expect(await out.readAsync()).toEqual(large.map((v) => ~v));
    call.dispose();
    call.dispose();
    expect(thrown(() => { call.enqueue(); })).toMatchObject({ code: 'QUERN_DISPOSED' });
    expect(await rejection(call.time())).toMatchObject({ code: 'QUERN_DISPOSED' });
    second.enqueue();
    await d.driver.sync();
    k.dispose();
    expect(thrown(() => { second.enqueue(); })).toMatchObject({ code: 'QUERN_DISPOSED' });
    second.dispose();
  });

  test('a prepared call is bound once and asked for again: it sees what is written between, other scalars are other calls, and memory that is given up is refused', async () => {
    const d = await opened, k = await compileKernel(saxpy, { device: d }) as GpuKernel, x = await tensor(Float32Array.of(1, 2, 3)).to(d), y = zeros([3], 'f32', { device: d });
    const [two, ten] = await Promise.all([2, 10].map((a) => k.prepare({ a, x, y })));
    for (let i = 0; i < 70; i++) two!.enqueue(); // more than are handed over at once
    ten!.enqueue();
    expect(await y.readAsync()).toEqual(Float32Array.of(150, 300, 450));
    d.driver.fill(y.storage.remote!.buffer, 0, 0, 12);
    two!.enqueue();
    d.driver.fill(x.storage.remote!.buffer, 0, 0, 12);
    two!.enqueue();
    ten!.enqueue();
    expect(await y.readAsync()).toEqual(Float32Array.of(2, 4, 6));
    d.driver.free(x.storage.remote!.buffer);
    expect(thrown(() => { two!.enqueue(); })).toMatchObject({ code: 'QUERN_DISPOSED' });
    k.dispose();
  });

  test('whatever waits ends after what launches had to tell; a failure of that is told once', async () => {
    const { driver } = await opened, a = driver.alloc(16);
    let told = 0;
    driver.fill(a, 0, 0, 16);
    driver.whenWaited!(async (read) => {
      const bytes = await read(a, 0, 4);
      await new Promise((done) => { setTimeout(done, 50); });
      told += 1 + bytes[0]!;
    });
    expect(told).toBe(0);
    expect(await Promise.all([driver.sync(), driver.read(a, 0, 4), driver.time(() => undefined)].map(async (p) => { await p; return told; }))).toEqual([1, 1, 1]);
    driver.whenWaited!(async () => { throw new Error('no paper'); });
    expect(await rejection(driver.read(a, 0, 4))).toMatchObject({ message: 'no paper' });
    await driver.sync();
    driver.free(a);
  });

  describe('print', () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined), lines = (): unknown[] => said.mock.calls.splice(0).map(([line]) => line as unknown);
    beforeEach(() => { said.mockClear(); });
    afterAll(() => { said.mockRestore(); });

    test('gives the lines of the interpreter at the next wait, whatever waits, and each once', async () => {
      const d = await opened, k = await compileKernel(shows, { device: d, print: true }) as GpuKernel, data = Float32Array.of(0.1, -2, NaN), want: string[] = [];
      interpret(shows.ir, { x: { data, shape: [3] }, y: { data: new Float32Array(3), shape: [3] } }, { print: (line) => want.push(line) });
      expect(want).toHaveLength(4);
      const x = await tensor(data).to(d), y = zeros([3], 'f32', { device: d });
      await k.run({ x, y });
      expect(lines()).toEqual([]);
      await d.driver.sync();
      expect(lines()).toEqual(want);
      // One that runs twice, and one that is given up before it is read.
      const call = await k.prepare({ x, y }), other = await compileKernel(shows, { device: d, print: true }) as GpuKernel;
      call.enqueue();
      call.enqueue();
      await other.run({ x, y });
      other.dispose();
      const ended = [y.readAsync(), d.driver.sync()].map(async (p) => { await p; return said.mock.calls.length; });
      expect(await Promise.all(ended)).toEqual([3 * want.length, 3 * want.length]);
      expect(lines()).toEqual([...want, ...want, ...want]);
      expect(await call.time(2)).toBeGreaterThan(0);
      expect(lines()).toEqual([...want, ...want]);
      k.dispose();
      await (await compileKernel(shows, { device: d }) as GpuKernel).run({ x, y });
      expect(Array.from(await y.readAsync())).toEqual([1, 1, 1]);
      expect(lines()).toEqual([]);
    });

    test('says how many lines found no room', async () => {
      const d = await opened, many = 100_000, k = await compileKernel(shows, { device: d, print: true, schedule: (s, { i }) => { const [o, l] = s.split(i, 64, { tail: 'mask' }); s.bind({ 'block.x': o, 'lane.x': l }); } }) as GpuKernel;
      const y = zeros([many], 'f32', { device: d });
      await k.run({ x: zeros([many], 'f32', { device: d }), y });
      await d.driver.sync();
      const got = lines() as string[], kept = got.length - 1, room = Math.floor((2 ** 18 - 2) / 3);
      expect(kept).toBe(room);
      expect(got.at(-1)).toMatch(new RegExp(`kernel 'shows': ${many + 1 - room} more lines of print`));
      expect(new Set(got.slice(0, -1)).size).toBe(room); // each of another element
      await k.run({ x: zeros([0], 'f32', { device: d }), y: zeros([0], 'f32', { device: d }) });
      await d.driver.sync();
      expect(lines()).toEqual(['end']);
      k.dispose();
    });
  });

  test('bad text, too many lanes and too much memory are typed errors', async () => {
    const { driver } = await opened, source = { name: 'bad', source: '@compute @workgroup_size(1)\nfn bad() {\n  nonsense();\n}\n', flags: [], entries: ['bad'], where: (line: number) => `author.ts:${line}` };
    const error = (await rejection(driver.compile(source))) as KernelCompileError;
    expect(error).toBeInstanceOf(KernelCompileError);
    expect(error.log).toMatch(/bad:3:\d+: .*nonsense.*\(author\.ts:3\)/);
    const code = await driver.compile({ ...source, source: '@compute @workgroup_size(1)\nfn bad() {}\n' });
    expect(thrown(() => driver.launch(code, 'bad', { grid: [1, 1, 1], block: [4096, 1, 1] }, []))).toBeInstanceOf(LaunchError);
    expect(thrown(() => driver.launch(code, 'bad', { grid: [70000, 1, 1], block: [1, 1, 1] }, []))).toMatchObject({ message: expect.stringMatching(/70000.*65535/) });
    expect(thrown(() => driver.alloc(2 ** 50))).toBeInstanceOf(OutOfMemoryError);
    await driver.sync();
  });

  test('what WebGPU finds wrong later is an error of the next call, never silent', async () => {
    const { driver } = await opened, code = await driver.compile({ name: 'one', source: '@group(0) @binding(0) var<storage, read_write> x: array<u32>;\n@compute @workgroup_size(1)\nfn one() { x[0] = 1u; }\n', flags: [], entries: ['one'] });
    driver.launch(code, 'one', { grid: [1, 1, 1], block: [1, 1, 1] }, []); // its buffer is missing
    expect(await rejection(driver.sync())).toMatchObject({ code: 'QUERN_DRIVER' });
    await driver.sync();
  });

  test('a process that used it ends by itself', () => {
    const text = `import { create } from 'webgpu'; const gpu = create([]), a = await gpu.requestAdapter(), d = await a.requestDevice(); d.createBuffer({ size: 16, usage: 8 }); console.log('done');`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'ignore'] })).toContain('done');
  });
});
