/** Probability that counts drawn from the given probabilities deviate from them at least this much (Pearson; Wilson and Hilferty's approximation). */
export function chiSquare(counts: readonly number[], probabilities: readonly number[]): number {
  const total = counts.reduce((a, b) => a + b, 0);
  let statistic = 0;
  let cells = 0;
  for (let i = 0; i < counts.length; i++) {
    const expected = total * (probabilities[i] as number);
    if (expected === 0) {
      if (counts[i] !== 0) return 0;
      continue;
    }
    cells++;
    statistic += ((counts[i] as number) - expected) ** 2 / expected;
  }
  const freedom = cells - 1;
  if (freedom === 0) return 1;
  const deviation = (Math.cbrt(statistic / freedom) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
  return 1 - normalCdf(deviation);
}

/** Abramowitz and Stegun 26.2.17. */
function normalCdf(x: number): number {
  if (x < 0) return 1 - normalCdf(-x);
  const t = 1 / (1 + 0.2316419 * x);
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}
