/** The least prime factor of n > 1. */
export function leastFactor(n: number): number {
  for (let p = 2; p * p <= n; p++) if (n % p === 0) return p;
  return n;
}

export const isPrime = (n: number): boolean => n > 1 && leastFactor(n) === n;

/** n as a product of two numbers above 1 without a common factor, the power of its least prime factor first; undefined for powers of a prime. */
export function coprimeSplit(n: number): readonly [number, number] | undefined {
  const p = leastFactor(n);
  let a = 1;
  while (n % (a * p) === 0) a *= p;
  return a === n ? undefined : [a, n / a];
}

/** The least number whose powers are all of 1 .. p-1 modulo a prime p. */
export function primitiveRoot(p: number): number {
  for (let g = 1; ; g++) {
    let order = 1;
    for (let x = g % p; x !== 1; x = (x * g) % p) order++;
    if (order === p - 1) return g;
  }
}
