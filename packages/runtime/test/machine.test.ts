/** The machine as the runtime sees it, and its measured limits. */
import { cpus } from 'node:os';
import { describe, expect, test } from 'vitest';
import { ArgumentError, cpuInfo, measureFmaPeak, measureReadBandwidth, poolInfo, residentMemory, setThreads, threads } from '../src/index.ts';
import { thrown } from './support/thrown.ts';

test('the CPU is described', () => {
  const cpu = cpuInfo();
  expect(cpu.arch).toBe(process.arch);
  expect(cpu.caches.l1d).toBeGreaterThan(0);
  expect(cpu.caches.l2).toBeGreaterThanOrEqual(cpu.caches.l1d);
  if (process.arch === 'x64') {
    expect(cpus()[0]?.model.trim()).toBe(cpu.brand);
    // What Linux shows and what we find agree on the features that decide.
    expect(cpu.features.includes('avx2')).toBe(cpu.isas.includes('x86-64-v3'));
  }
});

test('threads can be set and put back', () => {
  const standard = threads();
  expect(standard).toBeGreaterThanOrEqual(1);
  expect(setThreads(3)).toBe(poolInfo().cap === 0 ? 3 : Math.min(3, poolInfo().cap));
  expect(setThreads()).toBe(standard);
  for (const n of [0, -1, 1.5, 257]) expect(thrown(() => setThreads(n))).toBeInstanceOf(ArgumentError);
});

describe('limits', () => {
  test('reading memory and multiplying have a rate of a plausible size', () => {
    const read = measureReadBandwidth({ threads: 1, bytes: 64 << 20, rounds: 3 });
    expect(read).toBeGreaterThan(5e8);
    expect(read).toBeLessThan(2e12);
    const f32 = measureFmaPeak({ threads: 1, rounds: 3 });
    const f64 = measureFmaPeak({ threads: 1, rounds: 3, dtype: 'f64' });
    if (cpuInfo().isas.includes('x86-64-v3')) {
      expect(f32).toBeGreaterThan(5e9);
      expect(f32 / f64).toBeGreaterThan(1.3);
      expect(f32 / f64).toBeLessThan(3);
    }
    expect(thrown(() => measureFmaPeak({ rounds: 0 }))).toBeInstanceOf(ArgumentError);
  });

  test('resident memory is told', () => {
    const { total, anonymous, peak } = residentMemory();
    expect(total).toBeGreaterThan(10 << 20);
    expect(anonymous).toBeLessThanOrEqual(total);
    expect(peak).toBeGreaterThanOrEqual(total * 0.9);
  });
});
