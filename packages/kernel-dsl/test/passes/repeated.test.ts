import { describe, expect, it } from 'vitest';
import { printKernel, specViolation } from '../../src/ir/index.ts';
import { axes, kernel, tensor } from '../../src/lang/index.ts';
import type { Kernel } from '../../src/lang/index.ts';
import { lower } from '../../src/passes/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { RUNNABLE, sameAsInterpreter } from '../emit/harness.ts';
import { machine } from './helpers.ts';

/** y[n, i] = the word of x that starts at byte 2 + 4 * (i mod period), for 16 lanes. */
const words = (period: number): Kernel => kernel(`words_${period}`, { x: tensor('u8', 'N', 70), y: tensor('u32', 'N', 16).out() }, ({ x, y, N }) => {
  const ax = axes({ n: N, i: 16 });
  for (const n of ax.n) for (const i of ax.i) y.at(n, i).set(x.as('u32', n, i.mod(period).mul(4).add(2)));
  return ax;
});
const vectorized = (k: Kernel, t: Parameters<typeof schedule>[1]): ReturnType<typeof schedule>['ir'] => lower(schedule(k, t, (s, ax) => s.vectorize(ax['i']!)).ir, t);

describe('lanes that walk over a few neighbours and start over', () => {
  it('are a short vector, loaded once, and a shuffle that repeats it', () => {
    const text = printKernel(vectorized(words(4), machine(64)));
    expect(text).toContain('x.u32x4[n, 2]');
    expect(text).toContain('0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3');
  });

  it('are plain vectors where a register holds one period', () => {
    const text = printKernel(vectorized(words(4), machine(16)));
    expect(text).toMatch(/= x\.u32x4\[n, 2\]/);
    expect(text).not.toContain('shuffle');
  });

  it('are left to a gather where they do not walk in steps of one element', () => {
    const k = kernel('far', { x: tensor('f32', 'N', 64), y: tensor('f32', 'N', 16).out() }, ({ x, y, N }) => {
      const ax = axes({ n: N, i: 16 });
      for (const n of ax.n) for (const i of ax.i) y.at(n, i).set(x.at(n, i.mod(4).mul(5)));
      return ax;
    });
    expect(printKernel(vectorized(k, machine(64)))).not.toContain('shuffle');
  });

  it.each(RUNNABLE.map((t) => [t.isa, t] as const))('give the interpreter\'s bits in C for %s', (_, t) => {
    const runs = [{ x: { data: Uint8Array.from({ length: 210 }, (_, i) => (i * 37) & 255), shape: [3, 70] }, y: { data: new Uint32Array(48), shape: [3, 16] } }];
    const cases = [2, 4, 8, 3].map((period) => ({ k: vectorized(words(period), t), runs }));
    for (const { k } of cases) expect(specViolation(k, 'lowered')).toBeUndefined();
    sameAsInterpreter(cases, t);
  });
});
