import { describe, expect, it } from 'vitest';
import { binary, constant, load, printKernel, unary } from '../../src/ir/index.ts';
import type { DType, Expr, KernelIR, UnaryFn } from '../../src/ir/index.ts';
import { lower } from '../../src/passes/index.ts';
import { MAX_ULP } from '../../src/passes/math/index.ts';
import type { MathFn } from '../../src/passes/math/index.ts';
import { erf, interpret } from '../../src/run/index.ts';
import { buffer, kernel, loop, lowered, machine, N, store, v } from './helpers.ts';
import { ulpsOff } from './reference.ts';
import { same } from '../../../../tools/test/often.ts';

type Real = 'f32' | 'f64';
type Floats = Float32Array | Float64Array;
const arrayOf = (t: Real, x: Iterable<number>): Floats => (t === 'f32' ? Float32Array.from(x) : Float64Array.from(x));
const apply = (fn: MathFn, x: Expr, y: Expr): Expr => (fn === 'pow' ? binary('pow', x, y) : unary(fn, x));

const programs = new Map<string, KernelIR>();
/** z = f(x) or x^y, lowered for a machine with or without fused multiply-add, in vectors or one by one. */
function program(fn: MathFn, t: Real, fused: boolean, lanes: number): KernelIR {
  const key = `${fn} ${t} ${fused} ${lanes}`, known = programs.get(key);
  if (known) return known;
  const i = v('i'), j = v('j'), [X, Y, Z] = (['in', 'in', 'out'] as const).map((access, n) => buffer('xyz'[n]!, [N, constant(lanes)], { access, dtype: t }));
  const body = store(Z!, [i, j], apply(fn, load(X!, [i, j]), load(Y!, [i, j])));
  const k = lowered(lower(kernel([X!, Y!, Z!], [loop(i, N, 'seq', [loop(j, constant(lanes), 'vector', [body])])]), machine((t === 'f32' ? 4 : 8) * lanes, fused)));
  programs.set(key, k);
  return k;
}
function evaluate(fn: MathFn, x: Floats, o: { y?: Floats; fused?: boolean; lanes?: number } = {}): Floats {
  const t = x instanceof Float32Array ? 'f32' : 'f64', lanes = o.lanes ?? 1, z = arrayOf(t, x), shape = [x.length / lanes, lanes];
  interpret(program(fn, t, o.fused ?? true, lanes), { x: { data: x, shape }, y: { data: o.y ?? arrayOf(t, x), shape }, z: { data: z, shape } });
  return z;
}

const EXACT: Readonly<Record<MathFn, (x: number, y: number) => number>> = {
  exp: Math.exp, exp2: (x) => 2 ** x, log: Math.log, log2: Math.log2, sin: Math.sin, cos: Math.cos, tanh: Math.tanh, erf,
  pow: (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y),
};
/** Where each function is neither 0 nor infinite in f32 and in f64. */
const WHERE: Readonly<Record<MathFn, Readonly<Record<Real, readonly [number, number]>>>> = {
  exp: { f32: [-103, 88.7], f64: [-744, 709] }, exp2: { f32: [-149, 127.9], f64: [-1074, 1023.9] }, log: { f32: [0.4, 2], f64: [0.4, 2] }, log2: { f32: [0.4, 2], f64: [0.4, 2] },
  sin: { f32: [-40, 40], f64: [-40, 40] }, cos: { f32: [-40, 40], f64: [-40, 40] }, tanh: { f32: [-9.5, 9.5], f64: [-20, 20] }, erf: { f32: [-4, 4], f64: [-6, 6] },
  pow: { f32: [0.01, 9], f64: [0.01, 9] },
};
const FUNCTIONS = Object.keys(MAX_ULP) as MathFn[];
/** Without fused multiply-add there are more roundings. */
const boundOf = (fn: MathFn, t: Real, fused: boolean): number => MAX_ULP[fn][t] + (fused ? 0 : 0.6);

