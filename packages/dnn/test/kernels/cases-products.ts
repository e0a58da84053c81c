/** Quantisation, matrix products and attention: what they must give. */
import { f16ToF32 } from '@quern/kernel-dsl';
import fc from 'fast-check';
import { each, num, of, range, sum, t } from './case.ts';
import type { Args, Case, Sizes } from './case.ts';
import { blocks, unblock } from './random.ts';
import type { Random } from './random.ts';
import { EXP, TINY, U, gamma } from './rounding.ts';
import type { Expected } from './rounding.ts';

const bytesOf = (a: Args, name: string): Uint8Array => (a[name] as { data: Uint8Array }).data;
const signed = (byte: number): number => (byte << 24) >> 24;

/** Scale and integers of a block of 32 values, computed as the kernel promises. */
export function quantized(x: Float32Array): { readonly d: number; readonly q: readonly number[] } {
  const top = Math.max(...x.map(Math.abs)), d = x.every(Number.isFinite) ? Math.fround(top / 127) : NaN;
  const even = (v: number): number => { const r = Math.round(v); return r - v === 0.5 && r % 2 !== 0 ? r - 1 : r; };
  return { d, q: [...x].map((v) => (d > 0 ? even(Math.max(-127, Math.min(127, Math.fround(v / d)))) + 0 : 0)) };
}

const quantizeRows: Case = {
  kernel: 'quantize_q8', sizes: { T: fc.integer({ min: 0, max: 4 }), NB: fc.integer({ min: 1, max: 4 }) },
  make: ({ T, NB }, r) => ({ x: t(withZeroBlock(r, T! * NB! * 32), T!, NB!, 32), q: t(new Uint8Array(T! * NB! * 32), T!, NB!, 32), d: t(new Float32Array(T! * NB!), T!, NB!) }),
  expected: ({ T, NB }, a) => {
    const all = range(T! * NB!).map((b) => quantized(of(a, 'x').slice(b * 32, b * 32 + 32)));
    return { q: { exact: all.flatMap((x) => x.q.map((v) => v & 255)) }, d: { exact: all.map((x) => x.d) } };
  },
};

function withZeroBlock(r: Random, n: number): Float32Array {
  const x = r.f32(n);
  if (r.next() < 0.3) x.fill(0, 0, 32);
  return x;
}

/** Panels of 16 tokens from rows of quantised tokens. */
function panels(rows: readonly (readonly { readonly d: number; readonly q: readonly number[] }[])[], NB: number): { q: Int32Array; d: Float32Array; s: Int32Array } {
  const P = Math.ceil(rows.length / 16), q = new Int32Array(P * NB * 8 * 16), d = new Float32Array(P * NB * 16), s = new Int32Array(P * NB * 16);
  rows.forEach((row, k) => row.forEach((x, b) => {
    const at = Math.floor(k / 16) * NB + b, lane = k % 16;
    d[at * 16 + lane] = x.d;
    s[at * 16 + lane] = sum(x.q);
    for (let w = 0; w < 8; w++) q[(at * 8 + w) * 16 + lane] = range(4).reduce((word, i) => word | ((x.q[4 * w + i]! & 255) << (8 * i)), 0);
  }));
  return { q, d, s };
}

const quantizePanels: Case = {
  kernel: 'quantize_q8_panels', sizes: { T: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 15, max: 18 }), fc.integer({ min: 31, max: 33 })), NB: fc.integer({ min: 1, max: 3 }) },
  make: ({ T, NB }, r) => {
    const P = Math.ceil(T! / 16);
    return { x: t(withZeroBlock(r, T! * NB! * 32), T!, NB!, 32), q: t(new Int32Array(P * NB! * 128), P, NB!, 128), d: t(new Float32Array(P * NB! * 16), P, NB!, 16), s: t(new Int32Array(P * NB! * 16), P, NB!, 16) };
  },
  expected: ({ T, NB }, a) => {
    const p = panels(range(T!).map((k) => range(NB!).map((b) => quantized(of(a, 'x').slice((k * NB! + b) * 32, (k * NB! + b + 1) * 32)))), NB!);
    return { q: { exact: p.q }, d: { exact: p.d }, s: { exact: p.s } };
  },
};

/** A result that is added to what was there: one more rounding. */
const plus = (y0: number, [v, b]: readonly [number, number]): readonly [number, number] => [y0 + v, b + U * Math.abs(y0 + v) + U * b];

/** sum over blocks of scale * d * (exact integer dot product), each lane's part rounded on its own. */
function blockDot(W: Uint8Array, r: number, NB: number, bytes: 18 | 34, q: (b: number, i: number) => number, d: (b: number) => number): readonly [number, number] {
  let value = 0, size = 0;
  for (const b of range(NB)) {
    const { scale, weights } = unblock(W, r * NB + b, bytes), dot = sum(weights.map((w, i) => w * q(b, i)));
    value += scale * d(b) * dot;
    size += Math.abs(scale * d(b)) * sum(weights.map((w, i) => Math.abs(w * q(b, i))));
  }
  // Scale and product of a block, a sum over blocks, over at most 8 lanes, and into the result.
  return [value, size * gamma(NB + 7) + (NB + 1) * TINY];
}

