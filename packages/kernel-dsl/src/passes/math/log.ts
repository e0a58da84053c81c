import { add, and, binary, bitcast, cast, compare, constant, mul, select, sub, unary } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { LN2 } from './exp.ts';
import { polynomial, polynomial2 } from './parts.ts';
import type { Formula, Parts } from './parts.ts';

/** (ln(1 + f) - f) / f^2 and the same to base 2, for -1/4 <= f <= 1/2; minimax, relative error of the logarithm 1.8e-9. */
const SERIES_F32 = {
  e: [-0.4999999701976776, 0.3333333134651184, -0.2500046193599701, 0.20000773668289185, -0.16648437082767487, 0.14237818121910095, -0.12734226882457733, 0.12033994495868683, -0.09779699146747589, 0.04171503335237503],
  two: [-0.721347451210022, 0.48089829087257385, -0.36068251729011536, 0.2885516881942749, -0.24014431238174438, 0.2054312378168106, -0.1842029094696045, 0.17309805750846863, -0.13655723631381989, 0.05552796646952629],
};
/** (ln((1 + s) / (1 - s)) / s - 2) / s^2 in s^2, for -1/7 <= s <= 1/5; minimax, relative error of the logarithm 1.5e-17. */
const ATANH_TAIL = [0.6666666666667268, 0.3999999999617649, 0.2857142939289604, 0.22222138679589082, 0.1818634937387747, 0.15250312455898468, 0.15367294878250445];

/** Whole k and m with x = m 2^k and 0.75 <= m < 1.5. Of zeros and Infinity k is infinite and m is 1, below 0 m is NaN: what is made of them needs no exceptions. */
export function split(x: Expr, p: Parts): { readonly k: Expr; readonly m: Expr } {
  const m = p.name('log_m', unary('mantissa', x)), e = p.name('log_e', unary('exponent', x));
  return { m, k: p.name('log_k', select(compare('lt', m, p.c(1)), add(e, p.c(1)), e)) };
}

/** g with ln(1 + f) = f - g, `rest` taken off g: through s = f / (2 + f) (Tang's form, ACM TOMS 16, 1990), which halves the terms that f64 needs. */
function lnTail(f: Expr, rest: Expr | undefined, p: Parts): Expr {
  const s = p.name('log_s', binary('div', f, add(p.c(2), f))), z = p.name('log_z', mul(s, s));
  const half = p.name('log_h', mul(mul(p.c(0.5), f), f)), r = p.name('log_p', p.mulAdd(z, polynomial(z, ATANH_TAIL, p), half));
  return sub(half, rest ? p.mulAdd(s, r, rest) : mul(s, r));
}

const square = (f: Expr, p: Parts): Expr => p.name('log_z', mul(f, f));

/** The same for f32 that are neither subnormal nor special: the exponent over that of 3/4, by arithmetic of integers. */
function splitPlain(x: Expr, p: Parts): { readonly k: Expr; readonly m: Expr } {
  const bits = p.name('log_b', bitcast(x, 'i32')), over = p.name('log_o', sub(bits, constant(0x3f400000, 'i32')));
  return { m: p.name('log_m', bitcast(sub(bits, binary('and', over, constant(-0x800000, 'i32'))), 'f32')), k: p.name('log_k', cast(binary('shr', over, constant(23, 'i32')), 'f32')) };
}
/** A logarithm from its parts; for f32, numbers that are not plain go behind a branch where they cost the others something. */
const byParts = (x: Expr, p: Parts, of: (parts: { readonly k: Expr; readonly m: Expr }, p: Parts) => Expr): Expr => (p.t === 'f64' || p.splits
  ? of(split(x, p), p)
  : p.rarely(unary('not', and(compare('ge', x, p.c(2 ** -126)), compare('lt', x, p.c(Infinity)))), x, of(splitPlain(x, p), p), (u, inner) => of(split(u, inner), inner)));

/** ln x, for vectors of any width. log(0) = -Infinity, negative numbers give NaN. */
export const log: Formula = (x, p) => byParts(x, p, ({ k, m }, q) => {
  const f = q.name('log_f', sub(m, q.c(1))), { hi, lo } = LN2[q.t], rest = mul(k, q.c(lo));
  const y = q.t === 'f32' ? add(f, q.mulAdd(square(f, q), polynomial2(f, square(f, q), SERIES_F32.e, q), rest)) : sub(f, lnTail(f, rest, q));
  return q.mulAdd(k, q.c(hi), y);
});

/** log to base 2, made like log: exact for powers of two. */
export const log2: Formula = (x, p) => byParts(x, p, ({ k, m }, q) => {
  const f = q.name('log_f', sub(m, q.c(1)));
  // log2 m = f + c f + tail, where c = log2 e - 1: f itself is exact, and k + f mostly.
  const tail = q.t === 'f32' ? mul(square(f, q), polynomial2(f, square(f, q), SERIES_F32.two, q)) : mul(q.name('log_g', lnTail(f, undefined, q)), q.c(-Math.LOG2E));
  return add(add(k, f), q.mulAdd(f, q.c(Math.LOG2E - 1), tail));
});
