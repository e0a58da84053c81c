import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../tools/test/spread.ts';
import { fft, ifft, planFft } from '../../src/index.ts';
import { bound, random, relativeError } from '../support/reference.ts';
import { sameNumbers } from '../../../../tools/test/often.ts';

const dtype = fc.constantFrom('f32' as const, 'f64' as const);
const sign = fc.constantFrom(-1 as const, 1 as const);
const norm = fc.constantFrom('none' as const, 'inverse' as const, 'ortho' as const);
const bits = fc.integer({ min: 0, max: 14 });
const seed = fc.integer({ min: 1, max: 2 ** 30 });

/** The sum of squares, compensated (Kahan), so that it is no worse than what it measures. */
function energy(x: ArrayLike<number>): number {
  let sum = 0, lost = 0;
  for (let i = 0; i < x.length; i++) {
    const term = x[i]! ** 2 - lost, next = sum + term;
    lost = next - sum - term;
    sum = next;
  }
  return sum;
}

describe('a transform', () => {
  it('is linear', () => {
    fc.assert(fc.property(bits, dtype, sign, norm, seed, fc.constantFrom(0.5, -2, 3), (b, t, s, m, r, k) => {
      const n = 2 ** b, plan = planFft({ n, dtype: t, sign: s, norm: m }), x = random(t, 2 * n, r), y = random(t, 2 * n, r + 1);
      const sum = x.map((v, i) => v + k * y[i]!), X = plan.run(x.slice(), x), Y = plan.run(y.slice(), y);
      expect(relativeError(plan.run(sum.slice(), sum), X.map((v, i) => v + k * Y[i]!))).toBeLessThanOrEqual(8 * bound(n, t));
    }), { numRuns: runs(40) });
  });
  it('turns an impulse into a wave of constant size, and a shift into a phase', () => {
    fc.assert(fc.property(bits, dtype, sign, fc.nat(), (b, t, s, where) => {
      const n = 2 ** b, at = where % n, plan = planFft({ n, dtype: t, sign: s, norm: 'none' }), x = t === 'f32' ? new Float32Array(2 * n) : new Float64Array(2 * n);
      x[2 * at] = 1;
      const wave = Float64Array.from({ length: 2 * n }, (_, i) => {
        const turn = ((Math.floor(i / 2) * at) % n) / n;
        return i % 2 === 0 ? Math.cos(2 * Math.PI * turn) : s * Math.sin(2 * Math.PI * turn);
      });
      expect(relativeError(plan.run(x.slice(), x), wave)).toBeLessThanOrEqual(bound(n, t) + 4e-16);
    }), { numRuns: runs(60) });
  });
  it('keeps the energy (Parseval), exactly n times it without a norm', () => {
    fc.assert(fc.property(bits, dtype, sign, seed, (b, t, s, r) => {
      const n = 2 ** b, x = random(t, 2 * n, r), before = energy(x);
      for (const [m, k] of [['none', n], ['ortho', 1]] as const) {
        const after = energy(planFft({ n, dtype: t, sign: s, norm: m }).run(x.slice(), x));
        expect(Math.abs(after / (k * before) - 1)).toBeLessThanOrEqual(4 * bound(n, t));
      }
    }), { numRuns: runs(40) });
  });
  it('and the one back give what was there', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 17 }), dtype, seed, (b, t, r) => {
      const n = 2 ** b, x = random(t, 2 * n, r);
      expect(relativeError(ifft(fft(x)), x)).toBeLessThanOrEqual(2 * bound(n, t));
      expect(relativeError(ifft(fft(x, { norm: 'ortho' }), { norm: 'ortho' }), x)).toBeLessThanOrEqual(3 * bound(n, t));
    }), { numRuns: runs(40) });
  });
  it('is the same in place, in a batch, for any number of threads, and wherever the arrays lie; it writes nothing else', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 13 }), dtype, sign, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 3 }), seed, (b, t, s, batch, shift, r) => {
      const n = 2 ** b, length = 2 * n, total = length * batch, one = planFft({ n, dtype: t, sign: s }, { threads: 1 }), many = planFft({ n, dtype: t, sign: s, batch });
      const Real = t === 'f32' ? Float32Array : Float64Array, x = random(t, total, r), want = new Real(total);
      for (let i = 0; i < batch; i++) one.run(want.subarray(i * length, (i + 1) * length) as never, x.subarray(i * length, (i + 1) * length) as never);
      const around = new Real(total + 8).fill(77), out = around.subarray(4 + shift, 4 + shift + total), before = x.slice();
      expect(many.run(out as never, x)).toBe(out);
      expect(out.every((v, i) => Object.is(v, want[i]))).toBe(true);
      expect([...around.subarray(0, 4 + shift), ...around.subarray(4 + shift + total)].every((v) => v === 77)).toBe(true);
      sameNumbers(x, before);
      out.set(x);
      many.run(out as never, out as never);
      expect(out.every((v, i) => Object.is(v, want[i]))).toBe(true);
      expect([...around.subarray(0, 4 + shift), ...around.subarray(4 + shift + total)].every((v) => v === 77)).toBe(true);
      many.dispose();
    }), { numRuns: runs(40) });
  });
  it('of long data does not depend on the number of threads', () => {
    const x = random('f32', 2 ** 18, 5), one = planFft({ n: 2 ** 17, dtype: 'f32' }, { threads: 1 }), all = planFft({ n: 2 ** 17, dtype: 'f32' });
    sameNumbers(all.run(x.slice(), x), one.run(x.slice(), x));
  });
  it('carries a NaN into every number of the result', () => {
    for (const n of [4, 64, 256]) {
      const x = random('f64', 2 * n, n);
      x[3] = NaN;
      const y = fft(x);
      expect([...y].every((v, i) => Number.isNaN(v) || Number.isNaN(y[i ^ 1]!))).toBe(true);
    }
  });
});
