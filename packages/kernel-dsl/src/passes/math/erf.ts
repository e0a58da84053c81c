import { binary, mul, unary } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { oneMinusExp2 } from './exp.ts';
import { polynomial2, withSign } from './parts.ts';
import type { Formula, Parts } from './parts.ts';

/** With g = log2(1 - erf x): -2 log2(e) / sqrt(pi), and (g / x - that) / x up to 3.93, where erf rounds to 1; minimax, relative error of erf 9e-9. */
const F32 = { slope: -1.627907028611115, one: 3.93, curve: [-0.9184477925300598, -0.14827671647071838, 0.027637291699647903, 0.00020855033653788269, -0.002368875779211521, 0.0008860936504788697, -0.00016026536468416452, 1.2095419151592068e-05] } as const;
/** The same as a quotient of polynomials; relative error of erf 2.5e-17. */
const F64 = {
  slope: -1.627907028611115, one: 5.93,
  above: [-8046.632926009678, -14618.178376292715, -12448.497499244013, -6275.7014922781245, -1981.2196278454835, -381.5832657674134, -39.43129948983963, -1.4424381385183664],
  below: [8761.117966728823, 14501.821378936085, 11475.982848709311, 5418.930440232793, 1608.5739520673537, 291.8610793716105, 28.43940146501279, 1],
} as const;

/** erf of 0 <= a, up to where it rounds to 1. */
function size(a: Expr, p: Parts): Expr {
  const square = p.name('erf_aa', mul(a, a)), { slope } = p.t === 'f32' ? F32 : F64;
  const q = p.t === 'f32' ? polynomial2(a, square, F32.curve, p) : p.name('erf_q', binary('div', polynomial2(a, square, F64.above, p), polynomial2(a, square, F64.below, p)));
  return oneMinusExp2(p.name('erf_g', p.mulAdd(a, p.c(slope), mul(square, q))), p);
}

/**
 * The error function, for vectors of any width: 1 - 2^g(|x|), where g is one smooth curve for all x; the sign is put back at the end.
 * erf(-0) = -0, infinities give 1 and -1, NaN stays NaN.
 */
export const erf: Formula = (x, p) => withSign(size(p.name('erf_a', binary('min', p.c(p.t === 'f32' ? F32.one : F64.one), unary('abs', x))), p), x, p);
