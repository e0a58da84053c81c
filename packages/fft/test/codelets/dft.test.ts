import { axes, interpret, kernel, tensor } from '@quern/kernel-dsl';
import { describe, expect, it } from 'vitest';
import { count, dft, toDoubles, toFloat, unitRoot, writeCodelet } from '../../src/codelets/index.ts';

describe('the exact roots of unity', () => {
  it('are exact where they can be, and mirror each other', () => {
    const at = (k: number, n: number): [number, number] => { const w = unitRoot(k, n); return [toFloat(w.re, 'f64'), toFloat(w.im, 'f64')]; };
    expect([0, 1, 2, 3, 4, -1].map((k) => at(k, 4))).toEqual([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0], [0, -1]]);
    expect(unitRoot(1, 8).re).toBe(unitRoot(1, 8).im);
    for (let k = 0; k < 64; k++) {
      const w = unitRoot(k, 64), m = unitRoot(64 - k, 64), q = unitRoot(k + 16, 64);
      expect([m.re, m.im]).toEqual([w.re, -w.im]);
      expect([q.re, q.im]).toEqual([-w.im, w.re]);
    }
  });
  it('round to the nearest float of each type', () => {
    const { re, im } = unitRoot(1, 8);
    expect(toFloat(re, 'f64')).toBe(Math.SQRT1_2);
    expect(toFloat(im, 'f32')).toBe(Math.fround(Math.SQRT1_2));
    // cos(pi/8) to 40 digits: 0.9238795325112867561281831893967882868224
    const { hi, lo } = toDoubles(unitRoot(1, 16).re);
    expect(hi).toBe(0.9238795325112867561281831893967882868224);
    const digits = BigInt('9238795325112867561281831893967882868224');
    expect(Number((unitRoot(1, 16).re * 10n ** 40n + (1n << 207n)) / (1n << 208n) - digits)).toBe(0);
    expect(Math.abs(lo)).toBeLessThan(2 ** -54);
    expect(lo).not.toBe(0);
  });
});

describe('the codelets', () => {
  it.each([[2, 4, 0], [4, 16, 0], [8, 52, 4], [16, 144, 24], [32, 372, 84], [64, 912, 248]])('of %i points take %i additions and %i products', (n, adds, muls) => {
    const c = dft(n);
    expect(count(c.graph, c.outputs)).toEqual({ adds, muls });
    expect(adds + muls).toBe(4 * n * Math.log2(n) - 6 * n + 8);
  });
  it('copy one point, and refuse sizes that are no power of two', () => {
    const one = dft(1);
    expect(count(one.graph, one.outputs)).toEqual({ adds: 0, muls: 0 });
    for (const n of [0, 3, 12, 1.5, -2]) expect(() => dft(n)).toThrow(RangeError);
  });

  it.each([1, 2, 4, 8, 16, 32, 64])('of %i points transform, as the interpreter runs them', (n) => {
    const k = kernel(`dft${n}`, { x: tensor('f64', n, 2), y: tensor('f64', n, 2).out() }, ({ x, y }) => {
      writeCodelet(dft(n), 'f64', (t) => ({ re: x.at(t, 0), im: x.at(t, 1) }), (t, v) => { y.at(t, 0).set(v.re); y.at(t, 1).set(v.im); });
      return axes({});
    });
    const x = Float64Array.from({ length: 2 * n }, (_, i) => Math.sin(i * i + 1)), y = new Float64Array(2 * n);
    interpret(k.ir, { x: { data: x, shape: [n, 2] }, y: { data: y, shape: [n, 2] } });
    let error = 0, size = 0;
    for (let f = 0; f < n; f++) {
      let re = 0, im = 0;
      for (let t = 0; t < n; t++) {
        const w = unitRoot(-f * t, n), c = toFloat(w.re, 'f64'), s = toFloat(w.im, 'f64');
        re += c * x[2 * t]! - s * x[2 * t + 1]!;
        im += c * x[2 * t + 1]! + s * x[2 * t]!;
      }
      error += (re - y[2 * f]!) ** 2 + (im - y[2 * f + 1]!) ** 2;
      size += re * re + im * im;
    }
    expect(Math.sqrt(error / size)).toBeLessThan(1e-15 * (1 + Math.log2(n)));
  });
  it('are straight-line code as long as their graph', () => {
    const k = kernel('dft32', { x: tensor('f32', 32, 2), y: tensor('f32', 32, 2).out() }, ({ x, y }) => {
      writeCodelet(dft(32), 'f32', (t) => ({ re: x.at(t, 0), im: x.at(t, 1) }), (t, v) => { y.at(t, 0).set(v.re); y.at(t, 1).set(v.im); });
      return axes({});
    });
    expect(k.print().split('\n').filter((l) => l.trim()).length).toBe(1 + 64 + 372 + 64);
    expect(k.print()).not.toMatch(/-\(|--/);
  });
});
