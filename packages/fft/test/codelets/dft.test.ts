import { axes, count, interpret, kernel, reachable, tensor, toDoubles, toFloat, unitRoot, writeCodelet } from '@quern/kernel-dsl';
import type { Codelet, CodeletNode, Signed } from '@quern/kernel-dsl';
import { describe, expect, it } from 'vitest';
import { dft as make } from '../../src/codelets/index.ts';

const made = new Map<string, Codelet>();
/** Each codelet is made once: that takes longer than what is done with it. */
function dft(n: number, o: { readonly fma?: boolean } = {}): Codelet {
  const key = `${n} ${o.fma ?? false}`, c = made.get(key) ?? make(n, o);
  made.set(key, c);
  return c;
}

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

/**
 * Points, additions, products, and operations where products go into sums for nothing. For 2 to 16, 20, 25, 32 and 64 points the additions and products are
 * those that FFTW states in the codelets it ships, and so is the last column for powers of two.
 */
const GOLDEN: readonly (readonly [number, number, number, number])[] = [
  [2, 4, 0, 4], [3, 12, 4, 12], [4, 16, 0, 16], [5, 32, 12, 36], [6, 36, 8, 36], [7, 60, 36, 66], [8, 52, 4, 52], [9, 80, 40, 84], [10, 84, 24, 92],
  [11, 140, 100, 150], [12, 96, 16, 96], [13, 176, 68, 192], [14, 148, 72, 160], [15, 156, 56, 168], [16, 144, 24, 144], [17, 264, 108, 284],
  [18, 196, 80, 204], [19, 364, 204, 424], [20, 208, 48, 224], [21, 264, 136, 282], [22, 324, 200, 344], [23, 572, 484, 594], [24, 252, 44, 252],
  [25, 352, 184, 408], [26, 404, 136, 436], [27, 380, 220, 412], [28, 352, 144, 376], [29, 656, 396, 752], [30, 372, 112, 396], [31, 692, 332, 778],
  [32, 372, 84, 372], [33, 552, 344, 582], [34, 596, 216, 636], [35, 524, 264, 582], [36, 464, 160, 480], [37, 864, 420, 976], [38, 804, 408, 924],
  [39, 684, 256, 732], [40, 516, 116, 548], [41, 960, 376, 1064], [42, 612, 272, 648], [43, 1148, 700, 1310], [44, 736, 400, 776], [45, 688, 308, 744],
  [46, 1236, 968, 1280], [47, 2300, 2116, 2346], [48, 624, 136, 624], [49, 912, 648, 1032], [50, 804, 368, 916], [51, 996, 392, 1056],
  [52, 912, 272, 976], [53, 1728, 748, 1924], [54, 868, 440, 932], [55, 1052, 632, 1146], [56, 844, 316, 892], [57, 1320, 688, 1500],
  [58, 1428, 792, 1620], [59, 2748, 1812, 3286], [60, 864, 224, 912], [61, 1616, 676, 1776], [62, 1508, 664, 1680], [63, 1100, 604, 1182],
  [64, 912, 248, 912],
];

/** The transform by its definition, to some 100 bits less the rounding of the sum. */
function defined(x: Float64Array): Float64Array {
  const n = x.length / 2, y = new Float64Array(2 * n), roots = Array.from({ length: n }, (_, k) => { const w = unitRoot(-k, n); return [toFloat(w.re, 'f64'), toFloat(w.im, 'f64')] as const; });
  for (let f = 0; f < n; f++) {
    for (let t = 0; t < n; t++) {
      const [c, s] = roots[(f * t) % n]!;
      y[2 * f]! += c * x[2 * t]! - s * x[2 * t + 1]!;
      y[2 * f + 1]! += c * x[2 * t + 1]! + s * x[2 * t]!;
    }
  }
  return y;
}

/** What a codelet computes, operation by operation in doubles. */
function evaluate(c: Codelet, x: Float64Array): Float64Array {
  const v = new Map<CodeletNode, number>(), of = (s: Signed): number => (s.node ? (s.minus ? -1 : 1) * v.get(s.node)! : 0);
  for (const n of reachable(c)) {
    v.set(n, n.kind === 'input' ? x[2 * n.index + (n.part === 're' ? 0 : 1)]! : n.kind === 'times' ? toFloat(n.k, 'f64') * v.get(n.x)! : n.kind === 'add' ? v.get(n.a)! + v.get(n.b)! : v.get(n.a)! - v.get(n.b)!);
  }
  return Float64Array.from(c.outputs.flatMap((o) => [of(o.re), of(o.im)]));
}

function distance(a: Float64Array, b: Float64Array): number {
  let error = 0, size = 0;
  a.forEach((x, i) => { error += (x - b[i]!) ** 2; size += b[i]! ** 2; });
  return Math.sqrt(error / size);
}

describe('the codelets', () => {
  it.each(GOLDEN)('of %i points take %i additions and %i products, or %i operations fused', (n, adds, muls, fused) => {
    const plain = count(dft(n)), form = count(dft(n, { fma: true }));
    expect([plain.adds, plain.muls]).toEqual([adds, muls]);
    expect(Math.min(plain.fused, form.fused)).toBe(fused);
    expect(form.fused).toBeLessThanOrEqual(plain.fused);
    if ((n & (n - 1)) === 0) expect(adds + muls).toBe(4 * n * Math.log2(n) - 6 * n + 8);
  });
  it('copy one point, and refuse what is no number of points', () => {
    expect(count(dft(1))).toEqual({ adds: 0, muls: 0, fused: 0 });
    for (const n of [0, 1.5, -2, NaN]) expect(() => dft(n)).toThrow(RangeError);
  });

  it('transform, in both forms and in the order of bisection, for every number of points up to 64, and a few beyond', () => {
    for (const n of [...GOLDEN.map(([n]) => n), 65, 81, 97, 100, 128]) {
      const x = Float64Array.from({ length: 2 * n }, (_, i) => Math.sin(i * i + 1)), y = defined(x);
      for (const fma of [false, true]) expect(distance(evaluate(dft(n, { fma }), x), y), `${n} points, ${fma ? 'fused' : 'plain'}`).toBeLessThan(2e-15 * (1 + Math.log2(n)));
    }
  }, 60_000);

  it.each([[5, 'made'], [12, 'bisected'], [13, 'bisected'], [32, 'made'], [32, 'bisected'], [64, 'bisected']] as const)('of %i points, %s, are what the interpreter runs', (n, order) => {
    const k = kernel(`dft${n}`, { x: tensor('f64', n, 2), y: tensor('f64', n, 2).out() }, ({ x, y }) => {
      writeCodelet(dft(n), 'f64', (t) => ({ re: x.at(t, 0), im: x.at(t, 1) }), (t, v) => { y.at(t, 0).set(v.re); y.at(t, 1).set(v.im); }, { order });
      return axes({});
    });
    const x = Float64Array.from({ length: 2 * n }, (_, i) => Math.sin(i * i + 1)), y = new Float64Array(2 * n);
    interpret(k.ir, { x: { data: x, shape: [n, 2] }, y: { data: y, shape: [n, 2] } });
    expect(y).toEqual(evaluate(dft(n), x));
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
