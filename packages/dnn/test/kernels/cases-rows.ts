/** Normalisation, softmax, activations, rotation, embedding, the cache: what they must give. */
import { f32ToF16, f16ToF32 } from '@quern/kernel-dsl';
import fc from 'fast-check';
import { each, num, of, range, sum, t } from './case.ts';
import type { Case } from './case.ts';
import { blocks, unblock } from './random.ts';
import { EXP, TINY, U, gamma } from './rounding.ts';

const tokens = fc.integer({ min: 0, max: 4 });
/** Around one vector, several vectors and none, for every target. */
const width = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 30, max: 34 }), fc.integer({ min: 62, max: 66 }), fc.integer({ min: 126, max: 200 }));
const length = fc.oneof(fc.constant(0), width);
/** Below this an f32 is subnormal; exp may lose it, and 1 / (1 + e^-x) with it. */
const LOST = 2 ** -121;

const rmsNorm: Case = {
  kernel: 'rms_norm', sizes: { T: tokens, D: width },
  make: ({ T, D }, r) => ({ x: t(r.f32(T! * D!), T!, D!), w: t(r.f32(D!), D!), eps: 1e-5, y: t(new Float32Array(T! * D!), T!, D!) }),
  expected: ({ T, D }, a) => {
    const x = of(a, 'x'), w = of(a, 'w');
    const scale = range(T!).map((k) => 1 / Math.sqrt(sum(range(D!).map((j) => x[k * D! + j]! ** 2)) / D! + num(a, 'eps')));
    // Half of the relative error of the sum (D roundings at most) and of two more, then root, division and two products.
    return { y: each(T! * D!, (i) => { const y = x[i]! * scale[Math.floor(i / D!)]! * w[i % D!]!; return [y, Math.abs(y) * gamma(D! / 2 + 6) + TINY]; }) };
  },
};

const softmax: Case = {
  kernel: 'softmax', sizes: { T: tokens, D: width },
  make: ({ T, D }, r) => ({ x: t(r.f32(T! * D!), T!, D!), y: t(new Float32Array(T! * D!), T!, D!) }),
  expected: ({ T, D }, a) => {
    const x = of(a, 'x');
    const rows = range(T!).map((k) => {
      const row = range(D!).map((j) => x[k * D! + j]!), top = Math.max(...row), e = row.map((v) => Math.exp(v - top)), total = sum(e);
      // exp(x - top) has the relative error of exp, and that of the difference as absolute error of its argument.
      const rel = row.map((v, j) => (e[j] === 0 ? 0 : EXP + Math.abs(v - top) * U));
      const all = sum(e.map((v, j) => (v / total) * rel[j]!)) + gamma(D!);
      return e.map((v, j) => [v / total, (v / total) * (rel[j]! + all + 2 * U) * 1.01 + LOST] as const);
    });
    return { y: each(T! * D!, (i) => rows[Math.floor(i / D!)]![i % D!]!) };
  },
};

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
/** exp, sum, quotient. */
const siluBound = (x: number): readonly [number, number] => { const y = x * sigmoid(x); return [y, Math.abs(y) * (EXP + 3 * U) + LOST]; };
const steep = (x: Float32Array): Float32Array => x.map((v) => v * 8);

const silu: Case = {
  kernel: 'silu', sizes: { N: length },
  make: ({ N }, r) => ({ x: t(steep(r.f32(N!)), N!), y: t(new Float32Array(N!), N!) }),
  expected: ({ N }, a) => ({ y: each(N!, (i) => siluBound(of(a, 'x')[i]!)) }),
};
const siluMul: Case = {
  kernel: 'silu_mul', sizes: { N: length },
  make: ({ N }, r) => ({ g: t(steep(r.f32(N!)), N!), u: t(r.f32(N!), N!), y: t(new Float32Array(N!), N!) }),
  expected: ({ N }, a) => ({ y: each(N!, (i) => { const [s, b] = siluBound(of(a, 'g')[i]!), u = of(a, 'u')[i]!; return [s * u, (b + Math.abs(s) * U) * Math.abs(u) * 1.01 + TINY]; }) }),
};
const add: Case = {
  kernel: 'add', sizes: { N: length },
  make: ({ N }, r) => ({ a: t(r.f32(N!), N!), b: t(r.f32(N!), N!), y: t(new Float32Array(N!), N!) }),
  expected: ({ N }, a) => ({ y: { exact: range(N!).map((i) => Math.fround(of(a, 'a')[i]! + of(a, 'b')[i]!)) } }),
};
const addTo: Case = {
  kernel: 'add_to', sizes: { N: length },
  make: ({ N }, r) => ({ x: t(r.f32(N!), N!), y: t(r.f32(N!), N!) }),
  expected: ({ N }, a) => ({ y: { exact: range(N!).map((i) => Math.fround(of(a, 'y')[i]! + of(a, 'x')[i]!)) } }),
};

