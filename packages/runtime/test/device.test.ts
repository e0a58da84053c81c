/** How a device is chosen: who decides, what stands in, and that every reason is told. */
import { describe, expect, test } from 'vitest';
import {
  ArgumentError, choose, configure, device, type DeviceInfo, type DeviceList, DeviceUnavailableError, listDevices, parseDeviceSpec, withDevice, zeros,
} from '../src/index.ts';
import { rejection, thrown, withEnv } from './support/thrown.ts';

const made = (kind: DeviceInfo['kind'], index: number, type: DeviceInfo['type'], name: string): DeviceInfo =>
  ({ id: `${kind}:${index}`, kind, index, name, type, backend: 'native', features: [], threads: 1 });
const list: DeviceList = {
  devices: [
    made('cpu', 0, 'cpu', 'Some CPU'), made('opencl', 0, 'cpu', 'pocl on Some CPU'), made('opencl', 1, 'igpu', 'Integrated'),
    made('cuda', 0, 'dgpu', 'NVIDIA H200'), made('webgpu', 0, 'software', 'SwiftShader'),
  ],
  unavailable: [],
};
const onlyCpu: DeviceList = { devices: list.devices.slice(0, 1), unavailable: [{ candidate: 'cuda', verdict: 'unavailable', code: 'no-backend', detail: 'no cuda here' }] };

describe('choosing from a list', () => {
  test.each([
    ['cpu', 'cpu:0'], ['cuda', 'cuda:0'], ['cuda:0', 'cuda:0'], ['opencl', 'opencl:0'], ['opencl:gpu', 'opencl:1'], ['OpenCL GPU', 'opencl:1'], ['opencl:cpu', 'opencl:0'],
    ['cuda:h200', 'cuda:0'], ['gpu', 'opencl:1'], ['auto', 'cuda:0'], ['webgpu', 'webgpu:0'], ['cuda:1, opencl:1', 'opencl:1'], ['nvidia', 'cuda:0'],
  ])('%s gives %s', (spec, id) => {
    const { info, pick } = choose(list, spec, 'argument', 'none');
    expect(info.id).toBe(id);
    expect(pick.fellBack).toBe(false);
    expect(pick.reasons.at(-1)).toMatchObject({ candidate: id, verdict: 'chosen' });
  });

  test('software is never picked by itself, and is no gpu', () => {
    const software: DeviceList = { devices: [made('webgpu', 0, 'software', 'SwiftShader'), ...onlyCpu.devices], unavailable: [] };
    expect(choose(software, 'auto', 'auto', 'none').info.id).toBe('cpu:0');
    expect(thrown(() => choose(software, 'gpu', 'argument', 'none'))).toBeInstanceOf(DeviceUnavailableError);
  });

  test('what is absent is replaced by the CPU with the reasons, or is an error with the same', () => {
    const { info, pick } = choose(onlyCpu, 'cuda:0', 'argument', 'cpu');
    expect(info.id).toBe('cpu:0');
    expect(pick.fellBack).toBe(true);
    expect(pick.reasons.map((r) => [r.verdict, r.detail])).toEqual([['unavailable', 'no cuda here'], ['chosen', "stands in for 'cuda:0'"]]);
    const error = thrown(() => choose(onlyCpu, 'cuda:0', 'argument', 'none')) as DeviceUnavailableError;
    expect(error).toBeInstanceOf(DeviceUnavailableError);
    expect(error.reasons[0]?.detail).toBe('no cuda here');
    expect(error.message).toMatch(/no cuda here[^]*Fix:/);
    expect(thrown(() => choose({ devices: [], unavailable: [] }, 'auto', 'auto', 'cpu'))).toBeInstanceOf(DeviceUnavailableError);
  });

  test.each(['', 'tpu', 'cuda:', ':0', 'cpu,,cuda', 'cpu;cuda'])("'%s' is no specification", (spec) => {
    expect(thrown(() => parseDeviceSpec(spec))).toBeInstanceOf(ArgumentError);
  });
});

