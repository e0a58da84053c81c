/** Functions over arrays: what they must give. */
import { MAX_ULP, erfReference } from '@quern/kernel-dsl';
import type { MathFn, TensorArg } from '@quern/kernel-dsl';
import fc from 'fast-check';
import { each, of, t } from './case.ts';
import type { Case } from './case.ts';

type Real = 'f32' | 'f64';
const FORMAT = { f32: { u: 2 ** -24, tiny: 2 ** -149, least: 2 ** -126, most: 3.4028235677973366e38 }, f64: { u: 2 ** -53, tiny: 2 ** -1074, least: 2 ** -1022, most: Infinity } } as const;
const arrayOf = (d: Real, x: Float32Array): TensorArg['data'] => (d === 'f32' ? x : Float64Array.from(x, (v, i) => v * (1 + (i % 7) * 2 ** -40)));
const length = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 62, max: 68 }), fc.integer({ min: 126, max: 140 }));

/** The function in doubles, and its error in units of roundoff of the result or of what `size` gives. */
interface Fn { readonly exact: (x: number) => number; readonly error: (d: Real, x: number) => number; readonly size?: (x: number) => number; readonly scale?: number }
/** Two units of roundoff are an ulp at most; doubles of JavaScript are off by one themselves. */
const stated = (fn: MathFn) => (d: Real): number => 2 * MAX_ULP[fn][d] + (d === 'f64' ? 3 : 0);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const FUNCTIONS: Readonly<Record<string, Fn>> = {
  exp: { exact: Math.exp, error: stated('exp'), scale: 8 }, exp2: { exact: (x) => 2 ** x, error: stated('exp2'), scale: 12 }, log: { exact: Math.log, error: stated('log') },
  log2: { exact: Math.log2, error: stated('log2') }, sin: { exact: Math.sin, error: stated('sin'), scale: 1e4 }, cos: { exact: Math.cos, error: stated('cos'), scale: 1e4 },
  tanh: { exact: Math.tanh, error: stated('tanh') }, erf: { exact: erfReference, error: stated('erf') }, sqrt: { exact: Math.sqrt, error: () => 1 },
  rsqrt: { exact: (x) => 1 / Math.sqrt(x), error: () => 3 }, sigmoid: { exact: sigmoid, error: () => 8, scale: 8 },
  gelu: { exact: (x) => (x * (1 + erfReference(x * Math.SQRT1_2))) / 2, error: () => 4, size: Math.abs },
};

const unary = (name: string, d: Real): Case => {
  const f = FUNCTIONS[name]!, { u, tiny, least, most } = FORMAT[d];
  return {
    kernel: `${name}_${d}`, sizes: { N: length },
    make: ({ N }, r) => ({ x: t(arrayOf(d, r.f32(N!).map((v) => v * (f.scale ?? 1))), N!), y: t(arrayOf(d, new Float32Array(N!)), N!) }),
    expected: ({ N }, a) => ({ y: each(N!, (i) => {
      const x = of(a, 'x')[i]!, exact = f.exact(x), y = Math.abs(exact) >= most ? exact * Infinity : exact;
      // sigmoid may lose what is not a normal number: it divides by what may overflow.
      return [y, (f.size?.(x) ?? Math.abs(y)) * f.error(d, x) * u + (name === 'sigmoid' ? 2 * least : 3 * tiny)];
    }) }),
  };
};
const power = (d: Real): Case => ({
  kernel: `pow_${d}`, sizes: { N: length },
  make: ({ N }, r) => ({ x: t(arrayOf(d, r.f32(N!)), N!), y: t(arrayOf(d, r.f32(N!).map((v) => (r.next() < 0.5 ? Math.round(v) : v))), N!), z: t(arrayOf(d, new Float32Array(N!)), N!) }),
  expected: ({ N }, a) => ({ z: each(N!, (i) => {
    const x = of(a, 'x')[i]!, p = of(a, 'y')[i]!, exact = x === 1 || (x === -1 && Math.abs(p) === Infinity) ? 1 : x ** p, y = Math.abs(exact) >= FORMAT[d].most ? exact * Infinity : exact;
    return [y, Math.abs(y) * stated('pow')(d) * FORMAT[d].u + 3 * FORMAT[d].tiny];
  }) }),
});

export const MATH_CASES: readonly Case[] = (['f32', 'f64'] as const).flatMap((d) => [...Object.keys(FUNCTIONS).map((name) => unary(name, d)), power(d)]);