const q8Row = (r: Random, n: number): Uint8Array => r.bytes(n).map((b) => (b === 128 ? 0 : b));
const scales = (r: Random, n: number): Float32Array => r.f32(n).map((v) => Math.abs(v) / 64);

const matvecQuantized = (format: string, bytes: 18 | 34, acc: boolean): Case => ({
  kernel: `matvec_${format}${acc ? '_acc' : ''}`, sizes: { R: fc.integer({ min: 0, max: 9 }), NB: fc.integer({ min: 0, max: 5 }) },
  make: ({ R, NB }, r) => ({ W: t(blocks(r, R! * NB!, bytes), R!, NB!, bytes), q: t(q8Row(r, NB! * 32), NB!, 32), d: t(scales(r, NB!), NB!), y: t(r.f32(R!), R!) }),
  expected: ({ R, NB }, a) => ({
    y: each(R!, (k) => {
      const dot = blockDot(bytesOf(a, 'W'), k, NB!, bytes, (b, i) => signed(bytesOf(a, 'q')[b * 32 + i]!), (b) => of(a, 'd')[b]!);
      return acc ? plus(of(a, 'y')[k]!, dot) : dot;
    }),
  }),
});

const matmulQuantized = (format: string, bytes: 18 | 34, acc: boolean): Case => ({
  kernel: `matmul_${format}${acc ? '_acc' : ''}`,
  sizes: { T: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 15, max: 17 }), fc.integer({ min: 31, max: 33 }), fc.integer({ min: 47, max: 50 })), R: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 63, max: 66 })), NB: fc.integer({ min: 0, max: 3 }) },
  make: ({ T, R, NB }, r) => {
    const x = Array.from({ length: T! }, () => Array.from({ length: NB! }, () => ({ d: scales(r, 1)[0]!, q: [...q8Row(r, 32)].map(signed) })));
    const p = panels(x, NB!), P = Math.ceil(T! / 16);
    return { W: t(blocks(r, R! * NB!, bytes), R!, NB!, bytes), q: t(p.q, P, NB!, 128), d: t(p.d, P, NB!, 16), s: t(p.s, P, NB!, 16), y: t(r.f32(T! * R!), T!, R!) };
  },
  expected: ({ T, R, NB }, a) => {
    const q = (a['q'] as { data: Int32Array }).data;
    return {
      y: each(T! * R!, (o) => {
        const k = Math.floor(o / R!), panel = Math.floor(k / 16) * NB!, lane = k % 16;
        const word = (b: number, i: number): number => signed((q[((panel + b) * 8 + (i >> 2)) * 16 + lane]! >> (8 * (i & 3))) & 255);
        const dot = blockDot(bytesOf(a, 'W'), o % R!, NB!, bytes, word, (b) => of(a, 'd')[(panel + b) * 16 + lane]!);
        return acc ? plus(of(a, 'y')[o]!, dot) : dot;
      }),
    };
  },
});

/** y[t, r] = sum_k x[t, k] W[r, k] with the bound of any order of summation. */
function product(a: Args, T: number, R: number, D: number, dtype: 'f16' | 'f32', acc: boolean): Expected {
  const x = of(a, 'x'), W = of(a, 'W'), w = (i: number): number => (dtype === 'f16' ? f16ToF32(W[i]!) : W[i]!);
  return each(T * R, (o) => {
    const k = Math.floor(o / R), r = o % R, terms = range(D).map((j) => x[k * D + j]! * w(r * D + j));
    const dot = [sum(terms), gamma(D + 4) * sum(terms.map(Math.abs)) + (D + 1) * TINY] as const;
    return acc ? plus(of(a, 'y')[o]!, dot) : dot;
  });
}
const matvecFloat = (dtype: 'f16' | 'f32', acc: boolean): Case => ({
  kernel: `matvec_${dtype}${acc ? '_acc' : ''}`, sizes: { R: fc.integer({ min: 0, max: 9 }), D: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 31, max: 33 }), fc.integer({ min: 60, max: 100 })) },
  make: ({ R, D }, r) => ({ W: t(dtype === 'f16' ? r.f16(R! * D!) : r.f32(R! * D!), R!, D!), x: t(r.f32(D!), D!), y: t(r.f32(R!), R!) }),
  expected: ({ R, D }, a) => ({ y: product(a, 1, R!, D!, dtype, acc) }),
});
const matmulFloat = (dtype: 'f16' | 'f32', acc: boolean): Case => ({
  kernel: `matmul_${dtype}${acc ? '_acc' : ''}`,
  sizes: { T: fc.integer({ min: 0, max: 14 }), R: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 63, max: 66 })), D: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 31, max: 34 })) },
  make: ({ T, R, D }, r) => ({ W: t(dtype === 'f16' ? r.f16(R! * D!) : r.f32(R! * D!), R!, D!), x: t(r.f32(T! * D!), T!, D!), y: t(r.f32(T! * R!), T!, R!) }),
  expected: ({ T, R, D }, a) => ({ y: product(a, T!, R!, D!, dtype, acc) }),
});

