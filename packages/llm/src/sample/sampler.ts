import { ordered, topK, unordered, type Candidates } from './candidates.ts';
import { SamplerError, checkNumber } from './error.ts';
import { argmax } from './logits.ts';
import { penalize } from './penalty.ts';
import { createRandom } from './random.ts';
import { draw, massOf, minP, temperature, topP } from './stages.ts';

/** How to choose tokens. The stages run in this order: penalties, topK, topP, minP, temperature. */
export interface SamplerOptions {
  /** 0 always takes the best token, which makes the other stages but the penalties moot. Default 0.8. */
  readonly temperature?: number | undefined;
  /** Tokens that stay, the best ones; 0: all. Default 40. */
  readonly topK?: number | undefined;
  /** Share of the probability that stays, the best tokens first; 1: all. Default 0.95. */
  readonly topP?: number | undefined;
  /** Tokens less probable than this share of the best one go; 0: none. Default 0.05. */
  readonly minP?: number | undefined;
  /** An integer from 0 to 2^53 - 1. The same seed gives the same tokens. Default: a random one, to be read from the sampler. */
  readonly seed?: number | undefined;
  /** Above 1, tokens of the recent past become less likely; 1: off. Default 1. */
  readonly repeatPenalty?: number | undefined;
  /** Subtracted from a token's logit for each recent occurrence. Default 0. */
  readonly frequencyPenalty?: number | undefined;
  /** Subtracted from the logit of a token that occurred recently. Default 0. */
  readonly presencePenalty?: number | undefined;
  /** How many of the last tokens the penalties look at. Default 64. */
  readonly penaltyLast?: number | undefined;
}

/** A chain of stages with a random generator. */
export interface Sampler {
  readonly seed: number;
  /**
   * Chooses the next token. Does not change `logits`; needs no `this`.
   * @param history tokens so far, prompt included; needed by the penalties only
   * @throws SamplerError `bad-logits` for NaN or +Infinity, and where all are -Infinity, which marks forbidden tokens
   */
  readonly sample: (logits: Float32Array, history?: ArrayLike<number>) => number;
  /** Begins the random numbers anew, from the seed. */
  readonly reset: () => void;
}

const DEFAULTS: Required<{ [K in keyof SamplerOptions]: number }> = {
  temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05, seed: 0, repeatPenalty: 1, frequencyPenalty: 0, presencePenalty: 0, penaltyLast: 64,
};

/**
 * A sampler.
 * @throws SamplerError `bad-argument` for an option that is out of range or unknown, naming it
 * @example
 * const sampler = createSampler({ temperature: 0.7, topK: 40, seed: 1 });
 * sampler.sample(Float32Array.of(0, 5, 1)); // most likely 1
 */
export function createSampler(options: SamplerOptions = {}): Sampler {
  const o = resolve(options);
  const penalties = { repeat: o.repeatPenalty, frequency: o.frequencyPenalty, presence: o.presencePenalty, last: o.penaltyLast };
  let random = createRandom(o.seed);
  return {
    seed: o.seed,
    sample(raw, history = []) {
      const logits = penalize(raw, history, penalties);
      const best = argmax(logits);
      if (o.temperature === 0) return best;
      return draw(temperature(filter(logits, logits[best] as number, o), o.temperature), random.uniform());
    },
    reset() {
      random = createRandom(o.seed);
    },
  };
}

type Resolved = typeof DEFAULTS;

/** The tokens that topK, topP and minP leave. */
function filter(logits: Float32Array, highest: number, o: Resolved): Candidates {
  const floor = o.minP > 0 ? highest + Math.log(o.minP) : -Infinity;
  if (o.topK > 0 && o.topK < logits.length) {
    const best = topK(logits, o.topK);
    const likely = o.topP < 1 ? topP(best, o.topP) : best;
    return o.minP > 0 ? minP(likely, o.minP) : likely;
  }
  if (o.topP === 1) return unordered(logits, floor);
  // Tokens of probability below (1 - p) / n hold less than 1 - p together: what topP keeps lies above. That saves the sort most of its work.
  const mass = massOf(logits, highest);
  const needed = highest + Math.log(((1 - o.topP) * mass) / logits.length);
  // minP only takes away from the end of the order, so it may go first, as long as topP is told the whole mass.
  return topP(ordered(logits, Math.max(floor, Math.min(needed, highest))), o.topP, mass);
}

function resolve(options: SamplerOptions): Resolved {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(DEFAULTS, name)) throw new SamplerError('bad-argument', `there is no option '${name}'`, `use ${Object.keys(DEFAULTS).join(', ')}`);
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Resolved>;
  const o = { ...DEFAULTS, seed: given.seed ?? randomSeed(), ...given };
  checkNumber('temperature', o.temperature, { low: 0, high: Number.MAX_VALUE, hint: 'a number from 0 on' });
  checkNumber('topK', o.topK, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true, hint: 'an integer from 1 on, or 0 for all tokens' });
  checkNumber('topP', o.topP, { low: Number.MIN_VALUE, high: 1, hint: 'a number above 0 and up to 1' });
  checkNumber('minP', o.minP, { low: 0, high: 1, hint: 'a number from 0 to 1' });
  checkNumber('seed', o.seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true, hint: 'an integer from 0 to 2^53 - 1' });
  checkNumber('repeatPenalty', o.repeatPenalty, { low: Number.MIN_VALUE, high: Number.MAX_VALUE, hint: 'a number above 0; 1 switches it off' });
  checkNumber('frequencyPenalty', o.frequencyPenalty, { low: -Number.MAX_VALUE, high: Number.MAX_VALUE, hint: 'a finite number' });
  checkNumber('presencePenalty', o.presencePenalty, { low: -Number.MAX_VALUE, high: Number.MAX_VALUE, hint: 'a finite number' });
  if (o.penaltyLast !== Infinity) checkNumber('penaltyLast', o.penaltyLast, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true, hint: 'a count of tokens; Infinity for all' });
  return o;
}

function randomSeed(): number {
  const words = globalThis.crypto.getRandomValues(new Uint32Array(2));
  return ((words[0] as number) >>> 11) * 2 ** 32 + (words[1] as number);
}
