import { describe, expect, it } from 'vitest';
import { toFloat, unitRoot } from '@quern/kernel-dsl';
import { fillTable, roots, tableSize } from '../../src/twiddles/index.ts';

const at = (n: number, sign: 1 | -1): ((m: number) => [number, number]) => {
  const root = roots(n, sign), re = new Float64Array(1), im = new Float64Array(1);
  return (m) => { root(m, re, im, 0); return [re[0]!, im[0]!]; };
};

describe('the roots of unity', () => {
  it('are the nearest doubles but for one in a hundred, which are the next ones', () => {
    let beside = 0, all = 0;
    for (const n of [1, 2, 4, 8, 16, 64, 512, 2 ** 12, 2 ** 20]) {
      const root = at(n, 1), step = Math.max(1, Math.floor(n / 512));
      for (let m = 0; m < n; m += step) {
        const k = (m + (step > 1 ? m % step : 0) + (n > 512 ? (m * 7) % step : 0)) % n, w = unitRoot(k, n), got = root(k);
        for (const [x, exact] of [[got[0], toFloat(w.re, 'f64')], [got[1], toFloat(w.im, 'f64')]] as const) {
          all++;
          if (x !== exact) beside++;
          expect(Math.abs(x - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -52);
        }
      }
    }
    expect(all).toBeGreaterThan(3000);
    expect(beside / all).toBeLessThan(0.01);
  });
  it('mirror each other exactly', () => {
    const root = at(4096, 1), back = at(4096, -1);
    for (let m = 0; m < 1024; m++) {
      const [c, s] = root(m);
      expect(root(m + 1024).map((v) => v + 0)).toEqual([-s + 0, c]);
      expect(back(m).map((v) => v + 0)).toEqual([c, -s + 0]);
    }
  });
});

describe('a table', () => {
  it('holds w^(j u), lanes of j side by side', () => {
    const l = 8, radix = 4, lanes = 4, root = at(64, -1), out = new Float64Array(tableSize({ l, radix }));
    fillTable(out, { l, radix }, lanes, 64, roots(64, -1), 0.5);
    for (let j = 0; j < l; j++) {
      for (let u = 1; u < radix; u++) {
        const [c, s] = root(2 * j * u), place = Math.floor(j / lanes) * 24 + (u - 1) * 8 + (j % lanes);
        expect([out[place], out[place + 4]]).toEqual([c * 0.5, s * 0.5]);
      }
    }
  });
});
