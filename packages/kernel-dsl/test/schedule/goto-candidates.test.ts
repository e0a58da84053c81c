import { describe, expect, it } from 'vitest';
import { gotoCandidates } from '../../src/library/index.ts';
import { TARGETS } from '../../src/targets/index.ts';

describe('block sizes worth measuring', () => {
  const caches = { l1d: 32 << 10, l2: 1 << 20, l3: 16 << 20 };
  it.each(TARGETS.map((t) => [t.isa, t] as const))('fit the registers and caches of %s', (_, t) => {
    for (const bytes of [4, 8]) {
      const list = gotoCandidates(t, bytes, caches), lanes = t.vecBytes / bytes;
      expect(list.length).toBeGreaterThan(5);
      expect(new Set(list.map((b) => JSON.stringify(b))).size).toBe(list.length);
      for (const { mr, nr, mc, kc, nc } of list) {
        const v = nr / lanes;
        expect(mr * v + v + (t.fma ? 1 : 2)).toBeLessThanOrEqual(t.vectorRegisters);
        expect(mr * v).toBeGreaterThanOrEqual(8);
        expect([mc % mr, nc % nr]).toEqual([0, 0]);
        expect(kc * mr * bytes).toBeLessThanOrEqual(caches.l1d / 2);
        expect(kc * nc * bytes).toBeLessThanOrEqual(4 << 20);
      }
    }
  });
  it('do without knowing the caches', () => expect(gotoCandidates(TARGETS[0]!, 4, { l1d: 0, l2: 0, l3: 0 }).every((b) => b.kc * b.nc * 4 <= 1 << 20)).toBe(true));
});
