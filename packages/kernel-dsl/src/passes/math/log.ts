import { add, compare, mul, select, sub, unary, binary } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { LN2 } from './exp.ts';
import { polynomial } from './parts.ts';
import type { ByType, Formula, Parts } from './parts.ts';

/** (ln((1 + s) / (1 - s)) / s - 2) / s^2 in s^2, for -1/7 <= s <= 1/5; minimax, relative error of the logarithm 2.6e-11 and 1.5e-17. */
const ATANH_TAIL: ByType<readonly number[]> = {
  f32: [0.6666666269302368, 0.4000093340873718, 0.2850351929664612, 0.24151451885700226],
  f64: [0.6666666666667268, 0.3999999999617649, 0.2857142939289604, 0.22222138679589082, 0.1818634937387747, 0.15250312455898468, 0.15367294878250445],
};

/** Whole k and m with x = m 2^k and 0.75 <= m < 1.5. */
export function split(x: Expr, p: Parts): { readonly k: Expr; readonly m: Expr } {
  const m = p.name('log_m', unary('mantissa', x)), e = p.name('log_e', unary('exponent', x));
  return { m, k: p.name('log_k', select(compare('lt', m, p.c(1)), add(e, p.c(1)), e)) };
}

/** What a logarithm gives outside of 0 < x < Infinity. */
const special = (x: Expr, y: Expr, p: Parts): Expr =>
  select(compare('gt', x, p.c(0)), select(compare('lt', x, p.c(Infinity)), y, x), select(compare('eq', x, p.c(0)), p.c(-Infinity), p.c(NaN)));

/** f = m - 1 and g with ln m = f - g, through s = f / (2 + f) (Tang's form, ACM TOMS 16, 1990). */
function lnParts(m: Expr, p: Parts): { readonly f: Expr; readonly g: (rest: Expr) => Expr } {
  const f = p.name('log_f', sub(m, p.c(1))), s = p.name('log_s', binary('div', f, add(p.c(2), f))), z = p.name('log_z', mul(s, s));
  const half = p.name('log_h', mul(mul(p.c(0.5), f), f)), r = p.name('log_p', add(half, mul(z, polynomial(z, ATANH_TAIL[p.t], p))));
  return { f, g: (rest) => sub(half, p.mulAdd(s, r, rest)) };
}

/** ln x, for vectors of any width. log(0) = -Infinity, negative numbers give NaN. */
export const log: Formula = (x, p) => {
  const { k, m } = split(x, p), { f, g } = lnParts(m, p), l = LN2[p.t];
  return special(x, p.name('log_y', p.mulAdd(k, p.c(l.hi), sub(f, g(mul(k, p.c(l.lo)))))), p);
};

/** log to base 2, made like log: exact for powers of two. */
export const log2: Formula = (x, p) => {
  const { k, m } = split(x, p), { f, g } = lnParts(m, p);
  // log2 m = (f - g) (1 + c): the largest product that is rounded is c f.
  const rest = p.mulAdd(f, p.c(Math.LOG2E - 1), mul(p.name('log_g', g(p.c(0))), p.c(-Math.LOG2E)));
  return special(x, p.name('log_y', add(add(k, f), rest)), p);
};
