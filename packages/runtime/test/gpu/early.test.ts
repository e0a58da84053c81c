import { describe, expect, it } from 'vitest';
import { earlyStarts } from '../../src/driver/early.ts';
import type { GpuBuffer, GpuGrid, GpuValue } from '../../src/driver/index.ts';

const buffer = (): GpuBuffer => ({ bytes: 4, freed: false }), grid: GpuGrid = { grid: [1, 1, 1], block: [32, 1, 1] };
const value = (b: GpuBuffer): GpuValue => ({ kind: 'buffer', buffer: b, offset: 0 });

describe('launches that may start early', () => {
  const [W, x, y, z] = [buffer(), buffer(), buffer(), buffer()] as [GpuBuffer, GpuBuffer, GpuBuffer, GpuBuffer];
  /** After a launch of something else. */
  const starts = (): ReturnType<typeof earlyStarts>['next'] => { const { next } = earlyStarts(); next({ ...grid, writes: [] }, []); return next; };
  const product = (from: GpuBuffer, to: GpuBuffer): GpuGrid => ({ ...grid, overlap: true, early: [from], writes: [to] });
  it('do so where no launch before writes what they read early', () => {
    const early = starts();
    expect(early(product(W, y), [W, x, y].map(value))).toBe(true);
    expect(early(product(W, z), [W, y, z].map(value))).toBe(true);
    expect(early({ ...grid, overlap: true, writes: [y] }, [value(y)])).toBe(true);
  });
  it('do not where the launch before, or one before that which may still run, writes it', () => {
    const early = starts();
    early(product(W, y), [W, y].map(value));
    expect(early(product(y, z), [y, z].map(value))).toBe(false);
    early(product(W, x), [W, x].map(value));
    expect(early(product(z, y), [z, y].map(value))).toBe(false);
    // The one that waited is the only one that may still run.
    expect(early(product(x, z), [x, z].map(value))).toBe(true);
  });
  it('count all buffers as written where nothing is said, and launches that start after all others as an end of what came before', () => {
    const early = starts();
    expect(early(grid, [value(W), value(y)])).toBe(false);
    expect(early(product(W, z), [W, z].map(value))).toBe(false);
    early(grid, [value(x)]);
    expect(early(product(W, z), [W, z].map(value))).toBe(true);
  });
  it('do not where it is not a launch that comes before them', () => {
    const { next, other } = earlyStarts(), launch = (): boolean => next(product(W, y), [W, y].map(value));
    expect([launch(), launch()]).toEqual([false, true]);
    other();
    expect([launch(), launch()]).toEqual([false, true]);
  });
  it('end a chain once it wrote many buffers', () => {
    const early = starts(), all = Array.from({ length: 300 }, () => early(product(W, buffer()), []));
    expect([all.filter((x) => !x).length, all.indexOf(false)]).toEqual([1, 256]);
  });
});
