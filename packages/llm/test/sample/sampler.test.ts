import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  SamplerError, argmax, createRandom, createSampler, draw, minP, ordered, penalize, temperature, topK, topP, type SamplerErrorCode, type SamplerOptions,
} from '../../src/sample/index.ts';
import { chiSquare } from './statistics.ts';
import { same, sameNumbers } from '../../../../tools/test/often.ts';

const logit = fc.oneof(fc.float({ noNaN: true, min: -30, max: 30 }), fc.constantFrom(0, -0, 1, -1, 2, -Infinity));
const someLogits = fc.array(logit, { minLength: 1, maxLength: 60 }).map((x) => Float32Array.from(x)).filter((x) => x.some((l) => l !== -Infinity));

function expectCode(code: SamplerErrorCode, message: string, action: () => unknown): void {
  expect(action).toThrow(SamplerError);
  expect(action).toThrow(expect.objectContaining({ code, fix: expect.stringMatching(/./) }));
  expect(action).toThrow(message);
}

/** Allowed ids by logit, equals by id: a plain sort. */
function sorted(logits: Float32Array): number[] {
  return [...logits.keys()].filter((id) => logits[id] !== -Infinity).sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
}

function softmax(logits: readonly number[], t = 1): number[] {
  const highest = Math.max(...logits);
  const weights = logits.map((l) => Math.exp((l - highest) / t));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/** Counts of 20 000 tokens chosen from the same logits. */
function counts(logits: number[], options: SamplerOptions): number[] {
  const sampler = createSampler({ temperature: 1, topK: 0, topP: 1, minP: 0, seed: 11, ...options });
  const given = Float32Array.from(logits);
  const seen = logits.map(() => 0);
  for (let i = 0; i < 20_000; i++) seen[sampler.sample(given)]!++;
  return seen;
}

describe('selection', () => {
  it('topK and ordered agree with a plain sort, ties by the lower id', () => {
    fc.assert(fc.property(someLogits, fc.integer({ min: 1, max: 70 }), (logits, k) => {
      const wanted = sorted(logits);
      sameNumbers(topK(logits, k).ids, wanted.slice(0, k));
      sameNumbers(ordered(logits).ids, wanted);
      sameNumbers(ordered(logits, 0).ids, wanted.filter((id) => (logits[id] as number) >= 0));
      sameNumbers(topK(logits, k).logits, wanted.slice(0, k).map((id) => logits[id] as number));
      same(argmax(logits), wanted[0]);
    }), { numRuns: 2000 });
    expect([...topK(Float32Array.of(0, -0, 1, 1, -0, 0), 4).ids]).toEqual([2, 3, 0, 1]);
  });

  it('topK is right among many', () => {
    const random = createRandom(5);
    const logits = Float32Array.from({ length: 50_000 }, () => Math.fround(random.uniform() * 40 - 20));
    expect([...topK(logits, 100).ids]).toEqual(sorted(logits).slice(0, 100));
  });

  it('topP keeps the fewest that reach the share', () => {
    const c = ordered(Float32Array.from([0.5, 0.25, 0.125, 0.125].map(Math.log)));
    const kept = (p: number): number => topP(c, p).ids.length;
    expect([1e-9, 0.49, 0.51, 0.74, 0.76, 0.87, 0.88, 1].map(kept)).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
    expect(topP(c, 0.43, 4).ids.length).toBe(3); // told that as much again lies elsewhere
  });

  it('minP keeps what is near the best, in any order', () => {
    const c = { ids: Int32Array.of(3, 1, 2), logits: Float32Array.from([0.1, 0.6, 0.3].map(Math.log)) };
    expect([...minP(c, 0.4).ids]).toEqual([1, 2]);
    expect([...minP(c, 0.9).ids]).toEqual([1]);
    expect([...minP(c, 0.1).ids]).toEqual([3, 1, 2]);
  });

  it('draws the candidate that the point falls on', () => {
    const c = { ids: Int32Array.of(7, 8, 9), logits: Float32Array.from([0.25, 0.5, 0.25].map(Math.log)) };
    expect([0, 0.249, 0.251, 0.749, 0.751, 1 - 2 ** -53].map((u) => draw(c, u))).toEqual([7, 7, 8, 8, 9, 9]);
    // Whatever the mass, neither an impossible candidate nor none at all.
    fc.assert(fc.property(fc.array(fc.float({ noNaN: true, min: -50, max: 50 }), { minLength: 1, maxLength: 9 }), fc.constantFrom(0, 0.5, 1 - 2 ** -53), (some, u) => {
      const logits = Float32Array.from([-1e9, ...some, -1e9]);
      expect(draw({ ids: Int32Array.from(logits.keys()), logits }, u) % (logits.length - 1)).not.toBe(0);
    }), { numRuns: 1000 });
  });

  it('temperature flattens and sharpens without overflow', () => {
    const c = { ids: Int32Array.of(0, 1), logits: Float32Array.of(3e38, 2.9e38) };
    expect([...temperature(c, 1e-9).logits]).toEqual([0, -Infinity]);
    expect([...temperature({ ids: c.ids, logits: Float32Array.of(4, 2) }, 2).logits]).toEqual([0, -1]);
  });
});

describe('penalize', () => {
  const off = { repeat: 1, frequency: 0, presence: 0, last: 64 };
  it('divides, multiplies and subtracts, within its window, on a copy', () => {
    const logits = Float32Array.of(4, -4, 2, 0);
    expect(penalize(logits, [0, 1, 0], { ...off, repeat: 2 })).toEqual(Float32Array.of(2, -8, 2, 0));
    expect(penalize(logits, [0, 1, 0], { ...off, frequency: 1 })).toEqual(Float32Array.of(2, -5, 2, 0));
    expect(penalize(logits, [0, 1, 0], { ...off, presence: 1 })).toEqual(Float32Array.of(3, -5, 2, 0));
    expect(penalize(logits, [0, 1, 2], { ...off, presence: 1, last: 1 })).toEqual(Float32Array.of(4, -4, 1, 0));
    expect(penalize(logits, [0, 1, 2], { ...off, presence: 1, last: Infinity })).toEqual(Float32Array.of(3, -5, 1, 0));
    expect(logits).toEqual(Float32Array.of(4, -4, 2, 0));
    expect(penalize(logits, [0], off)).toBe(logits);
  });

  it('keeps a forbidden token forbidden and refuses a token without a logit', () => {
    expect(penalize(Float32Array.of(-Infinity, 1), [0], { ...off, repeat: 1.5, frequency: -2 })[0]).toBe(-Infinity);
    expectCode('bad-argument', "'history' has the token 9 at 1", () => penalize(Float32Array.of(1, 2), [0, 9], { ...off, repeat: 2 }));
  });
});

describe('createSampler', () => {
  it('is greedy at temperature 0: the best, the lowest id of equals', () => {
    const { sample } = createSampler({ temperature: 0 });
    expect(sample(Float32Array.of(1, 5, 5, 2))).toBe(1);
    expect(sample(Float32Array.of(-Infinity, -3))).toBe(1);
    fc.assert(fc.property(someLogits, (logits) => {
      expect(sample(logits)).toBe(sorted(logits)[0]);
    }));
  });

  it('never takes a token that a stage removed, nor changes the logits', () => {
    fc.assert(fc.property(
      someLogits, fc.nat(70), fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.01, max: 5, noNaN: true }), fc.nat(),
      (logits, k, p, floor, t, seed) => {
        const before = logits.slice();
        let allowed = ordered(logits);
        if (k > 0 && k < allowed.ids.length) allowed = { ids: allowed.ids.subarray(0, k), logits: allowed.logits.subarray(0, k) };
        // A hair wider than asked for: sums in another order may differ in their last bit at a border.
        allowed = topP(allowed, Math.min(1, p + 1e-9));
        if (floor > 0) allowed = minP(allowed, floor * (1 - 1e-9));
        const { sample } = createSampler({ topK: k, topP: p, minP: floor, temperature: t, seed });
        for (let i = 0; i < 5; i++) { const id = sample(logits); same(allowed.ids.includes(id), true, `${id} of ${[...allowed.ids].join(' ')}`); }
        sameNumbers(logits, before);
      },
    ), { numRuns: 2000 });
  });

  it('topP keeps the same tokens whether or not topK has sorted them before', () => {
    const random = createRandom(9);
    for (let n = 0; n < 60; n++) {
      // From nearly flat to steep.
      const spread = n / 5;
      const logits = Float32Array.from({ length: 200 }, () => Math.fround(random.uniform() * spread));
      const p = 0.05 + 0.9 * random.uniform();
      const kept = topP(ordered(logits), p).ids;
      const seen = new Set<number>();
      const { sample } = createSampler({ temperature: 1000, topK: 0, topP: p, minP: 0, seed: n });
      for (let i = 0; i < 50 + 10 * kept.length; i++) seen.add(sample(logits));
      expect([...seen].every((id) => kept.includes(id))).toBe(true);
      expect(seen.size).toBeGreaterThan(0.98 * kept.length);
    }
  });

  it('draws from the softmax, at any temperature', () => {
    const logits = [1, 0, -1, 2, 0.5, -3, 1.5, -0.5];
    for (const t of [0.5, 1, 2]) expect(chiSquare(counts(logits, { temperature: t }), softmax(logits, t))).toBeGreaterThan(1e-4);
    // The test can tell: the wrong temperature is seen at once.
    expect(chiSquare(counts(logits, { temperature: 1 }), softmax(logits, 1.1))).toBeLessThan(1e-6);
  });

  it('draws from what topK, topP and minP leave, in its proportions', () => {
    const logits = [0.05, 0.3, 0.1, 0.4, 0.15].map(Math.log);
    const only = (...ids: number[]): number[] => {
      const mass = ids.reduce((sum, id) => sum + Math.exp(logits[id] as number), 0);
      return logits.map((l, id) => (ids.includes(id) ? Math.exp(l) / mass : 0));
    };
    expect(chiSquare(counts(logits, { topK: 3 }), only(1, 3, 4))).toBeGreaterThan(1e-4);
    expect(chiSquare(counts(logits, { topP: 0.69 }), only(1, 3))).toBeGreaterThan(1e-4);
    expect(chiSquare(counts(logits, { topP: 0.71 }), only(1, 3, 4))).toBeGreaterThan(1e-4);
    expect(chiSquare(counts(logits, { minP: 0.3 }), only(1, 3, 4))).toBeGreaterThan(1e-4);
    expect(chiSquare(counts(logits, { topK: 4, topP: 0.9, minP: 0.5 }), only(1, 3))).toBeGreaterThan(1e-4);
  });

  it('repeats itself with the same seed, from the start and after reset', () => {
    const logits = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i));
    const run = (sampler: ReturnType<typeof createSampler>): number[] => Array.from({ length: 50 }, () => sampler.sample(logits));
    const sampler = createSampler({ seed: 5, temperature: 2 });
    const first = run(sampler);
    expect(run(createSampler({ seed: 5, temperature: 2 }))).toEqual(first);
    expect(run(sampler)).not.toEqual(first);
    sampler.reset();
    expect(run(sampler)).toEqual(first);
    expect(run(createSampler({ seed: 6, temperature: 2 }))).not.toEqual(first);
    const unseeded = createSampler({ temperature: 2 });
    expect(unseeded.seed).not.toBe(createSampler({}).seed);
    expect(run(createSampler({ temperature: 2, seed: unseeded.seed }))).toEqual(run(unseeded));
  });

  it('penalises what was said', () => {
    const { sample } = createSampler({ temperature: 0, repeatPenalty: 2, penaltyLast: 2 });
    const logits = Float32Array.of(3, 2, 1);
    expect(sample(logits)).toBe(0);
    expect(sample(logits, [0])).toBe(1);
    expect(sample(logits, [0, 1, 2])).toBe(0);
  });

  it('reports logits from which nothing can be chosen', () => {
    for (const temperature of [0, 1]) {
      const { sample } = createSampler({ temperature, seed: 1 });
      expectCode('bad-logits', 'token 1 is NaN', () => sample(Float32Array.of(0, NaN, 1)));
      expectCode('bad-logits', 'token 2 is Infinity', () => sample(Float32Array.of(0, 1, Infinity)));
      expectCode('bad-logits', 'all 2 logits', () => sample(Float32Array.of(-Infinity, -Infinity)));
      expectCode('bad-logits', 'no logits', () => sample(new Float32Array(0)));
    }
  });

  it.each<[SamplerOptions, string]>([
    [{ temperature: -1 }, "'temperature' is -1"],
    [{ temperature: NaN }, "'temperature' is NaN"],
    [{ topK: 1.5 }, "'topK' is 1.5"],
    [{ topP: 0 }, "'topP' is 0"],
    [{ topP: 1.01 }, "'topP' is 1.01"],
    [{ minP: -0.1 }, "'minP' is -0.1"],
    [{ seed: -1 }, "'seed' is -1"],
    [{ seed: 2 ** 53 }, "'seed' is 9007199254740992"],
    [{ repeatPenalty: 0 }, "'repeatPenalty' is 0"],
    [{ frequencyPenalty: Infinity }, "'frequencyPenalty' is Infinity"],
    [{ presencePenalty: NaN }, "'presencePenalty' is NaN"],
    [{ penaltyLast: 0.5 }, "'penaltyLast' is 0.5"],
    [{ topP: '0.9' as unknown as number }, "'topP' is 0.9"],
    [{ top_k: 3 } as SamplerOptions, "no option 'top_k'"],
  ])('names the argument that is wrong: %o', (options, message) => {
    expectCode('bad-argument', message, () => createSampler(options));
  });

  it('takes undefined for an option that is not given', () => {
    expect(createSampler({ seed: 3, temperature: undefined }).seed).toBe(3);
  });
});
