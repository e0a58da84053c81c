import { add, binary, bitcast, compare, mul, select, sub } from '../../ir/index.ts';
import type { Expr } from '../../ir/index.ts';
import { f32, i32, polynomial } from './parts.ts';
import type { Formula, Parts } from './parts.ts';

/** 1.5 * 2^23: adding it rounds a small number to an integer, ties to even, and leaves that integer in the low bits of the sum. */
const MAGIC = 12582912;
/** ln 2 in two parts; products of the first with integers up to 2^14 are exact. */
export const LN2_HI = 0.693359375;
export const LN2_LO = -2.12194440e-4;

/** (e^r - 1 - r) / r^2 on |r| <= 0.3467, minimax for the relative error of e^r (3.1e-9 before rounding of the coefficients). */
const EXP_TAIL = [0.4999999403953552, 0.1666652113199234, 0.04166838899254799, 0.00836874544620514, 0.0013814540579915047];
/** (2^r - 1 - r ln 2) / r^2 on |r| <= 0.5002, minimax for the relative error of 2^r (3.1e-9). */
const EXP2_TAIL = [0.24022647738456726, 0.05550362169742584, 0.009618527255952358, 0.001339020673185587, 0.00015321090177167207];

/** y * 2^n, where n sits in the low bits of `shifted`; y and the result are normal numbers. */
const scaled = (y: Expr, shifted: Expr): Expr =>
  bitcast(add(bitcast(y, 'i32'), binary('shl', bitcast(shifted, 'i32'), i32(23))), 'f32');

/** e^x for -87.33 <= x <= 88.72; elsewhere anything. The reduced argument is kept in two parts: hi is exact. */
export function expCore(x: Expr, p: Parts): Expr {
  const shifted = p.name('exp_t', p.mulAdd(x, f32(Math.LOG2E), f32(MAGIC)));
  const n = p.name('exp_n', sub(shifted, f32(MAGIC)));
  const hi = p.name('exp_hi', p.mulAdd(n, f32(-LN2_HI), x));
  const lo = p.name('exp_lo', mul(n, f32(-LN2_LO)));
  const r = p.name('exp_r', add(hi, lo));
  const y = add(f32(1), add(hi, p.mulAdd(mul(r, r), polynomial(r, EXP_TAIL, p), lo)));
  return scaled(p.name('exp_y', y), shifted);
}

/** `y` where low <= x <= high; below 0, above infinity, and NaN for NaN. */
const within = (x: Expr, low: number, high: number, y: Expr): Expr =>
  select(compare('le', x, f32(high)), select(compare('ge', x, f32(low)), y, f32(0)), add(x, f32(Infinity)));

/**
 * e^x in f32, for vectors of any width: Cody-Waite reduction (Software Manual for the Elementary Functions, 1980), a polynomial of degree 6,
 * and the exponent put in by integer arithmetic; no table, no branch, no rounding instruction.
 * Measured over every f32 against a double: at most 0.90 ulp. exp(-Infinity) = 0, exp(Infinity) = Infinity, NaN stays NaN, overflow gives
 * Infinity; results below 2^-126 (x < -87.3365) are 0, not subnormal.
 */
export const exp: Formula = (x, p) => within(x, -87.33654022216797, 88.72283172607422, p.name('exp_e', expCore(x, p)));

/**
 * 2^x in f32, made like exp. Measured over every f32: at most 1.06 ulp. Integers give exact powers; overflow gives Infinity, results below
 * 2^-126 are 0, NaN stays NaN.
 */
export const exp2: Formula = (x, p) => {
  const shifted = p.name('exp2_t', add(x, f32(MAGIC)));
  const r = p.name('exp2_r', sub(x, sub(shifted, f32(MAGIC))));
  const y = add(f32(1), p.mulAdd(r, f32(Math.LN2), mul(mul(r, r), polynomial(r, EXP2_TAIL, p))));
  return within(x, -126, 127.99999237060547, scaled(p.name('exp2_y', y), shifted));
};
