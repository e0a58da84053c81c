import { add, binary, bitcast, constant, fma, mul } from '../../ir/index.ts';
import type { Const, Expr } from '../../ir/index.ts';

/** The dtypes that functions are defined for. */
export type Real = 'f32' | 'f64';

/** What the formula of a function is built with. */
export interface Parts {
  /** The dtype that it computes in. */
  readonly t: Real;
  /** A constant of that dtype. */
  readonly c: (v: number) => Const;
  /** Binds a value to a name, so that it is computed once. */
  readonly name: (stem: string, e: Expr) => Expr;
  /** a * b + c: one rounding where the target fuses, two elsewhere. */
  readonly mulAdd: (a: Expr, b: Expr, c: Expr) => Expr;
  /** Does the machine take exponents and mantissas by instructions of its own, subnormal and special numbers among them? No bit depends on it. */
  readonly splits: boolean;
  /** `usual`, but in lanes where the condition holds what `unusual` makes of the lane's x: behind a branch, one lane at a time. */
  readonly rarely: (condition: Expr, x: Expr, usual: Expr, unusual: (x: Expr, p: Inner) => Expr) => Expr;
}

/** Parts of a formula of scalars that may loop. */
export interface Inner extends Parts {
  /** The same, for another dtype. */
  readonly in: (t: Real) => Inner;
  /** The i-th of some constants. */
  readonly table: (values: readonly number[]) => (i: Expr) => Expr;
  /** The values after `n` rounds of a loop that starts with `start`; `step` gives the next values from the round's number and the present values. */
  readonly loop: (n: number, start: readonly Expr[], step: (i: Expr, now: readonly Expr[], p: Inner) => readonly Expr[]) => readonly Expr[];
}

/** A function of one operand as a formula; works for any number of lanes. */
export type Formula = (x: Expr, p: Parts) => Expr;
/** A function of two operands as a formula. */
export type Formula2 = (x: Expr, y: Expr, p: Parts) => Expr;
/** A formula for each dtype from its constants. */
export type ByType<T> = Readonly<Record<Real, T>>;

/** The parts that follow from a dtype and from whether the target fuses. */
export const arithmetic = (t: Real, fused: boolean): Pick<Parts, 't' | 'c' | 'mulAdd'> =>
  ({ t, c: (v) => constant(v, t), mulAdd: (a, b, c) => (fused ? fma(a, b, c) : add(mul(a, b), c)) });

/** c[0] + c[1] x + c[2] x^2 + … by Horner's rule. */
export const polynomial = (x: Expr, c: readonly number[], p: Parts): Expr =>
  // A leading 1 needs no product.
  c.slice(0, -1).reduceRight<Expr>((acc, v) => p.name('p', acc.kind === 'const' && acc.value === 1 ? add(x, p.c(v)) : p.mulAdd(acc, x, p.c(v))), p.c(c.at(-1)!));

/** The same with x^2 at hand: even and odd powers side by side, which is half as long a chain. */
export const polynomial2 = (x: Expr, square: Expr, c: readonly number[], p: Parts): Expr =>
  p.name('p', p.mulAdd(polynomial(square, c.filter((_, i) => i % 2 === 1), p), x, polynomial(square, c.filter((_, i) => i % 2 === 0), p)));

/** 1.5 * 2^23 or 1.5 * 2^52: adding it rounds a small number to a whole one, ties to even; taking it off again leaves that. */
export const MAGIC: ByType<number> = { f32: 12582912, f64: 6755399441055744 };

/** x within [low, high]; NaN stays NaN. */
export const clamp = (x: Expr, low: number, high: number, p: Parts): Expr => binary('max', p.c(low), binary('min', p.c(high), x));

/** y, which is not below 0, with the sign of x: for f32 an operation less than `copysign`. */
export const withSign = (y: Expr, x: Expr, p: Parts): Expr => (p.t === 'f64'
  ? binary('copysign', y, x)
  : bitcast(binary('or', bitcast(y, 'i32'), binary('and', bitcast(x, 'i32'), constant(-(2 ** 31), 'i32'))), 'f32'));
