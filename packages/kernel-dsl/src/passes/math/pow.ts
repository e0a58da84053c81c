import { add, and, binary, compare, fma, mul, select, sub, unary } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { exp2Core } from './exp.ts';
import { split } from './log.ts';
import { clamp, polynomial } from './parts.ts';
import type { ByType, Formula2, Parts } from './parts.ts';

/** A number in two parts: the first is their sum, rounded. */
interface Two { readonly h: Expr; readonly l: Expr }

/** log2((1 + s) / (1 - s)) = s (c0 + z (c1 + z u(z))), z = s^2: c0 = 2 / ln 2 and c1 = c0 / 3 in two parts, u minimax (5.8e-11, 3.1e-17 of the logarithm). */
const SERIES: ByType<{ readonly c0: readonly [number, number]; readonly c1: readonly [number, number]; readonly u: readonly number[] }> = {
  f32: { c0: [2.885390043258667, 3.851926067000022e-8], c1: [0.9617967009544373, -7.028461812552678e-9], u: [0.5770836472511292, 0.4115387201309204, 0.34439244866371155] },
  f64: {
    c0: [2.8853900817779268, 4.0710547481862066e-17], c1: [0.9617966939259756, 5.0577616648125907e-17],
    u: [0.5770780163558754, 0.41219858298544254, 0.3205989186814975, 0.26230646045884776, 0.22203350875817782, 0.19025281025108998, 0.19850936385578993],
  },
};

/** c + x for |c| >= |x|. */
function plus(stem: string, [hi, lo]: readonly [Expr, Expr], x: Two, p: Parts): Two {
  const h = p.name(`${stem}_h`, add(hi, x.h));
  return { h, l: p.name(`${stem}_l`, add(sub(x.h, sub(h, hi)), add(lo, x.l))) };
}
/** a b; the product of the first parts is exact. */
function times(stem: string, a: Two, b: Two, p: Parts): Two {
  const h = p.name(`${stem}_h`, mul(a.h, b.h));
  return { h, l: p.name(`${stem}_l`, add(fma(a.h, b.h, unary('neg', h)), p.mulAdd(a.h, b.l, mul(a.l, b.h)))) };
}

/** log2 of finite x > 0 in two parts, to about 12 bits more than one. */
function log2Two(x: Expr, p: Parts): Two {
  const { k, m } = split(x, p), c = SERIES[p.t], two = ([a, b]: readonly [number, number]): readonly [Expr, Expr] => [p.c(a), p.c(b)];
  const f = p.name('pow_f', sub(m, p.c(1))), dh = p.name('pow_d', add(m, p.c(1))), dl = p.name('pow_e', sub(m, sub(dh, p.c(1))));
  const inverse = p.name('pow_i', binary('div', p.c(1), dh)), sh = p.name('pow_s', mul(f, inverse));
  const s: Two = { h: sh, l: p.name('pow_t', mul(inverse, fma(unary('neg', sh), dl, fma(unary('neg', sh), dh, f)))) };
  const z = times('pow_z', s, s, p);
  const inner = plus('pow_u', two(c.c1), { h: p.name('pow_v', mul(z.h, polynomial(z.h, c.u, p))), l: p.c(0) }, p);
  const log = times('pow_g', s, plus('pow_w', two(c.c0), times('pow_r', z, inner, p), p), p);
  return plus('pow_y', [k, p.c(0)], log, p);
}

/**
 * x^y, for vectors of any width: 2^(y log2 |x|) with the logarithm in two parts. Special values as in C (Annex F): pow(x, 0) = pow(1, y) = 1 even
 * for NaN; a finite negative x with a y that is not whole gives NaN; zeros and infinities keep their sign for odd y.
 */
export const pow: Formula2 = (x, y, p) => {
  const top = p.t === 'f32' ? 160 : 1100, c = p.c;
  const a = p.name('pow_x', unary('abs', x)), log = log2Two(a, p);
  // Beyond these exponents every power but that of 1 is 0 or infinite; with them nothing below becomes NaN by itself.
  const b = p.name('pow_b', clamp(y, p.t === 'f32' ? -(2 ** 40) : -(2 ** 100), p.t === 'f32' ? 2 ** 40 : 2 ** 100, p));
  const eh = p.name('pow_eh', mul(b, log.h)), e = p.name('pow_ec', clamp(eh, -top, top, p)), n = p.name('pow_n', unary('round', e));
  const el = p.name('pow_el', select(compare('lt', unary('abs', eh), c(top)), p.mulAdd(b, log.l, fma(b, log.h, unary('neg', eh))), c(0)));
  const size = p.name('pow_q', exp2Core(p.name('pow_a', add(sub(e, n), el)), n, p));
  const half = p.name('pow_hy', mul(b, c(0.5))), whole = compare('eq', unary('round', b), b), odd = and(whole, compare('ne', unary('round', half), half));
  const minus = compare('lt', binary('copysign', c(1), x), c(0));
  const signed = select(and(odd, minus), unary('neg', size), size);
  const nan = and(and(compare('lt', x, c(0)), compare('gt', x, c(-Infinity))), compare('ne', unary('round', b), b));
  const one = binary('or', compare('eq', y, c(0)), compare('eq', x, c(1)));
  return select(one, c(1), select(nan, c(NaN), signed));
};
