/** GPU drivers, each device of this machine alike: memory, compiling, launches, errors. */
import '../support/webgpu.ts';
import { describe, expect, test } from 'vitest';
import { device, type Device, KernelCompileError, LaunchError, listDevices, OutOfMemoryError, tensor, zeros } from '../../src/index.ts';
import { rejection, thrown } from '../support/thrown.ts';

const { devices } = await listDevices();
/** Kinds that this machine must have, e.g. `QUERN_REQUIRE_DEVICES=opencl,cuda`: one that vanished fails instead of being skipped. */
const required = (process.env['QUERN_REQUIRE_DEVICES'] ?? '').split(',').filter(Boolean);

test('every device that must be here is', () => {
  expect(devices.map((d) => d.kind)).toEqual(expect.arrayContaining(required));
});

const TEXTS = {
  opencl: { axpy: '__kernel void axpy(__global const float *x, __global float *y, float a, int n, int from) {\n  int i = get_global_id(0);\n  if (i < n) y[from + i] += a * x[from + i];\n}\n', bad: '__kernel void bad(__global float *x) {\n  x[0] = nonsense;\n}\n' },
  cuda: { axpy: 'extern "C" __global__ void axpy(const float *x, float *y, float a, int n, int from) {\n  int i = blockIdx.x * blockDim.x + threadIdx.x;\n  if (i < n) y[from + i] += a * x[from + i];\n}\n', bad: 'extern "C" __global__ void bad(float *x) {\n  x[0] = nonsense;\n}\n' },
} as const;

const bytes = (a: NodeJS.TypedArray): { kind: 'bytes'; bytes: Uint8Array } => ({ kind: 'bytes', bytes: new Uint8Array(a.buffer) });

for (const { id, kind, name } of devices) {
  if (kind !== 'opencl' && kind !== 'cuda') continue;
  describe(`${id} (${name})`, () => {
    const opened: Promise<Device & { driver: NonNullable<Device['driver']> }> = device(id, { fallback: 'none' }).then((d) => {
      if (d.driver === undefined) throw new Error('no driver');
      return { ...d, driver: d.driver };
    });
    const flags = async (): Promise<string[]> => (kind === 'cuda' ? [`--gpu-architecture=sm_${(await opened).driver.info.version.join('')}`] : ['-cl-std=CL1.2']);

    test('says what it is', async () => {
      const { driver } = await opened;
      expect(driver.info.limits.lanes).toBeGreaterThanOrEqual(64);
      expect(driver.info.limits.sharedBytes).toBeGreaterThanOrEqual(16384);
      expect(driver.identity).toContain(kind);
    });

    test('memory is written, copied, filled and read back', async () => {
      const { driver } = await opened, a = driver.alloc(1000), b = driver.alloc(1000), data = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
      driver.write(a, 0, data);
      driver.copy(b, 100, a, 0, 900);
      driver.fill(b, 0, 0xab, 100);
      expect(await driver.read(a, 10, 5)).toEqual(data.subarray(10, 15));
      expect(await driver.read(b, 0, 1000)).toEqual(Uint8Array.from([...new Array<number>(100).fill(0xab), ...data.subarray(0, 900)]));
      expect(thrown(() => driver.write(a, 999, data.subarray(0, 2)))).toMatchObject({ code: 'QUERN_RANGE' });
      expect(await rejection(driver.read(a, 0, 1001))).toMatchObject({ code: 'QUERN_RANGE' });
      driver.free(a);
      driver.free(a);
      expect(await rejection(driver.read(a, 0, 1))).toMatchObject({ code: 'QUERN_DISPOSED' });
      driver.free(b);
    });

    test('text is compiled, launched and timed; its machine code can be kept', async () => {
      const { driver } = await opened, n = 1000, source = { name: 'axpy', source: TEXTS[kind].axpy, flags: await flags(), entries: ['axpy'] };
      const code = await driver.compile(source), again = await driver.load(driver.binary(code) ?? new Uint8Array(), source);
      const x = driver.alloc(4 * n), y = driver.alloc(4 * n), values = Float32Array.from({ length: n }, (_, i) => i);
      for (const [k, c] of [code, again].entries()) {
        driver.write(x, 0, values);
        driver.fill(y, 0, 0, 4 * n);
        const from = 10, count = n - 20, run = (): void => driver.launch(c, 'axpy', { grid: [Math.ceil(count / 64), 1, 1], block: [64, 1, 1] },
          [{ kind: 'buffer', buffer: x, offset: 0 }, { kind: 'buffer', buffer: y, offset: 0 }, bytes(Float32Array.of(2)), bytes(Int32Array.of(count)), bytes(Int32Array.of(from))]);
        expect(await driver.time(run)).toBeGreaterThan(0);
        const out = new Float32Array((await driver.read(y, 0, 4 * n)).buffer);
        expect(out, `${k}`).toEqual(values.map((v, i) => (i >= 10 && i < n - 10 ? 2 * v : 0)));
      }
      await driver.sync();
      driver.free(x);
      driver.free(y);
    });

    test('bad text, bad machine code, bad launches and too much memory are errors with their reasons', async () => {
      const { driver } = await opened, source = { name: 'bad', source: TEXTS[kind].bad, flags: await flags(), entries: ['bad'] };
      const error = (await rejection(driver.compile(source))) as KernelCompileError;
      expect(error).toBeInstanceOf(KernelCompileError);
      expect(error.log).toMatch(/nonsense/);
      expect(error.message).toContain(id);
      expect(await rejection(driver.load(Uint8Array.of(1, 2, 3, 4), source))).toBeInstanceOf(KernelCompileError);
      const code = await driver.compile({ ...source, source: TEXTS[kind].axpy, entries: ['axpy'] });
      expect(thrown(() => driver.launch(code, 'axpy', { grid: [1, 1, 1], block: [driver.info.limits.lanes * 2, 1, 1] }, []))).toBeInstanceOf(LaunchError);
      expect(thrown(() => driver.alloc(2 ** 50))).toBeInstanceOf(OutOfMemoryError);
      await driver.sync(); // none of this harmed the device
    });

    test('tensors go there and come back, views and all', async () => {
      const d = await opened, near = tensor(Float32Array.from({ length: 24 }, (_, i) => i), [4, 6]), far = await near.to(d), part = near.slice([3, null, -1], [1, 5, 2]);
      expect(far.device.info.id).toBe(id);
      expect(await far.to(d)).toBe(far);
      expect(await far.readAsync()).toEqual(near.read());
      expect(await (await part.to(d)).readAsync()).toEqual(part.read());
      expect(await far.slice([3, null, -1], [1, 5, 2]).readAsync()).toEqual(part.read());
      expect(await zeros([3, 3], 'i32', { device: d }).readAsync()).toEqual(new Int32Array(9));
      expect(thrown(() => far.read())).toMatchObject({ message: expect.stringMatching(/lies on[^]*readAsync/) });
      expect(thrown(() => far.array)).toMatchObject({ code: 'QUERN_ARGUMENT' });
      far.dispose();
      expect(await rejection(far.readAsync())).toMatchObject({ code: 'QUERN_DISPOSED' });
    });
  });
}
