/** What is wrong with a vocabulary, or with a text or id given to a tokenizer. */
export type TokenizerErrorCode = 'unsupported-model' | 'unknown-pre-tokenizer' | 'bad-vocabulary' | 'bad-text' | 'bad-token-id' | 'not-in-vocabulary';

/** A vocabulary that cannot be used, or an argument that cannot be encoded or decoded. `fix` says what to change. */
export class TokenizerError extends Error {
  readonly code: TokenizerErrorCode;
  readonly fix: string;

  constructor(code: TokenizerErrorCode, message: string, fix: string) {
    super(`${message}. Fix: ${fix}.`);
    this.name = 'TokenizerError';
    this.code = code;
    this.fix = fix;
  }
}
