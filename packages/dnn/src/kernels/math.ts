import { axes, cos, erf, exp, exp2, kernel, log, log2, pow, rsqrt, sin, sqrt, streamingMap, tanh, tensor, value } from '@quern/kernel-dsl';
import type { Val } from '@quern/kernel-dsl';
import { define } from './define.ts';
import type { DnnKernel } from './define.ts';

type Real = 'f32' | 'f64';
type Of1 = <D extends Real>(x: Val<D>) => Val<D>;

/** Vectors side by side: their chains of operations hide each other's latency, and all stays in registers. */
const VECTORS = 2;

const sigmoid: Of1 = (x) => { const one = value(x.dtype, 1); return one.div(exp(x.neg()).add(one)); };
const gelu: Of1 = (x) => x.mul(value(x.dtype, 0.5)).mul(erf(x.mul(value(x.dtype, Math.SQRT1_2))).add(value(x.dtype, 1)));

/** What is computed of each element, by name. */
export const ELEMENTWISE: Readonly<Record<'exp' | 'exp2' | 'log' | 'log2' | 'sin' | 'cos' | 'tanh' | 'erf' | 'sqrt' | 'rsqrt' | 'sigmoid' | 'gelu', Of1>> =
  { exp, exp2, log, log2, sin, cos, tanh, erf, sqrt, rsqrt, sigmoid, gelu };

/** y = f(x), element by element; `exp_f32` and so on. */
const unary = <D extends Real>(name: string, f: Of1, d: D): DnnKernel => define(
  `${name}_${d}`,
  (n) => kernel(n, { x: tensor(d, 'N'), y: tensor(d, 'N').out() }, ({ x, y, N }) => {
    const ax = axes({ i: N });
    for (const i of ax.i) y.at(i).set(f(x.at(i)));
    return ax;
  }),
  (s, { i }) => s.parallel(streamingMap(s, i, { vectors: VECTORS, dtype: d })),
);

/** z = x^y, element by element. */
const power = <D extends Real>(d: D): DnnKernel => define(
  `pow_${d}`,
  (n) => kernel(n, { x: tensor(d, 'N'), y: tensor(d, 'N'), z: tensor(d, 'N').out() }, ({ x, y, z, N }) => {
    const ax = axes({ i: N });
    for (const i of ax.i) z.at(i).set(pow(x.at(i), y.at(i)));
    return ax;
  }),
  (s, { i }) => s.parallel(streamingMap(s, i, { vectors: VECTORS, dtype: d })),
);

/** Functions over arrays of f32 and f64. */
export const MATH: readonly DnnKernel[] = (['f32', 'f64'] as const).flatMap((d) => [...Object.entries(ELEMENTWISE).map(([name, f]) => unary(name, f, d)), power(d)]);
