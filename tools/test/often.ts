/** `expect` for loops that run tens of thousands of times: each call of it takes longer than most of what is tested, so that here only a failure makes one. */
import { expect } from 'vitest';

/** `expect(got, what).toBe(want)`. */
export function same(got: unknown, want: unknown, what?: string): void {
  if (!Object.is(got, want)) expect(got, what).toBe(want);
}

/** `expect(got, what).toBeLessThanOrEqual(most)`; NaN is not. */
export function atMost(got: number, most: number, what?: string): void {
  if (!(got <= most)) expect(got, what).toBeLessThanOrEqual(most);
}

/** `expect([...got]).toEqual(want)` for numbers. */
export function sameNumbers(got: ArrayLike<number>, want: ArrayLike<number>, what?: string): void {
  let equal = got.length === want.length;
  for (let i = 0; equal && i < want.length; i++) equal = Object.is(got[i], want[i]);
  if (!equal) expect(Array.from(got), what).toEqual(Array.from(want));
}
