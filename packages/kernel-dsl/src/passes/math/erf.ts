import { binary, mul, unary } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { expm1, oneMinusExp2 } from './exp.ts';
import { polynomial2 } from './parts.ts';
import type { Formula, Parts } from './parts.ts';

/** With g = -ln(1 - erf x): 2 / sqrt(pi) in two parts, and (g / x - 2 / sqrt(pi)) / x up to 3.93, where erf rounds to 1; minimax, relative error of erf 9e-9. */
const F32 = {
  slope: [1.128379225730896, -5.8635382771399236e-8], one: 3.93,
  curve: [0.636619508266449, 0.10277759283781052, -0.01915671117603779, -0.00014455607743002474, 0.0016419795574620366, -0.0006141933263279498, 0.00011108748731203377, -8.38390587887261e-06],
} as const;
/** The same with the logarithm to base 2, as a quotient of polynomials; relative error of erf 2.5e-17. */
const F64 = {
  slope: 1.627907028611115, one: 5.93,
  above: [8046.632926009678, 14618.178376292715, 12448.497499244013, 6275.7014922781245, 1981.2196278454835, 381.5832657674134, 39.43129948983963, 1.4424381385183664],
  below: [8761.117966728823, 14501.821378936085, 11475.982848709311, 5418.930440232793, 1608.5739520673537, 291.8610793716105, 28.43940146501279, 1],
} as const;

/** erf of 0 <= a, up to where it rounds to 1. */
function size(a: Expr, p: Parts): Expr {
  const square = p.name('erf_aa', mul(a, a));
  if (p.t === 'f32') {
    const q = p.name('erf_q', p.mulAdd(a, polynomial2(a, square, F32.curve, p), p.c(F32.slope[1])));
    return expm1(unary('neg', p.name('erf_g', p.mulAdd(a, p.c(F32.slope[0]), mul(a, q)))), -1, p);
  }
  const q = p.name('erf_q', binary('div', polynomial2(a, square, F64.above, p), polynomial2(a, square, F64.below, p)));
  return oneMinusExp2(unary('neg', p.name('erf_g', p.mulAdd(a, p.c(F64.slope), mul(square, q)))), p);
}

/**
 * The error function, for vectors of any width: 1 - e^-g(|x|), where g is one smooth curve for all x; the sign is put back at the end.
 * erf(-0) = -0, infinities give 1 and -1, NaN stays NaN.
 */
export const erf: Formula = (x, p) => binary('copysign', size(p.name('erf_a', binary('min', p.c(p.t === 'f32' ? F32.one : F64.one), unary('abs', x))), p), x);
