import { binary, mul, unary } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { expm1 } from './exp.ts';
import { polynomial } from './parts.ts';
import type { ByType, Formula, Parts } from './parts.ts';

/** 2 / sqrt(pi) in two parts. */
const SLOPE: ByType<readonly [number, number]> = { f32: [1.128379225730896, -5.8635382771399236e-8], f64: [1.1283791670955126, 1.533545961316588e-17] };
/** From here on erf rounds to 1. */
const ONE: ByType<number> = { f32: 3.93, f64: 5.93 };
/** With g = -ln(1 - erf x): (g / x - 2 / sqrt(pi)) / x up to there; minimax, relative error of erf 9e-9. */
const CURVE_F32 = [0.636619508266449, 0.10277759283781052, -0.01915671117603779, -0.00014455607743002474, 0.0016419795574620366, -0.0006141933263279498, 0.00011108748731203377, -8.38390587887261e-06];
/** The same as a quotient of polynomials; relative error of erf 2.5e-17. */
const CURVE_F64 = {
  above: [0.6366197723675815, 1.1565360910478517, 0.984878981949176, 0.4965102412646312, 0.15674675359083967, 0.030189453654200022, 0.0031196582640471058, 0.00011412035914172829],
  below: [1, 1.6552478158618715, 1.3098765354250959, 0.6185204286498248, 0.18360373164430224, 0.03331322332149626, 0.003246092744443588, 0.00011414068430508469],
};
const curve = (a: Expr, p: Parts): Expr =>
  p.t === 'f32' ? polynomial(a, CURVE_F32, p) : binary('div', p.name('erf_u', polynomial(a, CURVE_F64.above, p)), p.name('erf_v', polynomial(a, CURVE_F64.below, p)));

/**
 * The error function, for vectors of any width: 1 - e^-g(|x|), where g is one smooth curve for all x; the sign is put back at the end.
 * erf(-0) = -0, infinities give 1 and -1, NaN stays NaN.
 */
export const erf: Formula = (x, p) => {
  const a = p.name('erf_a', binary('min', p.c(ONE[p.t]), unary('abs', x))), [hi, lo] = SLOPE[p.t];
  const minusG = p.name('erf_g', p.mulAdd(a, p.c(-hi), mul(a, p.name('erf_q', p.mulAdd(unary('neg', a), curve(a, p), p.c(-lo))))));
  return binary('copysign', expm1(minusG, -1, p), x);
};
