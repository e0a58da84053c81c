/** The doctor's report on this machine, and what it says when something is wrong. */
import { describe, expect, test } from 'vitest';
import { doctorReport, formatDevices, formatDoctor } from '../src/index.ts';
import { temporaryDir } from './support/sample.ts';
import { withEnv } from './support/thrown.ts';

describe('a machine where all is well', () => {
  test('names the addon, the CPU, the compiler, the cache and the devices', async () => {
    const cache = temporaryDir();
    await withEnv({ QUERN_CACHE_DIR: cache, QUERN_DEVICE: undefined, CC: undefined }, async () => {
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

  test('a device that is absent is shown with its stand-in and the reason', async () => {
    await withEnv({ QUERN_DEVICE: 'cuda' }, async () => {
      expect(formatDevices(await doctorReport())).toMatch(/picked: cpu:0 \(stands in for 'cuda'; a fall-back\)\n {2}cuda: unavailable/);
    });
  });
});
