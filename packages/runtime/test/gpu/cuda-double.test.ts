/** The CUDA launcher without a GPU: a driver library of the tests' own (support/cuda-double.c) stands in for libcuda and NVRTC, checks what it is asked for as they do, and records it. */
import { axes, kernel, lower, reg, scalar, schedule, scratch, target, tensor as tensorParam } from '@quern/kernel-dsl';
import { FAULT_WORDS, emitGpu, evaluate, hopperGemm, printedLines } from '@quern/kernel-dsl/gpu';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { BoundsError, compileKernel, device, type Device, DeviceLostError, type GpuDriver, gpuKernel, type GpuKernel, LaunchError, listDevices, OutOfMemoryError, tensor, zeros } from '../../src/index.ts';
import { node } from '../support/child.ts';
import { temporaryDir } from '../support/sample.ts';
import { rejection, thrown } from '../support/thrown.ts';

const dir = temporaryDir(), log = join(dir, 'log'), source = fileURLToPath(new URL('../support/cuda-double.c', import.meta.url));
/** A library from that text. */
const built = (name: string, ...flags: string[]): string => { const path = join(dir, name); execFileSync('cc', ['-std=c11', '-D_GNU_SOURCE', '-O1', '-shared', '-fPIC', ...flags, source, '-o', path]); return path; };
const DOUBLE = built('libdouble.so'), own = { QUERN_CUDA_LIBRARY: DOUBLE, QUERN_NVRTC_LIBRARY: DOUBLE, DOUBLE_LOG: log };
Object.assign(process.env, own);

