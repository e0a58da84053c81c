/** One pass of a plan. */
export interface Factor { readonly radix: number; readonly narrow: boolean }

/**
 * Splits n = 2^bits, 64 or more, into passes of radix 8 and 16, as few as there can be; radix 16 late, for there its long rows cost least.
 *
 * Vectors must fit: before the last pass, l = n / radix is a multiple of its lanes; every other pass is followed by radices whose product, its s',
 * is a multiple of its own. Short transforms on long vectors take the narrow kernels.
 *
 * @param lanes of the machine's vectors: a power of two up to 16
 */
export function factor(bits: number, lanes: number): readonly Factor[] {
  const passes = Math.ceil(bits / 4), eights = 4 * passes - bits;
  const radices = [...new Array<number>(eights).fill(8), ...new Array<number>(passes - eights).fill(16)];
  const product = (from: number): number => radices.slice(from).reduce((a, b) => a * b, 1);
  return radices.map((radix, i) => {
    const run = i === passes - 1 ? 2 ** bits / radix : product(i + 1);
    return { radix, narrow: run < lanes };
  });
}
