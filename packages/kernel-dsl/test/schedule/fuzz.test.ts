import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CORPUS } from './corpus.ts';
import { VERBS, compare, scheduled } from './fuzz.ts';
import type { Draw } from './fuzz.ts';

/** Schedules that are tried; `npm run test:all` asks for many. */
const RUNS = Number(process.env['QUERN_FUZZ_SCHEDULES'] ?? 400);

const draw: fc.Arbitrary<Draw> = fc.record({ verb: fc.constantFrom(...VERBS), a: fc.nat(30), b: fc.nat(30), n: fc.nat(1000) });
const size = fc.integer({ min: 0, max: 9 });

describe('random schedules', () => {
  const counts = { done: new Map<string, number>(), refused: new Map<string, number>() };
  it('compute what the algorithm computes', () => {
    fc.assert(fc.property(fc.constantFrom(...CORPUS.map((k) => k.name)), fc.array(draw, { minLength: 1, maxLength: 14, size: 'max' }), fc.record({ M: size, N: size, K: size, P: size }), fc.nat(1000), (name, draws, sizes, seed) => {
      const k = CORPUS.find((c) => c.name === name)!;
      const s = scheduled(k, draws, counts);
      if (s) compare(k, s, sizes, seed);
    }), { numRuns: RUNS });
  }, 1000 * Math.max(60, RUNS / 50));

  it('draw every verb and often succeed', () => {
    const done = [...counts.done.values()].reduce((a, b) => a + b, 0), refused = [...counts.refused.values()].reduce((a, b) => a + b, 0);
    expect(done / (done + refused)).toBeGreaterThan(0.15);
    for (const v of ['split', 'reorder', 'stage', 'parallel', 'vectorize', 'unroll'] as const) expect(counts.done.get(v) ?? 0, v).toBeGreaterThan(0);
  });
});