/** The distance of two neighbouring f32 around x. */
const ulp = (x: number): number => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(x)))) - 23);
const floats = (bits: Iterable<number>): Float32Array => new Float32Array(Uint32Array.from(bits).buffer);
/** Every f32 exponent and both signs, evenly over the bits. */
const everywhere = (step: number): Float32Array => floats((function* () { for (let b = 0; b < 2 ** 32; b += step) yield b; })()).filter((x) => !Number.isNaN(x));
const between = ([lo, hi]: readonly [number, number], n: number): number[] => Array.from({ length: n }, (_, k) => lo + ((hi - lo) * ((k * 0.6180339887498949) % 1)));

describe.each(FUNCTIONS)('%s of f32', (fn) => {
  it.each([true, false])('is within the ulps that it states, fused: %s', (fused) => {
    const exact = EXACT[fn], x = Float32Array.from([...between(WHERE[fn].f32, 20_000), ...(fn === 'pow' ? [] : everywhere(400_009))]);
    const y = Float32Array.from(x, (a, n) => (fn === 'pow' ? ((n % 2001) - 1000) / 23 : a)), z = evaluate(fn, x, { y, fused });
    let worst = 0;
    x.forEach((a, n) => {
      const want = exact(a, y[n]!), got = z[n]!;
      if (Number.isNaN(want)) same(got, NaN, `${fn}(${a})`);
      else if (!Number.isFinite(Math.fround(want)) || want === 0) same(got, Math.fround(want), `${fn}(${a})`);
      else worst = Math.max(worst, Math.abs(got - want) / ulp(want));
    });
    expect(worst).toBeLessThan(boundOf(fn, 'f32', fused));
    expect(worst, 'a sweep that measures something').toBeGreaterThan(0.4);
  });
});

/** Doubles that are hard for one function: next to its zeros and limits, subnormal, or nearly multiples of pi. */
const HARD: readonly number[] = [
  1, 1 + 2 ** -52, 1 - 2 ** -53, 0.75, 1.5, 1.5 - 2 ** -52, 2, 355, 22, 11, 2 ** 30, 2 ** 30 + 2 ** -22, 6381956970095103 * 2 ** 797, Number.MAX_VALUE, 1e22, 5e-324, 2 ** -1022,
  0.34657359027997264, 0.34657359027997270, 708.3, 709.78, -745.1, -708.5, 1023.99, -1074.4, 5.93, 5.92999, 19.06, 0.5, 1e-3, 2 ** -30, Math.PI, Math.PI / 2, 1e5 * Math.PI,
];
describe.each(FUNCTIONS)('%s of f64', (fn) => {
  it.each([true, false])('is within the ulps that it states, fused: %s', (fused) => {
    const [lo, hi] = WHERE[fn].f64, wave = fn === 'sin' || fn === 'cos', special = HARD.filter((x) => (fn.startsWith('log') ? x > 0 : wave ? x > 1e-30 : x > lo && x < hi && (fn.startsWith('exp') || x > 1e-30)));
    const x = Float64Array.from([...between([lo, hi], 300), ...special, ...(wave ? between([1e8, 1e300], 60) : [])]), y = Float64Array.from(x, (a, n) => (fn === 'pow' ? ((n % 401) - 200) * 0.7 : a)), z = evaluate(fn, x, { y, fused });
    let worst = 0;
    x.forEach((a, n) => {
      const off = ulpsOff(fn, z[n]!, a, y[n]);
      expect(off, `${fn}(${a})`).toBeLessThan(boundOf(fn, 'f64', fused));
      worst = Math.max(worst, off);
    });
    expect(worst, 'a sweep that measures something').toBeGreaterThan(0.45);
  });
});