describe('on this machine', () => {
  test('the CPU is there and native; every other kind is there, or told to be missing, with why', async () => {
    const { devices, unavailable } = await listDevices();
    expect(devices[0]?.id).toBe('cpu:0');
    expect(new Set([...devices.slice(1).map((d) => d.kind), ...unavailable.map((r) => r.candidate)])).toEqual(new Set(['cuda', 'opencl', 'webgpu']));
    expect(devices[0]?.backend).toBe('native');
    expect(devices[0]?.features.at(-1)).toBe('generic');
    for (const r of unavailable) expect(r.detail.length).toBeGreaterThan(20);
    expect(zeros([1]).device.info.id).toBe('cpu:0');
  });

  test('argument > withDevice > QUERN_DEVICE > configure > auto', async () => {
    const source = async (spec?: string): Promise<string> => (await device(spec)).pick.source;
    try {
      await withEnv({ QUERN_DEVICE: undefined }, async () => expect(await source()).toBe('auto'));
      configure({ device: 'cpu' });
      await withEnv({ QUERN_DEVICE: undefined }, async () => expect(await source()).toBe('configure'));
      await withEnv({ QUERN_DEVICE: 'cpu:0' }, async () => {
        expect(await source()).toBe('QUERN_DEVICE');
        await withDevice('cpu', async () => {
          await new Promise((r) => { setTimeout(r, 1); });
          expect(await source()).toBe('withDevice');
          expect(await source('cpu')).toBe('argument');
        });
        expect(await source()).toBe('QUERN_DEVICE');
      });
    } finally {
      configure({});
    }
  });

  test('a fall-back warns once in a process, whoever asks', async () => {
    const warnings: string[] = [];
    const listen = (w: Error & { code?: string }): void => { if (w.code === 'QUERN_FALLBACK') warnings.push(w.message); };
    process.on('warning', listen);
    const first = await device('opencl:7');
    await device('opencl:7');
    await withEnv({ QUERN_DEVICE: 'opencl:7' }, () => device());
    await new Promise((r) => { setTimeout(r, 5); });
    process.off('warning', listen);
    expect(first.info.id).toBe('cpu:0');
    expect(first.pick.fellBack).toBe(true);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/'opencl:7' \(asked for by argument\) is not available: ./);
  });

  test('a caller without kernels for a kind gets another device, and the reason', async () => {
    const kinds = (await listDevices()).devices.map((d) => d.kind);
    for (const kind of new Set(kinds.filter((k) => k !== 'cpu'))) {
      const d = await device(kind, { kinds: ['cpu'] });
      expect(d.info.id).toBe('cpu:0');
      expect(d.pick.reasons[0]).toMatchObject({ candidate: kind, code: 'no-kernels' });
      expect(await rejection(device(kind, { kinds: ['cpu'], fallback: 'none' }))).toBeInstanceOf(DeviceUnavailableError);
    }
    expect((await device('auto', { kinds: ['cpu'] })).info.id).toBe('cpu:0');
  });

  test('fallback none comes from the call or from configure', async () => {
    expect(await rejection(device('cuda', { fallback: 'none' }))).toBeInstanceOf(DeviceUnavailableError);
    try {
      configure({ fallback: 'none' });
      expect(await rejection(device('cuda'))).toBeInstanceOf(DeviceUnavailableError);
      expect((await device('cuda', { fallback: 'cpu' })).info.id).toBe('cpu:0');
    } finally {
      configure({});
    }
    expect(thrown(() => configure({ device: 'tpu' }))).toBeInstanceOf(ArgumentError);
    expect(await rejection(device('cpu', { fallback: 'gpu' as never }))).toBeInstanceOf(ArgumentError);
    expect(thrown(() => withDevice('tpu', () => 0))).toBeInstanceOf(ArgumentError);
  });
});
