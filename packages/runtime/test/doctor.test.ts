/** The doctor's report on this machine, and what it says when something is wrong. */
import { describe, expect, test } from 'vitest';
import { doctorReport, formatDevices, formatDoctor } from '../src/index.ts';
import { fixes } from '../src/doctor/report.ts';
import type { DeviceInfo } from '../src/index.ts';
import { temporaryDir } from './support/sample.ts';
import { withEnv } from './support/thrown.ts';

/** Drivers that are not there, on whatever machine this runs. */
const NO_GPU = { QUERN_CUDA_LIBRARY: '/no/libcuda.so', QUERN_OPENCL_LIBRARY: '/no/libOpenCL.so' };

describe('the line of a device', () => {
  const limits = { lanes: 1024, block: [1024, 1024, 64], grid: [2 ** 31 - 1, 65535, 65535], sharedBytes: 49152, dynamicSharedBytes: 232448, bufferBytes: 2 ** 36, memoryBytes: 80 * 2 ** 30, cacheBytes: 0 } as const;
  const gpu = (kind: 'cuda' | 'opencl' | 'webgpu', o: Partial<NonNullable<DeviceInfo['gpu']>>): DeviceInfo => ({
    id: `${kind}:0`, kind, index: 0, name: 'A card', type: 'dgpu', backend: kind, features: ['f64'], threads: 1,
    gpu: { kind, index: 0, name: 'A card', vendor: '', driver: '', software: false, integrated: false, features: ['f64'], units: 132, version: [9, 0], limits, ...o },
  });
  test.each([
    ['cuda:0  A card, compute capability 9.0, 132 multiprocessors, 80.0 GB', gpu('cuda', {})],
    ['opencl:0  A card, OpenCL 3.0, on the CPU, 1 compute unit, 80.0 GB', gpu('opencl', { version: [3, 0], software: true, units: 1 })],
    ['webgpu:0  A card, WebGPU', gpu('webgpu', { version: [0, 0], units: 0, limits: { ...limits, memoryBytes: 0 } })],
  ])('%s', (line, device) => { expect(formatDevices({ devices: [device], unavailable: [], picked: 'none' }).split('\n')[0]).toBe(line); });
});

describe('a machine where all is well', () => {
  test('names the addon, the CPU, the compiler, the cache and the devices', async () => {
    const cache = temporaryDir();
    await withEnv({ ...NO_GPU, QUERN_CACHE_DIR: cache, QUERN_DEVICE: undefined, CC: undefined }, async () => {
      const report = await doctorReport();
      expect(report.addon).toMatchObject({ loaded: true, tier: 'build' });
      expect(report.fixes).toEqual([]);
      expect(JSON.parse(JSON.stringify(report))).toMatchObject({ cache: { path: cache } });
      const text = formatDoctor(report);
      for (const part of [process.versions.node, 'quern_runtime.node', report.cpu!.isas[0]!, 'L2', `${cache} (QUERN_CACHE_DIR)`, 'picked: cpu:0', 'cuda: unavailable', 'Nothing to fix.']) {
        expect(text).toContain(part);
      }
      expect(formatDevices(report).split('\n')[0]).toMatch(/^cpu:0 {2}.*native/);
    });
  });
});

describe('a machine where something is wrong', () => {
  test('no compiler, no cache, a device that is none, threads that are no number', async () => {
    await withEnv({ QUERN_CACHE_DIR: '/proc/nothing', CC: '/no/cc', QUERN_DEVICE: 'tpu', QUERN_NUM_THREADS: 'all' }, async () => {
      const { fixes, picked, cache } = await doctorReport();
      expect(fixes.join('\n')).toMatch(/QUERN_NUM_THREADS='all'[^]*install gcc[^]*QUERN_CACHE_DIR[^]*QUERN_DEVICE/);
      expect(picked).toMatch(/'tpu' is no device/);
      expect(cache.problem).toContain('/proc/nothing');
    });
  });

  test('a GPU whose compiler is absent, and a device that does not open', async () => {
    await withEnv({ ...NO_GPU, QUERN_DEVICE: undefined }, async () => {
      const report = await doctorReport(), gpu = { id: 'cuda:0', identity: undefined, problem: 'NVRTC is not on this machine' };
      expect(report.gpu).toBeUndefined();
      expect(fixes({ ...report, gpu })).toEqual([...report.fixes, 'no kernel can be compiled for cuda:0: NVRTC is not on this machine']);
      expect(formatDoctor({ ...report, gpu })).toMatch(/^GPU compiler +none$/m);
      expect(formatDoctor({ ...report, gpu: { ...gpu, identity: 'nvrtc 13.0', problem: undefined } })).toMatch(/^GPU compiler +nvrtc 13\.0$/m);
      expect(fixes({ ...report, picked: 'out of memory' })).toEqual([...report.fixes, 'no device can be opened: out of memory']);
    });
  });

  test('a device that is absent is shown with its stand-in and the reason', async () => {
    await withEnv({ ...NO_GPU, QUERN_DEVICE: 'cuda' }, async () => {
      expect(formatDevices(await doctorReport())).toMatch(/picked: cpu:0 \(stands in for 'cuda'; a fall-back\)\n {2}cuda: unavailable/);
    });
  });
});
