/** What every error of the runtime carries beside its message. */
export interface QuernErrorOptions {
  /** What to do about it, as one imperative sentence. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/**
 * The base of all errors that Quern throws. `code` is stable and meant for programs, `message` for people; when there
 * is something to do about it, `fix` says what and the message ends with it.
 *
 * @example
 * try { zeros([-1]); } catch (e) { if (e instanceof QuernError) console.error(e.code, e.fix); }
 */
export class QuernError extends Error {
  readonly code: string;
  readonly fix: string | undefined;

  constructor(code: string, message: string, options: QuernErrorOptions = {}) {
    super(options.fix === undefined ? message : `${message}\nFix: ${options.fix}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.fix = options.fix;
  }
}
