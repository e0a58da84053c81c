/** What is wrong with a GGUF file, or with a request made to it. One code for each check. */
export type GgufErrorCode =
  // the file as a whole
  | 'not-gguf' | 'big-endian' | 'unsupported-version' | 'truncated' | 'too-many' | 'header-too-large' | 'read-failed'
  // metadata
  | 'bad-key' | 'duplicate-key' | 'unknown-value-type' | 'bad-string' | 'bad-bool' | 'too-deep' | 'bad-alignment' | 'missing-key' | 'wrong-type'
  // tensors
  | 'bad-tensor-name' | 'duplicate-tensor' | 'bad-dims' | 'unknown-tensor-type' | 'bad-row-length' | 'misaligned-tensor' | 'tensor-past-end'
  | 'overlapping-tensors' | 'missing-tensor'
  // writing
  | 'bad-value' | 'bad-data-size';

/** A broken or unsupported GGUF file. `offset` is the byte in the file where it shows, where there is one; `fix` says what to do. */
export class GgufError extends Error {
  readonly code: GgufErrorCode;
  readonly fix: string;
  readonly offset: number | undefined;

  constructor(code: GgufErrorCode, message: string, fix: string, offset?: number) {
    super(`${message}${offset === undefined ? '' : ` (at byte ${offset})`}. Fix: ${fix}.`);
    this.name = 'GgufError';
    this.code = code;
    this.fix = fix;
    this.offset = offset;
  }
}
