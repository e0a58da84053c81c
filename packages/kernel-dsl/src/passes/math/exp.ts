import { add, binary, mul, sub } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { MAGIC, clamp, polynomial2 } from './parts.ts';
import type { ByType, Formula, Parts } from './parts.ts';

/** ln 2 in two parts; products of the first with the whole numbers that occur are exact. */
export const LN2: ByType<{ readonly hi: number; readonly lo: number }> = {
  f32: { hi: 0.693145751953125, lo: 1.42860682e-6 },
  f64: { hi: 0.693147180559663, lo: 2.8235290563031577e-13 },
};

/** (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2, minimax for the relative error of e^r (3.1e-9, 1.1e-17). */
const TAIL: ByType<readonly number[]> = {
  f32: [0.4999999403953552, 0.1666652113199234, 0.04166838899254799, 0.00836874544620514, 0.0013814540579915047],
  f64: [0.5000000000000011, 0.16666666666666413, 0.041666666666530267, 0.00833333333349434, 0.0013888888943598562, 0.000198412695067666, 2.4801493135142034e-05, 2.755758627646654e-06, 2.763023433351432e-07, 2.5000069663290333e-08],
};
/** The same, minimax for the relative error of e^r - 1 (4.7e-10, 2.4e-17). */
const TAIL_M1: ByType<readonly number[]> = {
  f32: [0.5, 0.1666666567325592, 0.04166646674275398, 0.008333643898367882, 0.0013935045571997762, 0.00019662707927636802],
  f64: [0.5000000000000006, 0.1666666666666667, 0.04166666666657314, 0.008333333333326141, 0.0013888888932489353, 0.00019841269874801073, 2.4801504346039526e-05, 2.7557255425009614e-06, 2.762635764031128e-07, 2.510520668068106e-08],
};
/** (2^r - 1 - r ln 2) / r^2 on |r| <= 1/2, minimax for the relative error of 2^r (3.1e-9, 4.5e-18). */
const TAIL_2: ByType<readonly number[]> = {
  f32: [0.24022647738456726, 0.05550362169742584, 0.009618527255952358, 0.001339020673185587, 0.00015321090177167207],
  f64: [0.24022650695910122, 0.05550410866482074, 0.00961812910759699, 0.0013333558146686056, 0.00015403530454057284, 1.5252733546915927e-05, 1.3215436613877931e-06, 1.0178184642688306e-07, 7.073578485526308e-09, 4.43630393096805e-10],
};

/** e^r - 1 and whole n with x = n ln 2 + r: Cody-Waite reduction (Software Manual for the Elementary Functions, 1980). The reduced argument has two parts: hi is exact. */
function reduced(x: Expr, tail: readonly number[], p: Parts): { readonly m1: Expr; readonly n: Expr } {
  const shifted = p.name('exp_t', p.mulAdd(x, p.c(Math.LOG2E), p.c(MAGIC[p.t]))), n = p.name('exp_n', sub(shifted, p.c(MAGIC[p.t])));
  const hi = p.name('exp_hi', p.mulAdd(n, p.c(-LN2[p.t].hi), x)), lo = p.name('exp_lo', mul(n, p.c(-LN2[p.t].lo))), r = p.name('exp_r', add(hi, lo));
  const square = p.name('exp_rr', mul(r, r));
  return { m1: add(hi, p.mulAdd(square, polynomial2(r, square, tail, p), lo)), n };
}

/** Below the first e^x is 0 when rounded, above the second it is infinite. */
const RANGE: ByType<readonly [number, number]> = { f32: [-104, 89], f64: [-746, 710] };

/**
 * e^x, for vectors of any width: reduction, a polynomial, and a power of two; no table, no branch.
 * exp(-Infinity) = 0, exp(Infinity) = Infinity, NaN stays NaN; subnormal results are rounded like others.
 */
export const exp: Formula = (x, p) => {
  const c = p.name('exp_c', clamp(x, ...RANGE[p.t], p));
  if (p.t === 'f64') { const { m1, n } = reduced(c, TAIL.f64, p); return binary('ldexp', add(p.c(1), m1), n); }
  // What the reduced argument loses as one number is little beside the rounding of the sum with 1.
  const n = p.name('exp_n', sub(p.name('exp_t', p.mulAdd(c, p.c(Math.LOG2E), p.c(MAGIC.f32))), p.c(MAGIC.f32)));
  const r = p.name('exp_r', p.mulAdd(n, p.c(-LN2.f32.lo), p.mulAdd(n, p.c(-LN2.f32.hi), c))), square = p.name('exp_rr', mul(r, r));
  return binary('ldexp', add(p.c(1), p.mulAdd(square, polynomial2(r, square, TAIL.f32, p), r)), n);
};

/** e^x - 1 without cancellation, for |x| up to 80. */
export function expm1(x: Expr, p: Parts): Expr {
  const { m1, n } = reduced(x, TAIL_M1[p.t], p), y = p.name('exp_m', m1);
  const scale = p.name('exp_s', binary('ldexp', p.c(1), n));
  return p.mulAdd(scale, y, sub(scale, p.c(1)));
}

/** ((2^r - 1) / r - ln 2) / r on |r| <= 1/2, minimax for the relative error of 2^r - 1 (1.3e-8, 5.4e-17). */
const CURVE_2: ByType<readonly number[]> = {
  f32: [0.24022649228572845, 0.05550367385149002, 0.009618309326469898, 0.001338738831691444, 0.00015382864512503147],
  f64: [
    0.24022650695910097, 0.055504108664821236, 0.009618129107607065, 0.001333355814653162, 0.00015403530441482263, 1.5252733701221003e-05,
    1.321544272318809e-06, 1.017812129747929e-07, 7.0725619133993184e-09, 4.4455374653578893e-10,
  ],
};
/** 1 - 2^x without cancellation, for |x| up to 100. */
export function oneMinusExp2(x: Expr, p: Parts): Expr {
  const n = p.name('exp2_n', sub(add(x, p.c(MAGIC[p.t])), p.c(MAGIC[p.t]))), r = p.name('exp2_r', sub(x, n)), square = p.name('exp2_rr', mul(r, r));
  const scale = p.name('exp2_s', binary('ldexp', p.c(-1), n));
  return p.mulAdd(scale, p.name('exp2_m', p.mulAdd(r, p.c(Math.LN2), mul(square, polynomial2(r, square, CURVE_2[p.t], p)))), add(scale, p.c(1)));
}

/** 2^(n + r) for whole n and |r| <= 1/2. */
export function exp2Core(r: Expr, n: Expr, p: Parts): Expr {
  const square = p.name('exp2_rr', mul(r, r));
  return binary('ldexp', add(p.c(1), p.mulAdd(r, p.c(Math.LN2), mul(square, polynomial2(r, square, TAIL_2[p.t], p)))), n);
}

/** 2^x, made like exp. Whole numbers give exact powers; special values as exp. */
export const exp2: Formula = (x, p) => {
  const [low, high] = p.t === 'f32' ? [-151, 129] : [-1077, 1025];
  const c = p.name('exp2_c', clamp(x, low!, high!, p)), n = p.name('exp2_n', sub(add(c, p.c(MAGIC[p.t])), p.c(MAGIC[p.t])));
  return exp2Core(p.name('exp2_r', sub(c, n)), n, p);
};
