import { add, binary, compare, mul, select, sub, unary } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { expm1 } from './exp.ts';
import type { Formula, Parts } from './parts.ts';

/** m / (m + 2). In f64 with what the sum lost in rounding, times 1 / (m + 2) = (1 - t) / 2; it shows where m is small. */
function ratio(m: Expr, p: Parts): Expr {
  const d = p.name('tanh_d', add(m, p.c(2))), t = p.name('tanh_t', binary('div', m, d));
  if (p.t === 'f32') return t;
  const lost = select(compare('lt', m, p.c(2)), sub(m, sub(d, p.c(2))), p.c(0));
  return p.mulAdd(p.name('tanh_l', mul(lost, t)), p.mulAdd(t, p.c(0.5), p.c(-0.5)), t);
}

/**
 * tanh x, for vectors of any width: m / (m + 2) with m = e^2|x| - 1; the sign is put back at the end.
 * tanh(-0) = -0, infinities give 1 and -1, NaN stays NaN.
 */
export const tanh: Formula = (x, p) => {
  // Beyond, the result rounds to 1; NaN is the second operand, so it passes.
  const a = p.name('tanh_a', binary('min', p.c(p.t === 'f32' ? 9.1 : 19.1), unary('abs', x)));
  return binary('copysign', ratio(p.name('tanh_m', expm1(p.name('tanh_2a', mul(p.c(2), a)), p)), p), x);
};
