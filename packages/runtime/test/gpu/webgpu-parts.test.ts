/** WebGPU: tensors that are larger than a binding of the device, which are bound in parts. A device like that is a real one that admits to less. */
import '../support/webgpu.ts';
import { assume, atomicAdd, axes, interpret, kernel, tensor as tensorParam } from '@quern/kernel-dsl';
import { describe, expect, test } from 'vitest';
import { compileKernel, device, type Device, type GpuDriver, type GpuKernel, listDevices, tensor } from '../../src/index.ts';
import { rejection } from '../support/thrown.ts';

const here = (await listDevices()).devices.some((d) => d.kind === 'webgpu'), MOST = 1000, PART = 768; // the multiple of 256 below
/** The most bytes that a launch bound at once, and how many bindings one took. */
const seen = { bytes: 0, bindings: 0 };

async function small(): Promise<Device & { driver: GpuDriver }> {
  const d = await device('webgpu', { fallback: 'none' }), driver = d.driver!;
  const launch: GpuDriver['launch'] = (code, entry, shape, args) => {
    const bound = args.flatMap((a) => (a.kind === 'buffer' ? [Math.min(a.window?.to ?? Infinity, a.buffer.bytes) - (a.window?.from ?? 0)] : []));
    seen.bytes = Math.max(seen.bytes, ...bound);
    seen.bindings = Math.max(seen.bindings, bound.length);
    driver.launch(code, entry, shape, args);
  };
  return { ...d, driver: { ...driver, launch, info: { ...driver.info, limits: { ...driver.info.limits, bindingBytes: MOST } } } };
}

const add = kernel('add', { x: tensorParam('f32', 'N'), y: tensorParam('f32', 'N').inout() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(x.at(i).add(y.at(i)));
  return ax;
});
const gather = kernel('gather', { x: tensorParam('f16', 'M'), index: tensorParam('i32', 'N'), y: tensorParam('u8', 'N').out() }, ({ x, index, y, N, M }) => {
  const ax = axes({ n: N, i: N });
  for (const n of ax.n) assume(index.at(n).ge(0).and(index.at(n).to('i64').lt(M)), 'every index lies in x');
  for (const i of ax.i) y.at(i).set(x.at(index.at(i).to('i64')).to('f32').to('u8'));
  return { i: ax.i };
});
const total = kernel('total', { x: tensorParam('u32', 'N'), y: tensorParam('u32', 'N').inout() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) atomicAdd(y.at(i), x.at(i));
  return ax;
});

describe.skipIf(!here)('webgpu, tensors larger than a binding', () => {
  test('wide and single accesses are right at every seam, whatever the views; short tensors are bound whole', async () => {
    const d = await small(), n = 700, wide = await compileKernel(add, { device: d, schedule: (s, { i }) => { const [o, l] = s.split(i, 64, { tail: 'mask' }), [t, v] = s.split(l, 4); s.vectorize(v); s.bind({ 'block.x': o, 'lane.x': t }); } }) as GpuKernel;
    const all = Float32Array.from({ length: n }, (_, i) => i % 89), ys = Float32Array.from({ length: n }, (_, i) => i), x = await tensor(all).to(d);
    for (const [from, to] of [[0, n], [63, 65 + PART / 4], [4, 12]] as const) {
      Object.assign(seen, { bytes: 0, bindings: 0 });
      const y = await tensor(ys).to(d), want = ys.map((v, i) => (i >= from && i < to ? v + all[i]! : v));
      await wide.run({ x: x.slice([from, to]), y: y.slice([from, to]) });
      expect(await y.readAsync(), `${from} to ${to}`).toEqual(want);
      const window = Math.ceil(to * 4 / 16) * 16 - Math.floor(from * 4 / 256) * 256;
      expect(seen).toEqual({ bytes: Math.min(window, window > MOST ? PART : MOST), bindings: 2 * (window > MOST ? Math.ceil(window / PART) : 1) });
    }
    // Read and written in one buffer: what is read is copied, part by part.
    const both = await tensor(Float32Array.from({ length: 2 * n }, (_, i) => i)).to(d);
    await wide.run({ x: both.slice([0, n]), y: both.slice([n, 2 * n]) });
    expect(await both.readAsync()).toEqual(Float32Array.from({ length: 2 * n }, (_, i) => (i < n ? i : 2 * i - n)));
    wide.dispose();
  });

  test('elements smaller than a word, places that nothing orders, and memory of the kernel’s own', async () => {
    const d = await small(), n = 500, m = 1000, k = await compileKernel(gather, { device: d }) as GpuKernel;
    const bits = Uint16Array.from({ length: m }, (_, i) => half(i % 251)), x = tensor(bits, [m], { dtype: 'f16' });
    const index = Int32Array.from({ length: n }, (_, i) => [383, 384, 385, 0, m - 1, (i * 37) % m][i % 6]!), y = await tensor(new Uint8Array(n)).to(d), want = new Uint8Array(n);
    interpret(gather.ir, { x: { data: bits, shape: [m] }, index: { data: index, shape: [n] }, y: { data: want, shape: [n] } });
    Object.assign(seen, { bytes: 0, bindings: 0 });
    await k.run({ x: await x.to(d), index: await tensor(index).to(d), y });
    expect(await y.readAsync()).toEqual(want);
    expect(seen.bytes).toBe(PART);
    expect(Array.from(want.subarray(0, 5))).toEqual([383, 384, 385, 0, m - 1].map((i) => i % 251));
  });

  test('what cannot be bound in parts is told, with what to do', async () => {
    const d = await small(), ones = (n: number): Promise<ReturnType<typeof tensor>> => tensor(new Uint32Array(n).fill(1)).to(d), k = await compileKernel(total, { device: d }) as GpuKernel;
    const few = await ones(9);
    await k.run({ x: await ones(9), y: few });
    expect(await few.readAsync()).toEqual(new Uint32Array(9).fill(2));
    expect(await rejection(k.run({ x: await ones(300), y: await ones(300) }))).toMatchObject({ message: expect.stringMatching(/atomic updates of memory in several bindings[^]*webgpu-parts\.test\.ts[^]*pass slices/) });
    const many = await compileKernel(add, { device: d }) as GpuKernel, far = await tensor(new Float32Array(9000)).to(d), also = await tensor(new Float32Array(9000)).to(d);
    expect(await rejection(many.run({ x: far, y: also }))).toMatchObject({ code: 'QUERN_LAUNCH', message: expect.stringMatching(/takes 94 bindings, of 768 bytes at most: 47 for x, 47 for y; webgpu:0 takes \d+/), fix: expect.stringContaining('slices') });
  });
});

/** The bits of a small whole number in f16. */
function half(v: number): number { if (v === 0) return 0; const e = Math.floor(Math.log2(v)); return ((e + 15) << 10) | Math.round((v / 2 ** e - 1) * 1024); }
