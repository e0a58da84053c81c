/** Error bounds of floating-point arithmetic, after Higham, "Accuracy and Stability of Numerical Algorithms", chapter 3. */

/** Unit roundoff of f32. */
export const U: number = 2 ** -24;
/** Half of the least subnormal f32: what a product may lose to underflow. */
export const TINY: number = 2 ** -149;
/** gamma(n) = n u / (1 - n u): the relative error of n roundings in a row. */
export const gamma = (n: number): number => (n * U) / (1 - n * U);
/** Relative error promised for exp of f32: two units in the last place. */
export const EXP: number = 4 * U;

/** What an output must be: a value and how far from it each element may lie, or all bits. */
export type Expected = { readonly value: readonly number[]; readonly bound: readonly number[] } | { readonly exact: ArrayLike<number> };

/** Fails at the first element that lies outside of its bound. Where the reference is NaN the result must be, where it is infinite the result must not be finite. */
export function expectWithin(got: ArrayLike<number>, want: Expected, what: string): void {
  const n = 'exact' in want ? want.exact.length : want.value.length;
  if (got.length !== n) throw new Error(`${what}: ${got.length} elements, not ${n}`);
  for (let i = 0; i < n; i++) {
    const x = got[i]!;
    if ('exact' in want) {
      if (!Object.is(x, want.exact[i])) throw new Error(`${what}[${i}] is ${x}, not exactly ${want.exact[i]}`);
      continue;
    }
    const y = want.value[i]!, bound = want.bound[i]!;
    const ok = Number.isNaN(y) ? Number.isNaN(x) : !Number.isFinite(y) ? !Number.isFinite(x) : Math.abs(x - y) <= bound;
    if (!ok) throw new Error(`${what}[${i}] is ${x}, should be ${y} within ${bound}; the error is ${Math.abs(x - y)}`);
  }
}