const GIVEN = /^(unload|free #\d+)$/, given: string[] = [];
/** The calls since this was last asked. What is given back may be so at any time, by the collector: that is told by `given`. */
const calls = (): string[] => { const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []; writeFileSync(log, ''); given.push(...lines.filter((l) => GIVEN.test(l))); return lines.filter((l) => !GIVEN.test(l)); };
const opened = async (): Promise<Device & { driver: GpuDriver }> => { const d = await device('cuda:0', { fallback: 'none' }); return { ...d, driver: d.driver! }; };
const told = (o: Readonly<Record<string, string>>): void => { Object.assign(process.env, o); };
afterEach(() => { for (const name of ['DOUBLE_FAIL', 'DOUBLE_FAULT', 'DOUBLE_COMPILE']) delete process.env[name]; calls(); });

const saxpy = kernel('saxpy', { a: scalar('f32'), x: tensorParam('f32', 'N'), y: tensorParam('f32', 'N').inout() }, ({ a, x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(a.mul(x.at(i)).add(y.at(i)));
  return ax;
});
const lanes = { schedule: (s: Parameters<Parameters<typeof schedule<{ readonly i: never }>>[2]>[0], { i }: { readonly i: never }): void => { const [o, l] = s.split(i, 256, { tail: 'mask' }); s.bind({ 'block.x': o, 'lane.x': l }); } };
const product = kernel('product', { A: tensorParam('bf16', 'M', 'K'), B: tensorParam('bf16', 'N', 'K'), C: tensorParam('f32', 'M', 'N').out() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) {
    const acc = reg('f32', 0, 'acc');
    for (const k of ax.k) acc.addAssign(A.at(i, k).to('f32').mul(B.at(j, k).to('f32')));
    C.at(i, j).set(acc);
  }
  return ax;
});

describe('what is there', () => {
  test('the device, as the driver tells it', async () => {
    const d = await opened(), { info } = d.driver;
    expect(info).toMatchObject({ name: 'Double 0', vendor: 'NVIDIA', driver: 'CUDA 13.0', version: [9, 0], units: 132, software: false, limits: { lanes: 1024, block: [1024, 1024, 64], grid: [2 ** 31 - 1, 65535, 65535], sharedBytes: 49152, dynamicSharedBytes: 232448, memoryBytes: 2 ** 36, cacheBytes: 50 * 2 ** 20 } });
    expect(d.driver.identity).toBe('cuda driver 13000 nvrtc 13.0 sm_90');
  });

  const child = (env: Record<string, string>, script: string): string => node(`try { console.log(${script}); } catch (e) { console.log(e.code, e.message); }`, { ...own, ...env }).stdout.trim();
  const old = built('libold.so', '-DOLD'), open = "addon.gpuIdentity(addon.gpuOpen('cuda', 0))";
  test.each([
    ['no driver', { QUERN_CUDA_LIBRARY: join(dir, 'none.so') }, "addon.gpuCount('cuda')", /^QUERN_E_GPU_ABSENT .*none\.so/],
    ['an old driver', { QUERN_CUDA_LIBRARY: old }, "addon.gpuCount('cuda')", /^QUERN_E_GPU_ABSENT .*too old: it has no cuLaunchKernelEx/],
    ['a driver that does not start', { DOUBLE_FAIL: 'cuInit=999' }, "addon.gpuCount('cuda')", /^QUERN_E_GPU_ABSENT cuInit: CUDA_ERROR_999/],
    ['no device', { DOUBLE_DEVICES: '0' }, "addon.gpuCount('cuda') + ' ' + addon.gpuOpen('cuda', 0)", /^QUERN_E_GPU cuDeviceGet: CUDA_ERROR_101/],
    ['no NVRTC', { QUERN_NVRTC_LIBRARY: join(dir, 'none.so') }, open, /^QUERN_E_COMPILE NVRTC.*QUERN_NVRTC_LIBRARY may name the file/],
    ['an old NVRTC', { QUERN_NVRTC_LIBRARY: old }, open, /^QUERN_E_COMPILE NVRTC is too old: it has no nvrtcGetErrorString/],
    ['a context that is not to be had', { DOUBLE_FAIL: 'cuDevicePrimaryCtxRetain=2' }, open, /^QUERN_E_MEMORY cuDevicePrimaryCtxRetain/],
  ])('%s', (_, env, script, what) => { expect(child(env, script)).toMatch(what); });

  test('a machine without it says so', async () => {
    process.env['DOUBLE_DEVICES'] = '0';
    const { devices, unavailable } = await listDevices({ webgpu: false });
    delete process.env['DOUBLE_DEVICES'];
    expect(devices.map((x) => x.kind)).not.toContain('cuda');
    expect(unavailable).toContainEqual(expect.objectContaining({ candidate: 'cuda', detail: expect.stringMatching(/offers no device/) }));
  });
});

describe('launches', () => {
  test('arguments, grid and machine code; what the disk holds is loaded, what is damaged is compiled again', async () => {
    const d = await opened(), cacheDir = temporaryDir(), n = 1000, x = await tensor(new Float32Array(n + 8)).to(d), y = zeros([n + 8], 'f32', { device: d });
    const compiled = async (): Promise<GpuKernel> => compileKernel(saxpy, { device: d, cacheDir, ...lanes } as never) as Promise<GpuKernel>;
    calls();
    const first = await compiled(), call = await first.prepare({ a: 0.5, x: x.slice([4, n + 4]), y: y.slice([3, n + 3]) });
    expect(call.cache).toBe('miss');
    const [made, loaded] = calls();
    expect(made).toMatch(/^compile --gpu-architecture=sm_90a .*--fmad=false.* --minimal --split-compile=0$/);
    expect(loaded).toBe('load');
    call.enqueue();
    const [asked] = calls();
    expect(asked).toMatch(/^launch saxpy_kernel grid 4 1 1 block 256 1 1 shared 0 x=#\d+\+16 y=#\d+\+12 N=1000 a=0\.5$/);
    expect(await call.time()).toBe(1.5e6);
    calls();
    const second = await (await compiled()).prepare({ a: 1, x, y });
    expect([second.cache, calls()]).toEqual(['hit', ['load']]);
    told({ DOUBLE_FAIL: 'cuModuleLoadData=218' });
    expect(await rejection((await compiled()).prepare({ a: 1, x, y }))).toMatchObject({ code: 'QUERN_DRIVER', message: expect.stringMatching(/cuModuleLoadData: CUDA_ERROR_218/) });
    expect(calls().map((l) => l.split(' ')[0])).toEqual(['cuModuleLoadData', 'compile', 'cuModuleLoadData']);
  });

  test('much shared memory is asked for once, before the launch', async () => {
    const big = kernel('big', { x: tensorParam('f32', 256), y: tensorParam('f32', 256).out() }, ({ x, y }) => {
      const ax = axes({ o: 1, i: 256, j: 256 });
      for (const o of ax.o) {
        const room = scratch('f32', 'room', 16384);
        for (const i of ax.i) room.at(i).set(x.at(i.add(o.mul(256))));
        for (const j of ax.j) y.at(j).set(room.at(j.mul(-1).add(255)));
      }
      return ax;
    });
    const d = await opened(), k = await compileKernel(big, { device: d, cacheDir: temporaryDir(), schedule: (s, { o, i, j }) => { s.bind({ 'block.x': o }); s.deal(o, [i, j], { lanes: 256 }); } }) as GpuKernel;
    const call = await k.prepare({ x: zeros([256], 'f32', { device: d }), y: zeros([256], 'f32', { device: d }) });
    calls();
    call.enqueue();
    call.enqueue();
    expect(calls()).toEqual(['big_kernel: attribute 8 = 65536', ...[1, 2].map(() => expect.stringMatching(/^launch big_kernel grid 1 1 1 block 256 1 1 shared 65536 x=#\d+\+0 y=#\d+\+0$/) as string)]);
  });

  test('clusters are asked for, and to start before the launch before has ended, where a launch comes before', async () => {
    const d = await opened(), A = zeros([200, 64], 'bf16', { device: d }), B = zeros([133, 64], 'bf16', { device: d });
    const k = await compileKernel(product, { device: d, cacheDir: temporaryDir(), schedule: (s, ax) => { hopperGemm(s, ax, { A: 'A', B: 'B', acc: 'acc', dtype: 'bf16' }, { tile: [128, 128], cluster: [2, 1] }); } }) as GpuKernel;
    const call = await k.prepare({ A, B, C: zeros([200, 133], 'f32', { device: d }) });
    call.enqueue();
    call.enqueue();
    const launches = calls().filter((l) => l.startsWith('launch'));
    expect(launches).toEqual([expect.stringMatching(/grid 2 1 2 block 384 1 1 shared \d+ .*cluster 1 1 2 /), expect.stringMatching(/grid 2 1 2 block 384 1 1 shared \d+ attribute 6=1 cluster 1 1 2 /)]);
    expect(launches[0]).not.toContain('attribute 6=1');
  });

  test('the copy engine is told of tensors, tiles and swizzles', async () => {
    const d = await opened(), t = target('cuda-sm90a'), s = schedule(product, t, (x, ax) => { hopperGemm(x, ax, { A: 'A', B: 'B', acc: 'acc', dtype: 'bf16' }, { tile: [128, 128] }); }), low = lower(s.ir, t);
    const k = gpuKernel(d, { target: t, evaluate, faultWords: FAULT_WORDS, printed: printedLines, emit: (v) => emitGpu(low, t, v) }, { cacheDir: temporaryDir() });
    const A = zeros([200, 328], 'bf16', { device: d }), B = zeros([133, 320], 'bf16', { device: d }), C = zeros([200, 133], 'f32', { device: d });
    const call = await k.prepare({ A: A.slice(null, [8, 328]), B, C }), made = calls().filter((l) => l.startsWith('map')).sort((a, b) => Number(a.includes('+0')) - Number(b.includes('+0')));
    // Rows of 320 elements, 656 bytes apart and from byte 16 on; boxes are 64 elements, 128 bytes, wide.
    expect(made).toEqual([expect.stringMatching(/^map of #\d+\+16 type 9 swizzle 3 promotion 3: 320:64 200:128\/656$/), expect.stringMatching(/^map of #\d+\+0 type 9 swizzle 3 promotion 3: 320:64 133:128\/640$/)]);
    call.enqueue();
    const asked = calls();
    expect(asked[0]).toMatch(/attribute 8 = \d{5,6}$/);
    for (const m of made) expect(asked[1]).toContain(`_map=${m}`);
    // What the engine cannot read is refused before the driver is asked.
    expect(await rejection(k.prepare({ A: A.slice(null, [4, 324]), B, C }))).toMatchObject({ code: 'QUERN_LAUNCH', message: expect.stringMatching(/'A' must begin, and its rows lie, at multiples of 8 elements/) });
    expect(calls()).toEqual([]);
    told({ DOUBLE_FAIL: 'cuTensorMapEncodeTiled=1' });
    expect(await rejection(k.prepare({ A: A.slice(null, [8, 328]), B, C }))).toBeInstanceOf(LaunchError);
  });
});

describe('failures', () => {
  test('memory, launches, the device itself: each its own error', async () => {
    const d = await opened(), { driver } = d, k = await compileKernel(saxpy, { device: d, cacheDir: temporaryDir(), ...lanes } as never) as GpuKernel;
    const x = zeros([8], 'f32', { device: d }), call = await k.prepare({ a: 1, x, y: zeros([8], 'f32', { device: d }) });
    expect(thrown(() => driver.alloc(2 ** 37))).toBeInstanceOf(OutOfMemoryError);
    const code = await driver.compile({ name: 'one', source: 'extern "C" __global__ void one(int n) {}', flags: ['--gpu-architecture=sm_90a'], entries: ['one'] });
    const one = (block: number, bytes: number): unknown => thrown(() => { driver.launch(code, 'one', { grid: [1, 1, 1], block: [block, 1, 1], dynamicSharedBytes: bytes }, [{ kind: 'bytes', bytes: new Uint8Array(4) }]); });
    expect(one(2048, 0)).toBeInstanceOf(LaunchError);
    expect(one(32, 300_000)).toMatchObject({ code: 'QUERN_LAUNCH', message: expect.stringMatching(/shared memory of a launch/) });
    expect(await rejection(driver.compile({ name: 'none', source: '', flags: [], entries: [] }))).toMatchObject({ log: expect.stringMatching(/no machine code.*architecture/) });
    expect(await rejection(driver.compile({ name: 'other', source: 'void f(', flags: ['--gpu-architecture=sm_90a'], entries: ['g'] }))).toMatchObject({ message: expect.stringMatching(/^cuda:0: g: CUDA_ERROR_500|g: CUDA_ERROR_500/) });
    expect(await rejection(driver.load(Uint8Array.of(1, 2, 3), { name: 'junk', source: '', flags: [], entries: [] }))).toMatchObject({ message: expect.stringMatching(/NVRTC refused the machine code of 'junk'/), log: expect.stringMatching(/CUDA_ERROR_200/) });
    told({ DOUBLE_COMPILE: 'kernel.cu(3): error: nonsense' });
    expect(await rejection(driver.compile({ name: 'bad', source: 'x', flags: ['--gpu-architecture=sm_90a'], entries: ['x'] }))).toMatchObject({ log: 'kernel.cu(3): error: nonsense', message: expect.stringMatching(/NVRTC refused the text of 'bad' for cuda:0 \(Double 0\)/) });
    delete process.env['DOUBLE_COMPILE'];
    for (const [fails, kind] of [['cuLaunchKernelEx=701', LaunchError], ['cuLaunchKernelEx=719', DeviceLostError], ['cuCtxSetCurrent=201', DeviceLostError]] as const) {
      told({ DOUBLE_FAIL: fails });
      expect(thrown(() => { call.enqueue(); }), fails).toBeInstanceOf(kind);
    }
    told({ DOUBLE_FAIL: 'cuStreamSynchronize=700' });
    for (const wait of [() => driver.sync(), () => x.readAsync(), () => call.time()]) expect(await rejection(wait())).toBeInstanceOf(DeviceLostError);
    told({ DOUBLE_FAIL: 'cuMemcpyHtoDAsync_v2=999' });
    expect(await rejection(tensor(new Float32Array(4)).to(d))).toMatchObject({ code: 'QUERN_DRIVER' });
  });

  test('checked runs: what a launch reports is told with the line; memory is given back', async () => {
    const d = await opened(), k = await compileKernel(saxpy, { device: d, cacheDir: temporaryDir(), ...lanes } as never) as GpuKernel, x = zeros([8], 'f32', { device: d }), y = zeros([8], 'f32', { device: d });
    calls();
    await k.run({ a: 1, x, y }, { bounds: true });
    const [, from, to] = /^launch saxpy_kernel .* x=(#\d+)\+0 .* faults=(#\d+)\+0$/.exec(calls().at(-1)!)!;
    told({ DOUBLE_FAULT: '1 -3 8' });
    const error = await rejection(k.run({ a: 1, x, y }, { bounds: true }));
    expect(error).toBeInstanceOf(BoundsError);
    expect(error.message).toMatch(/x is read at .* = -3 in dimension 0, which has 8 \(.*cuda-double\.test\.ts:\d+:\d+\)/);
    delete process.env['DOUBLE_FAULT'];
    await k.run({ a: 1, x, y }, { bounds: true }); // one fault is told once
    k.dispose();
    x.dispose();
    calls();
    expect(given).toEqual(expect.arrayContaining([`free ${from!}`, `free ${to!}`]));
  });
});
