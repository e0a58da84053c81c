/** Numbers below 1 from a seed (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014: the mixing function in 32 bits). */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
}

export const below = (r: Random, n: number): number => Math.floor(r() * n);
export const oneOf = <T>(r: Random, all: readonly T[]): T => all[below(r, all.length)]!;
