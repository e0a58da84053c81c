/** A source of random numbers that are the same for the same seed, on every machine. */
export interface Random {
  /** 32 random bits, as an unsigned integer. */
  bits(): number;
  /** A number in [0, 1) with 53 random bits. */
  uniform(): number;
}

/**
 * xoshiro128** (Blackman and Vigna, 2018), its state filled from the seed by splitmix32.
 * @param seed an integer from 0 to 2^53 - 1, or the four words of a state, not all zero
 */
export function createRandom(seed: number | readonly [number, number, number, number]): Random {
  let [a, b, c, d] = typeof seed === 'number' ? stateOf(seed) : seed;
  const bits = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
  return { bits, uniform: () => ((bits() >>> 5) * 2 ** 26 + (bits() >>> 6)) / 2 ** 53 };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** Four well-mixed words; the high half of the seed enters after the low half has been mixed. */
function stateOf(seed: number): [number, number, number, number] {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return z ^ (z >>> 16);
  };
  state = next() ^ Math.floor(seed / 2 ** 32);
  const words: [number, number, number, number] = [next(), next(), next(), next()];
  return words.every((word) => word === 0) ? [1, 0, 0, 0] : words;
}