const SPECIAL = floats([0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0x7fc001ff, 0xffffffff, 0, 0x80000000]);
const FEW = [0, -0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, -2.5, Infinity, -Infinity, NaN, 1e-320, -1e-320, 1e300, -1e300, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53];
describe.each((['f32', 'f64'] as const).flatMap((t) => FUNCTIONS.map((fn) => [fn, t] as const)))('%s of %s', (fn, t) => {
  const round = (x: number): number => (t === 'f32' ? Math.fround(x) : x);
  it('treats infinities, every kind of NaN and zeros like the function itself', () => {
    if (fn === 'pow') return;
    for (const fused of [true, false]) expect([...evaluate(fn, arrayOf(t, SPECIAL), { fused })]).toEqual([...SPECIAL].map((x) => round(EXACT[fn](x, 0))));
  });
  it('is the same in every lane', () => {
    const x = arrayOf(t, [...SPECIAL, ...between(WHERE[fn][t], 80), ...between([-1e30, 1e30], 8)]), bytes = (a: Floats): Uint8Array => new Uint8Array(a.buffer);
    expect(bytes(evaluate(fn, x, { lanes: 8 }))).toEqual(bytes(evaluate(fn, x)));
  });
});

describe('pow', () => {
  it.each(['f32', 'f64'] as const)('of %s has the special values of C', (t) => {
    const few = [...arrayOf(t, FEW)], x = arrayOf(t, few.flatMap((a) => few.map(() => a))), y = arrayOf(t, few.flatMap(() => few)), z = evaluate('pow', x, { y });
    x.forEach((a, n) => {
      const want = EXACT.pow(a, y[n]!), got = z[n]!, what = `${a} ^ ${y[n]!}`;
      const all = t === 'f32' ? Math.fround(want) : want;
      if (Number.isFinite(all) && all !== 0) expect(Math.abs(got / all - 1), what).toBeLessThan(t === 'f32' ? 2 ** -22 : 2 ** -51);
      else expect(got, what).toBe(all);
    });
  });
});

describe('mathlib', () => {
  it.each(['log', 'log2'] as const)('%s of f32 has the same bits where the machine takes floats apart by itself', (fn) => {
    const x = Float32Array.from([...SPECIAL, ...everywhere(4_000_037), ...between([0.7, 1.6], 200)]), [X, Z] = (['in', 'out'] as const).map((access, q) => buffer('xz'[q]!, [N], { access, dtype: 'f32' })), i = v('i');
    const on = (features: readonly string[]): Uint8Array => {
      const z = new Float32Array(x.length), k = lowered(lower(kernel([X!, Z!], [loop(i, N, 'seq', [store(Z!, [i], unary(fn, load(X!, [i])))])]), { ...machine(4), features }));
      expect(printKernel(k).includes('mantissa(') && !printKernel(k).includes('rare')).toBe(features.length > 0);
      interpret(k, { x: { data: x, shape: [x.length] }, z: { data: z, shape: [x.length] } });
      return new Uint8Array(z.buffer);
    };
    expect(on(['avx512f'])).toEqual(on([]));
  });

  it('computes a function once where it is asked for twice, and leaves no call of the C library', () => {
    const text = (dtype: DType, fn: UnaryFn): string => {
      const X = buffer('x', [N], { dtype }), Y = buffer('y', [N], { dtype }), f = unary(fn, load(X, [constant(0)]));
      return printKernel(lower(kernel([X, Y], [store(Y, [constant(1)], f), store(Y, [constant(2)], f)]), machine(16)));
    };
    expect(text('f32', 'exp').match(/ldexp\(/g)).toHaveLength(1);
    for (const fn of FUNCTIONS) if (fn !== 'pow') for (const t of ['f32', 'f64'] as const) expect(text(t, fn)).not.toMatch(new RegExp(`\\b${fn}\\(`));
  });
  it('gives exact powers of two and exact logarithms of them, subnormal ones too', () => {
    const n = Float64Array.from({ length: 2098 }, (_, k) => k - 1074), powers = n.map((k) => 2 ** k);
    expect([...evaluate('exp2', n, { fused: false })]).toEqual([...powers]);
    expect([...evaluate('log2', powers)]).toEqual([...n]);
  });
});
