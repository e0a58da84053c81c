import { SamplerError } from './error.ts';

/**
 * The token of highest logit, the lowest id of equals. -Infinity marks a token that must not be chosen.
 * @throws SamplerError `bad-logits` for NaN, for +Infinity, and where no token may be chosen
 */
export function argmax(logits: Float32Array): number {
  let best = -1;
  let highest = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (logit > highest) {
      highest = logit;
      best = id;
    } else if (logit !== logit) {
      throw broken(id, logit);
    }
  }
  if (highest === Infinity) throw broken(best, highest);
  if (best < 0) {
    throw new SamplerError('bad-logits', logits.length === 0 ? 'there are no logits' : `all ${logits.length} logits are -Infinity: no token may be chosen`, 'leave at least one token allowed');
  }
  return best;
}

/** Throws as {@link argmax} does. */
export function checkLogits(logits: Float32Array): void {
  argmax(logits);
}

function broken(id: number, logit: number): SamplerError {
  return new SamplerError('bad-logits', `the logit of token ${id} is ${logit}`, 'check the weights and the numbers fed to the model: it has overflowed');
}
