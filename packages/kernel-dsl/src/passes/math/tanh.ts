import { add, binary, mul, unary } from '../../ir/index.ts';
import { expm1 } from './exp.ts';
import type { Formula } from './parts.ts';

/**
 * tanh x, for vectors of any width: m / (m + 2) with m = e^2|x| - 1; the sign is put back at the end.
 * tanh(-0) = -0, infinities give 1 and -1, NaN stays NaN.
 */
export const tanh: Formula = (x, p) => {
  // Beyond, the result rounds to 1; NaN is the second operand, so it passes.
  const a = p.name('tanh_a', binary('min', p.c(p.t === 'f32' ? 9.1 : 19.1), unary('abs', x)));
  const m = p.name('tanh_m', expm1(p.name('tanh_2a', mul(p.c(2), a)), 1, p));
  return binary('copysign', binary('div', m, add(m, p.c(2))), x);
};
