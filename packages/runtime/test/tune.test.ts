/** Choosing by measuring: the race under a clock of our own, keys, records, and a kernel that is really tuned. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { axes, kernel, reg, tensor as tensorSpec } from '@quern/kernel-dsl';
import type { Schedule } from '@quern/kernel-dsl';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyText, parseRecords, race, readRecord, recordFor, recordPath, tune, tuneKey, values, writeRecord, zeros } from '../src/index.ts';
import type { TuneKey, TuneProgress, TuneRecord } from '../src/index.ts';
import { temporaryDir } from './support/sample.ts';

/** Runners on a clock that only they advance: `ms(turn)` is what a run takes. */
function onClock(speeds: readonly (() => number)[]): { runners: { name: string; run: () => void }[]; now: () => number } {
  let clock = 0;
  return { runners: speeds.map((ms, i) => ({ name: `r${i}`, run: () => { clock += ms(); } })), now: () => clock };
}
const random = (seed: number): (() => number) => { let x = seed | 1; return () => { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; return (x >>> 0) / 2 ** 32; }; };

describe('a race', () => {
  test('is won by whoever is clearly faster', () => {
    const { runners, now } = onClock([() => 10, () => 8, () => 12]);
    const r = race(runners, { now });
    expect(r.winner).toBe(1);
    expect(r.timings.map((t) => t.min)).toEqual([10_000, 8000, 12_000]);
    expect(r.timings[0]!.us).toHaveLength(9);
  });

  test('stays with the first within the margin', () => {
    const { runners, now } = onClock([() => 10, () => 9.9]);
    expect(race(runners, { now }).winner).toBe(0);
    expect(race(runners, { now, margin: 0.005 }).winner).toBe(1);
  });

  test('is not won by noise: equal runners under 20 % of it leave the first in place in nearly all races, a gain of 40 % is found', () => {
    let wrong = 0, found = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const r = random(seed * 7919), noisy = (ms: number) => (): number => ms * (1 + 0.2 * r());
      const equal = onClock([noisy(10), noisy(10), noisy(10), noisy(10)]), better = onClock([noisy(10), noisy(10), noisy(6)]);
      if (race(equal.runners, { now: equal.now }).winner !== 0) wrong++;
      if (race(better.runners, { now: better.now }).winner === 2) found++;
    }
    expect(wrong).toBeLessThanOrEqual(4);
    expect(found).toBeGreaterThanOrEqual(196);
  });

  test('repeats quick work until a turn is long enough, and tells turns', () => {
    let runs = 0, clock = 0;
    const told: number[] = [];
    race([{ name: 'quick', run: () => { runs++; clock += 0.01; } }], { now: () => clock, turnMs: 5, turns: 3, onTurn: (n) => told.push(n) });
    expect(runs).toBeGreaterThan(3 * 500);
    expect(runs).toBeLessThan(3 * 500 + 5000);
    expect(told).toEqual([1, 2, 3]);
  });

  test('refuses what cannot be raced, and stops when told', () => {
    expect(() => race([])).toThrow(/at least one runner/);
    expect(() => race([{ name: 'a', run: () => undefined }], { turns: 2 })).toThrow(/turns must be an integer of at least 3, got 2/);
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    expect(() => race([{ name: 'a', run: () => undefined }], { signal: stop.signal })).toThrow('enough');
  });
});

const key: TuneKey = { kernel: 'k', algorithm: 'a1', candidates: 'c1', dsl: '0.1.0', isa: 'x86-64-v3', cpu: 'some cpu', threads: 2, sizes: { M: 500, N: 30 } };
const record: TuneRecord = { key: tuneKey(key), winner: { mr: 6 }, candidates: [{ params: { mr: 6 }, us: [1, 2, 3] }], date: '2026-01-01' };

describe('keys and records', () => {
  test('sizes go by powers of two; every other part makes another key', () => {
    expect(tuneKey(key).sizes).toEqual({ M: 512, N: 32 });
    expect(keyText({ ...key, sizes: { N: 33, M: 700 } })).toBe(keyText(key));
    const others: Partial<TuneKey>[] = [{ kernel: 'l' }, { algorithm: 'a2' }, { candidates: 'c2' }, { dsl: '0.2.0' }, { isa: 'x86-64' }, { cpu: 'other' }, { threads: 1 }, { sizes: { M: 1024, N: 30 } }, { sizes: { M: 500 } }];
    expect(new Set([key, ...others.map((x) => ({ ...key, ...x }))].map(keyText)).size).toBe(others.length + 1);
    fc.assert(fc.property(fc.integer({ min: 1, max: 1 << 20 }), (n) => { const b = tuneKey({ ...key, sizes: { n } }).sizes['n']!; return b / n <= Math.SQRT2 + 1e-9 && n / b <= Math.SQRT2 + 1e-9; }));
  });

  test('come back from the cache as they were; damaged and foreign ones count as none', () => {
    const dir = temporaryDir(), path = writeRecord(record, dir);
    expect(path).toBe(recordPath(key, dir));
    expect(readRecord(key, dir)).toEqual(record);
    expect(readRecord({ ...key, threads: 1 }, dir)).toBeUndefined();
    expect(readdirSync(join(dir, 'tuning'))).toHaveLength(1);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"some cpu"', '"other cpu"'));
    expect(readRecord(key, dir)).toBeUndefined();
    writeFileSync(path, '{ "key"');
    expect(readRecord(key, dir)).toBeUndefined();
  });

  test('ship with packages as a list', () => {
    const list = parseRecords(JSON.stringify([record]));
    expect(recordFor(list, { ...key, sizes: { M: 512, N: 32 } })?.winner).toEqual({ mr: 6 });
    expect(recordFor(list, { ...key, isa: 'x86-64' })).toBeUndefined();
    expect(() => parseRecords('[{}]')).toThrow(/list of objects with key, winner, candidates and date[\s\S]*quern tune/);
    expect(() => parseRecords('[')).toThrow(/not JSON/);
  });
});

