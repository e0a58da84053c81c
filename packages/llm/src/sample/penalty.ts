import { SamplerError } from './error.ts';

/** Ways to make tokens of the recent past less likely. */
export interface Penalties {
  /** Divides positive logits and multiplies negative ones. 1: off. */
  readonly repeat: number;
  /** Subtracted once for each occurrence. 0: off. */
  readonly frequency: number;
  /** Subtracted once. 0: off. */
  readonly presence: number;
  /** How many of the last tokens count. */
  readonly last: number;
}

/**
 * Logits with penalties on the tokens of a history. A copy, or the same array where nothing is penalised.
 * @throws SamplerError `bad-argument` where the history has an id without a logit
 */
export function penalize(logits: Float32Array, history: ArrayLike<number>, { repeat, frequency, presence, last }: Penalties): Float32Array {
  if (history.length === 0 || last === 0 || (repeat === 1 && frequency === 0 && presence === 0)) return logits;
  const counts = new Map<number, number>();
  for (let i = Math.max(0, history.length - last); i < history.length; i++) {
    const id = history[i] as number;
    if (!(Number.isInteger(id) && id >= 0 && id < logits.length)) {
      throw new SamplerError('bad-argument', `'history' has the token ${id} at ${i}, but there are ${logits.length} logits`, 'pass ids of the same model');
    }
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const penalized = logits.slice();
  for (const [id, count] of counts) {
    const logit = logits[id] as number;
    penalized[id] = (logit > 0 ? logit / repeat : logit * repeat) - count * frequency - presence;
  }
  return penalized;
}