/** Long heads with few tokens only: the interpreter has to go through it all. */
const small = (n: Sizes): Sizes => (n['E']! < 100 ? n : { ...n, G: 1, T: Math.min(n['T']!, 16), before: Math.min(n['before']!, 3) });

const attention = (dtype: 'f16' | 'f32'): Case => ({
  kernel: `attention_${dtype}`,
  sizes: {
    T: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 3 }) }, { weight: 1, arbitrary: fc.integer({ min: 15, max: 18 }) }, { weight: 1, arbitrary: fc.integer({ min: 32, max: 34 }) }),
    G: fc.integer({ min: 1, max: 2 }), share: fc.integer({ min: 1, max: 2 }),
    E: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 18 }) }, { weight: 2, arbitrary: fc.constantFrom(32, 64, 80) }, { weight: 1, arbitrary: fc.constantFrom(256, 257) }),
    before: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 13, max: 36 }), fc.integer({ min: 60, max: 70 })), after: fc.integer({ min: 0, max: 1 }),
  },
  make: (n, r) => {
    const { T, G, share, E, before, after } = small(n);
    const C = before! + T! + after!, H = G! * share!, cache = (): Float32Array | Uint16Array => (dtype === 'f16' ? r.f16(C * G! * E!) : r.f32(C * G! * E!));
    return { q: t(r.f32(T! * H * E!), T!, H, E!), K: t(cache(), C, G!, E!), V: t(cache(), C, G!, E!), pos: before!, scale: 1 / Math.sqrt(E!), y: t(new Float32Array(T! * H * E!), T!, H, E!) };
  },
  expected: (n, a) => {
    const { T, G, share, E, before } = small(n);
    const H = G! * share!, q = of(a, 'q'), read = (name: string) => { const x = of(a, name); return (i: number): number => (dtype === 'f16' ? f16ToF32(x[i]!) : x[i]!); };
    const K = read('K'), V = read('V'), scale = num(a, 'scale'), out: (readonly [number, number])[] = [];
    for (const k of range(T!)) for (const h of range(H)) {
      const g = Math.floor(h / share!), seen = before! + k + 1, blocksSeen = Math.ceil(seen / 32);
      const terms = range(seen).map((j) => range(E!).map((e) => q[(k * H + h) * E! + e]! * K((j * G! + g) * E! + e)));
      const s = terms.map((x) => sum(x) * scale), wrong = terms.map((x) => gamma(E! + 3) * sum(x.map(Math.abs)) * scale), top = Math.max(...s);
      const p = s.map((x) => Math.exp(x - top)), total = sum(p);
      // A weight errs by its score, by the exponents' rounding (relative to the running maximum, which fades block by block) and by exp.
      // (A score of -Infinity has no weight, and no error either.)
      const heavy = range(seen).filter((j) => p[j]! > 0), worst = Math.max(0, ...heavy.map((j) => wrong[j]!)), largest = Math.max(0, ...heavy.map((j) => Math.abs(s[j]!)));
      const rel = wrong.map((w, j) => (p[j] === 0 ? 0 : w) + worst + 4 * U * largest + EXP + blocksSeen * (EXP + 4 * U));
      for (const e of range(E!)) {
        const v = range(seen).map((j) => V((j * G! + g) * E! + e)), y = sum(v.map((x, j) => (x * p[j]!) / total));
        const weighted = sum(v.map((x, j) => (p[j]! / total) * (Math.abs(x) + Math.abs(y)) * rel[j]!)), size = sum(v.map((x, j) => (p[j]! / total) * Math.abs(x)));
        out.push([y, 1.01 * weighted + gamma(2 * seen + 2 * blocksSeen + 8) * (size + Math.abs(y)) + 2 ** -121 * (1 + sum(v.map(Math.abs)))]);
      }
    }
    return { y: each(out.length, (i) => out[i]!) };
  },
});

const both = (f: (acc: boolean) => Case): Case[] => [f(false), f(true)];
export const PRODUCT_CASES: readonly Case[] = [
  quantizeRows, quantizePanels,
  ...both((x) => matvecQuantized('q4_0', 18, x)), ...both((x) => matvecQuantized('q8_0', 34, x)), ...both((x) => matvecFloat('f32', x)), ...both((x) => matvecFloat('f16', x)),
  ...both((x) => matmulQuantized('q4_0', 18, x)), ...both((x) => matmulQuantized('q8_0', 34, x)), ...both((x) => matmulFloat('f32', x)), ...both((x) => matmulFloat('f16', x)),
  attention('f32'), attention('f16'),
];
