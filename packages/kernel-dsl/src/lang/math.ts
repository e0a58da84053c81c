import { DslError } from '../errors/index.ts';
import { DTYPES, binary, dot4 as dot4Expr, fma as fmaExpr, isFloat, isInt, unary } from '../ir/index.ts';
import type { DType, UnaryFn } from '../ir/index.ts';
import { here } from './here.ts';
import { Val, exprOf } from './val.ts';
import type { Operand } from './val.ts';

type Float = 'f32' | 'f64';

function floatOf<D extends Float>(fn: string, x: Val<D>): Val<D> {
  if (!(x instanceof Val)) throw new DslError('KD-OPERAND', { what: fn, given: String(x) }, { loc: here() });
  if (isFloat(x.dtype) && !DTYPES[x.dtype].arithmetic) throw new DslError('KD-STORAGE', { dtype: x.dtype, what: fn }, { loc: here() });
  if (!isFloat(x.dtype)) throw new DslError('KD-NOT-FLOAT', { dtype: x.dtype, what: fn }, { loc: here() });
  return x;
}
const math = <D extends Float>(fn: UnaryFn, x: Val<D>): Val<D> => new Val(unary(fn, floatOf(fn, x).expr, here()), x.dtype);

/** e^x. */
export const exp = <D extends Float>(x: Val<D>): Val<D> => math('exp', x);
/** 2^x. */
export const exp2 = <D extends Float>(x: Val<D>): Val<D> => math('exp2', x);
/** Natural logarithm. */
export const log = <D extends Float>(x: Val<D>): Val<D> => math('log', x);
/** Logarithm to base 2: -Infinity at 0, NaN below. */
export const log2 = <D extends Float>(x: Val<D>): Val<D> => math('log2', x);
/** Square root, correctly rounded; NaN below 0. */
export const sqrt = <D extends Float>(x: Val<D>): Val<D> => math('sqrt', x);
/** 1 / sqrt(x), each of the two steps rounded. */
export const rsqrt = <D extends Float>(x: Val<D>): Val<D> => math('rsqrt', x);
/** Sine of an angle in radians, of any size; NaN for infinities. */
export const sin = <D extends Float>(x: Val<D>): Val<D> => math('sin', x);
/** Cosine of an angle in radians, of any size; NaN for infinities. */
export const cos = <D extends Float>(x: Val<D>): Val<D> => math('cos', x);
/** x^y, with special values as in C: 1 for y = 0 and for x = 1, NaN for negative x unless y is whole. */
export function pow<D extends Float>(x: Val<D>, y: Operand<NoInfer<D>>): Val<D> {
  if (!isFloat(x.dtype) || !DTYPES[x.dtype].arithmetic) throw new DslError('KD-STORAGE', { dtype: x.dtype, what: 'pow' }, { loc: here() });
  return new Val(binary('pow', x.expr, exprOf(y, x.dtype, 'pow'), here()), x.dtype);
}
/** Hyperbolic tangent: 1 and -1 at the infinities. */
export const tanh = <D extends Float>(x: Val<D>): Val<D> => math('tanh', x);
/** The error function, 2/sqrt(pi) times the integral of e^(-t^2) over 0..x: 1 and -1 at the infinities. */
export const erf = <D extends Float>(x: Val<D>): Val<D> => math('erf', x);
/** The greatest integer not above x, as a float. */
export const floor = <D extends Float>(x: Val<D>): Val<D> => math('floor', x);
/** The least integer not below x, as a float. */
export const ceil = <D extends Float>(x: Val<D>): Val<D> => math('ceil', x);
/** To the nearest integer, ties to even. */
export const round = <D extends Float>(x: Val<D>): Val<D> => math('round', x);
/** Towards zero. */
export const trunc = <D extends Float>(x: Val<D>): Val<D> => math('trunc', x);
/** a * b + c, rounded once. */
export const fma = <D extends Float>(a: Val<D>, b: Operand<NoInfer<D>>, c: Operand<NoInfer<D>>): Val<D> =>
  new Val(fmaExpr(floatOf('fma', a).expr, exprOf(b, a.dtype, 'fma'), exprOf(c, a.dtype, 'fma'), here()), a.dtype);
type Int = 'i64' | 'i32' | 'u32' | 'i16' | 'u16' | 'i8' | 'u8';

function bits<D extends Int>(fn: UnaryFn, x: Val<D>): Val<D> {
  if (!isInt(x.dtype)) throw new DslError('KD-NOT-INT', { dtype: x.dtype, what: fn }, { loc: here() });
  return new Val(unary(fn, x.expr, here()), x.dtype);
}
/** How many bits of an integer are set, in its dtype. */
export const popcount = <D extends Int>(x: Val<D>): Val<D> => bits('popcount', x);
/** Zero bits above the highest set bit of an integer; the width of its dtype where none is set. */
export const clz = <D extends Int>(x: Val<D>): Val<D> => bits('clz', x);
/** Zero bits below the lowest set bit of an integer; the width of its dtype where none is set. */
export const ctz = <D extends Int>(x: Val<D>): Val<D> => bits('ctz', x);
/** acc plus the dot product of four unsigned bytes (packed in a) with four signed bytes (packed in b): exact, wrapping in i32. */
export const dot4 = (acc: Operand<'i32'>, a: Val<'u32'>, b: Val<'i32'>): Val<'i32'> =>
  new Val(dot4Expr(exprOf(acc, 'i32', 'dot4'), a.expr, b.expr, here()), 'i32');
export type { DType };
