import { ArgumentError, DTypeError, Tensor } from '@quern/runtime';
import { dnnKernel } from '../library/index.ts';
import { flat, needShape, needTensor, resultOf } from './check.ts';
import type { OutOption } from './check.ts';

/** What these functions compute in; the result has the dtype of the argument. */
export type RealType = 'f32' | 'f64';

function needReal<D extends RealType>(x: Tensor<D>, what: string): D {
  if (!(x instanceof Tensor)) throw new ArgumentError(`${what} must be a Tensor`, { fix: 'wrap a typed array with tensor(data, shape) of @quern/runtime' });
  if (x.dtype !== 'f32' && x.dtype !== 'f64') throw new DTypeError(`${what} must be f32 or f64, got ${String(x.dtype)}`);
  return x.dtype;
}

function each<D extends RealType>(name: string, x: Tensor<D>, o: OutOption<D>): Tensor<D> {
  const dtype = needReal(x, `${name}: x`), y = resultOf(o, x.shape, dtype, name);
  dnnKernel(`${name}_${dtype}`).run({ x: flat(x), y: y.reshape(y.size) });
  return y;
}

/**
 * e^x; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example exp(values([0, 1])).read() // 1, 2.7182818
 */
export const exp = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('exp', x, o);

/**
 * 2^x; exact for whole x; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example exp2(values([3, 0.5])).read() // 8, 1.4142135
 */
export const exp2 = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('exp2', x, o);

/**
 * The natural logarithm: -Infinity at 0, NaN below; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example log(values([1, Math.E])).read() // 0, 1
 */
export const log = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('log', x, o);

/**
 * The logarithm to base 2, exact for powers of two: -Infinity at 0, NaN below; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example log2(values([8, 10])).read() // 3, 3.3219280
 */
export const log2 = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('log2', x, o);

/**
 * The sine of angles in radians, of any size; NaN for infinities; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example sin(values([0, 1e22])).read() // 0, -0.8522008 (in f64)
 */
export const sin = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('sin', x, o);

/**
 * The cosine of angles in radians, of any size; NaN for infinities; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example cos(values([0, Math.PI])).read() // 1, -1
 */
export const cos = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('cos', x, o);

/**
 * The hyperbolic tangent; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example tanh(values([0, 1])).read() // 0, 0.7615942
 */
export const tanh = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('tanh', x, o);

/**
 * The error function, 2/sqrt(pi) times the integral of e^(-t^2) over 0..x; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example erf(values([0, 1])).read() // 0, 0.8427008
 */
export const erf = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('erf', x, o);

/**
 * The square root, correctly rounded; NaN below 0; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example sqrt(values([4, 2])).read() // 2, 1.4142135
 */
export const sqrt = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('sqrt', x, o);

/**
 * 1 / sqrt(x), each of the two steps rounded; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example rsqrt(values([4, 2])).read() // 0.5, 0.7071068
 */
export const rsqrt = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('rsqrt', x, o);

/**
 * 1 / (1 + e^-x), the logistic function, within 4 ulp where it is a normal number; element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example sigmoid(values([0, 1])).read() // 0.5, 0.7310586
 */
export const sigmoid = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('sigmoid', x, o);

/**
 * x (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016), within 4 u |x| (u: unit roundoff); element by element, of f32 or f64.
 *
 * @param x any shape
 * @throws ShapeError, DTypeError, ArgumentError
 * @example gelu(values([0, 1])).read() // 0, 0.8413447
 */
export const gelu = <D extends RealType>(x: Tensor<D>, o: OutOption<D> = {}): Tensor<D> => each('gelu', x, o);

/**
 * x^y, element by element, with special values as in C: 1 for y = 0 and for x = 1, NaN for finite negative x unless y is whole.
 *
 * @param x any shape, f32 or f64
 * @param y the same shape and dtype
 * @throws ShapeError, DTypeError, ArgumentError
 * @example pow(values([2, 9]), values([3, 0.5])).read() // 8, 3
 */
export function pow<D extends RealType>(x: Tensor<D>, y: Tensor<D>, o: OutOption<D> = {}): Tensor<D> {
  const dtype = needReal(x, 'pow: x');
  needShape(needTensor(y, dtype, 'pow: y'), x.shape, 'pow: y');
  const z = resultOf(o, x.shape, dtype, 'pow');
  dnnKernel(`pow_${dtype}`).run({ x: flat(x), y: flat(y), z: z.reshape(z.size) });
  return z;
}
