import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printKernel } from '../../src/ir/index.ts';
import { gemv, rowReduction, streamingMap } from '../../src/library/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { matvec, norm, saxpy } from '../schedule/corpus.ts';
import { MACHINE, compare } from '../schedule/fuzz.ts';

const size = fc.integer({ min: 0, max: 40 });
const v3 = target('x86-64-v3');

describe('schedules of streams', () => {
  it('keep the meaning at sizes around the vectors', () => {
    const all = [
      [saxpy, schedule(saxpy, MACHINE, (s, { i }) => s.parallel(streamingMap(s, i, { vectors: 2 })))],
      [norm, schedule(norm, MACHINE, (s, { t, j, i }) => { rowReduction(s, j, 'squares', { vectors: 2 }); streamingMap(s, i); s.parallel(t); })],
      [matvec, schedule(matvec, MACHINE, (s, ax) => gemv(s, ax, 'acc', { streams: 2 }))],
    ] as const;
    expect(all.map(([, s]) => s.reassociates)).toEqual([false, true, true]);
    for (const [k, s] of all) fc.assert(fc.property(size, size, fc.nat(99), (M, N, seed) => { compare(k, s, { M, N }, seed); }), { numRuns: 40 });
  });
  it('are as wide as they are told', () => {
    expect(printKernel(schedule(saxpy, v3, (s, { i }) => { streamingMap(s, i, { vectors: 4 }); }).ir)).toContain('vector ii in 0..32');
    const text = printKernel(schedule(matvec, v3, (s, ax) => gemv(s, ax, 'acc', { vectors: 2, streams: 3 })).ir);
    expect(text).toContain('vector ki in 0..16');
    expect(text).toContain('parallel rn in 0..M / 3');
    expect(text).toContain('acc_part_2[ki] +=');
  });
});
