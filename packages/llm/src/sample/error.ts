/** What is wrong: an argument, or the logits that a model produced. */
export type SamplerErrorCode = 'bad-argument' | 'bad-logits';

/** An argument out of range, named in the message, or logits from which nothing can be chosen. `fix` says what to do. */
export class SamplerError extends Error {
  readonly code: SamplerErrorCode;
  readonly fix: string;

  constructor(code: SamplerErrorCode, message: string, fix: string) {
    super(`${message}. Fix: ${fix}.`);
    this.name = 'SamplerError';
    this.code = code;
    this.fix = fix;
  }
}

/** Throws `bad-argument` unless `value` is a number within bounds. */
export function checkNumber(name: string, value: number, rule: { readonly low: number; readonly high: number; readonly integer?: boolean; readonly hint: string }): void {
  if (typeof value === 'number' && value >= rule.low && value <= rule.high && (!rule.integer || Number.isInteger(value))) return;
  throw new SamplerError('bad-argument', `'${name}' is ${String(value)}`, `pass ${rule.hint}`);
}
