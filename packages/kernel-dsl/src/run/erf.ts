/** The error function in double precision, to a few units in the last place. */

const TWO_OVER_SQRT_PI = 1.1283791670955126;
const ONE_OVER_SQRT_PI = 0.5641895835477563;

/**
 * erf(x) = 2/sqrt(pi) * integral of exp(-t^2) over 0..x.
 *
 * Up to 2 by Kummer's form of the series (DLMF 7.6.2), whose terms are all positive, so that nothing cancels; beyond it as 1 - erfc(x) with the
 * continued fraction of erfc (DLMF 7.9.1), where erfc is so small that its own error does not show.
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a !== a) return NaN;
  if (a > 6) return x < 0 ? -1 : 1;
  if (a < 1e-8) return x * TWO_OVER_SQRT_PI; // the next term is below the last place
  let r: number;
  if (a < 2) {
    const xx = a * a;
    let term = a, sum = a;
    for (let n = 1; term > sum * 2 ** -56; n++) sum += term *= (2 * xx) / (2 * n + 1);
    r = TWO_OVER_SQRT_PI * Math.exp(-xx) * sum;
  } else {
    let t = a;
    for (let k = 120; k > 0; k--) t = a + k / 2 / t;
    r = 1 - (ONE_OVER_SQRT_PI * Math.exp(-a * a)) / t;
  }
  return x < 0 ? -r : r;
}