describe('tuning a kernel', () => {
  const sums = kernel('sums', { x: tensorSpec('f32', 'R', 'N'), y: tensorSpec('f32', 'R').out() }, ({ x, y, R, N }) => {
    const ax = axes({ r: R, i: N });
    for (const r of ax.r) {
      const acc = reg('f32', 0);
      for (const i of ax.i) acc.addAssign(x.at(r, i));
      y.at(r).set(acc);
    }
    return ax;
  });
  type Params = { readonly lanes: number };
  const apply = (s: Schedule, ax: typeof sums.axes, p: Params): void => {
    if (p.lanes === 0) return;
    if (p.lanes < 0) throw new Error('no such width');
    const [, l] = s.split(ax.i, p.lanes, { tail: 'peel' });
    s.rfactor('acc', l);
    s.vectorize(l);
  };
  const args = (): { x: ReturnType<typeof values>; y: ReturnType<typeof zeros> } => ({ x: values(Array.from({ length: 64 * 1000 }, (_, i) => Math.sin(i)), [64, 1000]), y: zeros([64]) });
  const candidates: readonly Params[] = [{ lanes: 0 }, { lanes: 32 }, { lanes: -1 }];

  test('finds the vectors, keeps what failed with its reason, and remembers', async () => {
    // One chain of additions against 32 sums. A machine with more work than processors can hide even that, for one race or two.
    const race = async (): Promise<{ readonly cacheDir: string; readonly told: readonly TuneProgress[]; readonly first: Awaited<ReturnType<typeof tune<typeof sums.axes, Params>>> }> => {
      const cacheDir = temporaryDir(), told: TuneProgress[] = [];
      return { cacheDir, told, first: await tune(sums, { candidates: () => candidates, schedule: apply }, args, { cacheDir, turns: 7, turnMs: 3, threads: 1, onProgress: (p) => told.push(p) }) };
    };
    let last = await race();
    for (let more = 0; more < 8 && last.first.record.winner.lanes !== 32; more++) last = await race();
    const { cacheDir, told, first } = last;
    expect(first.record.winner).toEqual({ lanes: 32 });
    expect(first.remembered).toBe(false);
    expect(first.record.key).toMatchObject({ kernel: 'sums', threads: 1, sizes: { R: 64, N: 1024 } });
    expect(first.record.candidates.map((c) => [c.us.length, c.error])).toEqual([[7, undefined], [7, undefined], [0, 'no such width']]);
    expect(new Set(told.map((p) => p.stage))).toEqual(new Set(['compile', 'race']));
    const again = await tune(sums, { candidates: () => candidates, schedule: apply }, args, { cacheDir, threads: 1 });
    expect(again).toMatchObject({ remembered: true, record: first.record });
    // Another list of candidates is another question.
    expect((await tune(sums, { candidates: () => candidates.slice(0, 1), schedule: apply }, args, { cacheDir, threads: 1, turns: 3, turnMs: 1 })).remembered).toBe(false);
  });

  test('does not let a candidate win that computes something else', async () => {
    // The arguments change under it, so that what later candidates compute differs: as a wrong schedule would make it.
    let calls = 0;
    const changing = (): ReturnType<typeof args> => { const a = args(); calls++; if (calls === 2) a.x.write(Array.from({ length: 64_000 }, () => 1)); return a; };
    const { record: r } = await tune(sums, { candidates: () => candidates.slice(0, 2), schedule: apply }, changing, { cacheDir: temporaryDir(), turns: 3, turnMs: 1, threads: 1 });
    expect(r.winner).toEqual({ lanes: 0 });
    expect(r.candidates[1]!.error).toMatch(/computes something else: y\[0\] is 1000, with the first candidate /);
  });

  test('needs a candidate, and a first one that works', async () => {
    await expect(tune(sums, { candidates: () => [], schedule: apply }, args)).rejects.toThrow(/no candidates for 'sums'/);
    await expect(tune(sums, { candidates: () => [{ lanes: -1 }], schedule: apply }, args)).rejects.toThrow('no such width');
  });
});
