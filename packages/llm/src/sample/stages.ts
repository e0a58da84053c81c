import type { Candidates } from './candidates.ts';

/** The first `count` candidates. */
function first(candidates: Candidates, count: number): Candidates {
  return { ids: candidates.ids.subarray(0, count), logits: candidates.logits.subarray(0, count) };
}

/** Largest logit of some candidates. */
function peak(candidates: Candidates): number {
  let highest = -Infinity;
  const { logits } = candidates;
  for (let i = 0; i < logits.length; i++) if ((logits[i] as number) > highest) highest = logits[i] as number;
  return highest;
}

/** Sum of exp(logit - highest). */
export function massOf(logits: Float32Array, highest: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] as number) - highest);
  return sum;
}

/**
 * The fewest candidates, best first, whose probabilities add up to at least `p`; at least one. Expects them in order.
 * @param mass sum of exp(logit - highest) over all tokens that compete, where `candidates` are only the best of them
 */
export function topP(candidates: Candidates, p: number, mass?: number): Candidates {
  const { logits } = candidates;
  const highest = logits[0] as number;
  const all = mass ?? massOf(logits, highest);
  let sum = 0;
  let count = 0;
  while (count < logits.length && (count === 0 || sum < p * all)) sum += Math.exp((logits[count++] as number) - highest);
  return first(candidates, count);
}

/** The candidates at least `p` times as probable as the most probable one. Keeps the order. */
export function minP(candidates: Candidates, p: number): Candidates {
  const floor = peak(candidates) + Math.log(p);
  const kept = Int32Array.from(candidates.ids.keys()).filter((i) => (candidates.logits[i] as number) >= floor);
  return { ids: kept.map((i) => candidates.ids[i] as number), logits: Float32Array.from(kept, (i) => candidates.logits[i] as number) };
}

/**
 * Logits over `t`: below 1 the probable becomes more probable, above 1 less. Logits are taken relative to the highest, so
 * that no temperature overflows.
 */
export function temperature(candidates: Candidates, t: number): Candidates {
  const highest = peak(candidates);
  const logits = candidates.logits.slice();
  for (let i = 0; i < logits.length; i++) logits[i] = ((logits[i] as number) - highest) / t;
  return { ids: candidates.ids, logits };
}

/** One candidate by its probability: the one that a point `u` of [0, 1) of the summed probabilities falls on. */
export function draw(candidates: Candidates, u: number): number {
  const { ids, logits } = candidates;
  const highest = peak(candidates);
  // u * mass stays below the mass when rounded, and the sum below runs through the same values: it always passes the target.
  const target = u * massOf(logits, highest);
  let sum = 0;
  let i = -1;
  do {
    i++;
    sum += Math.exp((logits[i] as number) - highest);
  } while (sum <= target && i < logits.length - 1);
  return ids[i] as number;
}
