/** The error function in double precision, to one and a quarter units in the last place. */

const TWO_OVER_SQRT_PI = 1.1283791670955126;
const ONE_OVER_SQRT_PI = 0.5641895835477563;

/**
 * erf(x) = 2/sqrt(pi) * integral of exp(-t^2) over 0..x.
 *
 * Below 1 by its series (DLMF 7.6.1), whose terms shrink so fast that little cancels, summed from the smallest on; from there as 1 - erfc(x) with the continued
 * fraction of erfc (DLMF 7.9.1), where erfc is so small that its own error hardly shows.
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a !== a) return NaN;
  if (a > 6) return x < 0 ? -1 : 1;
  if (a < 1e-8) return x * TWO_OVER_SQRT_PI; // the next term is below the last place
  let r: number;
  if (a < 1) {
    const xx = a * a, terms = [a];
    let power = a, sum = 0;
    for (let n = 1; Math.abs(terms.at(-1)!) > a * 2 ** -60; n++) terms.push((power *= -xx / n) / (2 * n + 1));
    for (let n = terms.length; n-- > 0;) sum += terms[n]!;
    r = TWO_OVER_SQRT_PI * sum;
  } else {
    let t = a;
    for (let k = 250; k > 0; k--) t = a + k / 2 / t;
    r = 1 - (ONE_OVER_SQRT_PI * Math.exp(-a * a)) / t;
  }
  return x < 0 ? -r : r;
}
