/** What went wrong in a codec. `non-finite`: NaN or infinity in the input; `overflow`: a block scale leaves half precision. */
export type QuantErrorCode = 'unknown-type' | 'no-codec' | 'bad-length' | 'non-finite' | 'overflow';

/** A weight that cannot be stored, or a buffer of the wrong size. `fix` says what to change. */
export class QuantError extends Error {
  readonly code: QuantErrorCode;
  readonly fix: string;

  constructor(code: QuantErrorCode, message: string, fix: string) {
    super(`${message}. Fix: ${fix}.`);
    this.name = 'QuantError';
    this.code = code;
    this.fix = fix;
  }
}