/** `at`: where the partners of pair p of a head lie. */
const rope = (kernel: string, shape: (P: number) => number[], at: (p: number, P: number) => readonly [number, number]): Case => ({
  kernel, sizes: { T: tokens, H: fc.integer({ min: 1, max: 3 }), P: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(32)) },
  make: ({ T, H, P }, r) => {
    const angles = r.f32(T! * P!);
    return { x: t(r.f32(T! * H! * P! * 2), T!, H!, ...shape(P!)), cos: t(angles.map(Math.cos), T!, P!), sin: t(angles.map(Math.sin), T!, P!) };
  },
  expected: ({ T, H, P }, a) => {
    const x = of(a, 'x'), c = of(a, 'cos'), s = of(a, 'sin'), out = new Map<number, readonly [number, number]>();
    for (const k of range(T!)) for (const h of range(H!)) for (const p of range(P!)) {
      const head = (k * H! + h) * P! * 2, [i, j] = at(p, P!), u = x[head + i]!, v = x[head + j]!, cos = c[k * P! + p]!, sin = s[k * P! + p]!;
      out.set(head + i, [u * cos - v * sin, gamma(2) * (Math.abs(u * cos) + Math.abs(v * sin)) + 2 * TINY]);
      out.set(head + j, [u * sin + v * cos, gamma(2) * (Math.abs(u * sin) + Math.abs(v * cos)) + 2 * TINY]);
    }
    return { x: each(x.length, (i) => out.get(i)!) };
  },
});

/** Ids over the whole vocabulary, the last row among them. */
const embed = (kernel: string, row: (W: Uint8Array | Uint16Array | Float32Array, v: number, D: number) => number[], shape: (V: number, D: number) => number[], make: (r: import('./random.ts').Random, V: number, D: number) => Uint8Array | Uint16Array | Float32Array, split: (D: number) => number[]): Case => ({
  kernel, sizes: { T: tokens, V: fc.integer({ min: 1, max: 5 }), NB: fc.integer({ min: 1, max: 3 }) },
  make: ({ T, V, NB }, r) => {
    const D = NB! * 32, ids = Int32Array.from({ length: T! }, () => r.int(V!));
    if (T! > 0) ids[0] = V! - 1;
    return { W: t(make(r, V!, D), ...shape(V!, D)), ids: t(ids, T!), y: t(new Float32Array(T! * D), T!, ...split(D)) };
  },
  expected: ({ T, NB }, a) => {
    const ids = (a['ids'] as { data: Int32Array }).data, W = of(a, 'W') as Uint8Array | Float32Array;
    return { y: { exact: range(T!).flatMap((k) => row(W, ids[k]!, NB! * 32)) } };
  },
});
const blockRow = (bytes: 18 | 34) => (W: Uint8Array | Uint16Array | Float32Array, v: number, D: number): number[] =>
  range(D / 32).flatMap((b) => { const { scale, weights } = unblock(W as Uint8Array, (v * D) / 32 + b, bytes); return weights.map((w) => Math.fround(w * scale)); });

const append = (kernel: string, dtype: 'f16' | 'f32'): Case => ({
  kernel, sizes: { T: tokens, G: fc.integer({ min: 1, max: 3 }), E: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(64)), before: fc.integer({ min: 0, max: 3 }), after: fc.integer({ min: 0, max: 2 }) },
  make: ({ T, G, E, before, after }, r) => {
    const C = before! + T! + after!, n = T! * G! * E!, cache = (): Float32Array | Uint16Array => (dtype === 'f16' ? r.f16(C * G! * E!) : r.f32(C * G! * E!));
    return { k: t(r.f32(n), T!, G!, E!), v: t(r.f32(n), T!, G!, E!), K: t(cache(), C, G!, E!), V: t(cache(), C, G!, E!), pos: before! };
  },
  expected: ({ T, G, E, before }, a) => {
    const after = (cache: string, rows: string): { exact: number[] } => {
      const out = [...of(a, cache)];
      of(a, rows).forEach((x, i) => { out[before! * G! * E! + i] = dtype === 'f16' ? f32ToF16(x) : x; });
      void T;
      return { exact: out };
    };
    return { K: after('K', 'k'), V: after('V', 'v') };
  },
});

export const ROW_CASES: readonly Case[] = [
  rmsNorm, softmax, silu, siluMul, add, addTo,
  rope('rope', (P) => [P, 2], (p) => [2 * p, 2 * p + 1]), rope('rope_neox', (P) => [2, P], (p, P) => [p, P + p]),
  embed('embed_f32', (W, v, D) => [...W.slice(v * D, (v + 1) * D)], (V, D) => [V, D], (r, V, D) => r.f32(V * D), (D) => [D]),
  embed('embed_f16', (W, v, D) => [...W.slice(v * D, (v + 1) * D)].map(f16ToF32), (V, D) => [V, D], (r, V, D) => r.f16(V * D), (D) => [D]),
  embed('embed_q8_0', blockRow(34), (V, D) => [V, D / 32, 34], (r, V, D) => blocks(r, (V * D) / 32, 34), (D) => [D / 32, 32]),
  embed('embed_q4_0', blockRow(18), (V, D) => [V, D / 32, 18], (r, V, D) => blocks(r, (V * D) / 32, 18), (D) => [D / 32, 2, 16]),
  append('kv_append_f32', 'f32'), append('kv_append_f16', 'f16'),
];
