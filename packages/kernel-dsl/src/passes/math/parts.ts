import { add, constant, fma, mul } from '../../ir/index.ts';
import type { Const, Expr } from '../../ir/index.ts';

/** What the formula of a function is built with. */
export interface Parts {
  /** Binds a value to a name, so that it is computed once. */
  readonly name: (stem: string, e: Expr) => Expr;
  /** a * b + c: one rounding where the target fuses, two elsewhere. */
  readonly mulAdd: (a: Expr, b: Expr, c: Expr) => Expr;
}

/** A function of f32 as a formula; works for any number of lanes. */
export type Formula = (x: Expr, p: Parts) => Expr;

export const parts = (fused: boolean, name: Parts['name']): Parts => ({ name, mulAdd: (a, b, c) => (fused ? fma(a, b, c) : add(mul(a, b), c)) });

export const f32 = (v: number): Const => constant(v, 'f32');
export const i32 = (v: number): Const => constant(v, 'i32');

/** c[0] + c[1] x + c[2] x^2 + … by Horner's rule. */
export const polynomial = (x: Expr, c: readonly number[], p: Parts): Expr =>
  c.slice(0, -1).reduceRight<Expr>((acc, v) => p.mulAdd(acc, x, f32(v)), f32(c.at(-1)!));
