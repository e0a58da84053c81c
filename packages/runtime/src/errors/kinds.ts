import { QuernError, type QuernErrorOptions } from './quern-error.ts';

/** A value that a function cannot work with; the message names the argument. Codes `QUERN_ARGUMENT`, `QUERN_DETACHED`, `QUERN_OVERLAP`, `QUERN_READONLY`, `QUERN_RANGE`, `QUERN_BUSY`. */
export class ArgumentError extends QuernError {
  constructor(message: string, options: QuernErrorOptions & { readonly code?: string } = {}) {
    super(options.code ?? 'QUERN_ARGUMENT', message, options);
  }
}

/** Shapes or strides that do not fit each other or the data. Code `QUERN_SHAPE`. */
export class ShapeError extends QuernError {
  constructor(message: string, options: QuernErrorOptions = {}) {
    super('QUERN_SHAPE', message, options);
  }
}

/** An element type other than the one needed. Code `QUERN_DTYPE`. */
export class DTypeError extends QuernError {
  constructor(message: string, options: QuernErrorOptions = {}) {
    super('QUERN_DTYPE', message, options);
  }
}

/** Why a device or an implementation was taken or left. */
export interface Reason {
  /** What was looked at: `cuda:0`, a file, a library. */
  readonly candidate: string;
  readonly verdict: 'chosen' | 'rejected' | 'unavailable';
  /** Stable, for programs: `no-backend`, `not-found`, `auto`, ... */
  readonly code: string;
  readonly detail: string;
  readonly fix?: string;
}

/** One line a reason, for messages. */
export function formatReasons(reasons: readonly Reason[]): string {
  return reasons.map((r) => `  ${r.candidate}: ${r.verdict}: ${r.detail}${r.fix === undefined ? '' : ` (${r.fix})`}`).join('\n');
}

/** No device satisfies the request. Code `QUERN_DEVICE_UNAVAILABLE`; `reasons` tells why for every candidate. */
export class DeviceUnavailableError extends QuernError {
  readonly reasons: readonly Reason[];

  constructor(requested: string, reasons: readonly Reason[], options: QuernErrorOptions = {}) {
    super('QUERN_DEVICE_UNAVAILABLE', `no device satisfies '${requested}':\n${formatReasons(reasons)}`, options);
    this.reasons = reasons;
  }
}

/** A device cannot run a launch: its sizes, its memory or its arguments. Code `QUERN_LAUNCH`. */
export class LaunchError extends QuernError {
  constructor(message: string, options: QuernErrorOptions = {}) {
    super('QUERN_LAUNCH', message, options);
  }
}

/** A driver refused a call for a reason of its own. Code `QUERN_DRIVER`. */
export class DriverError extends QuernError {
  constructor(message: string, options: QuernErrorOptions = {}) {
    super('QUERN_DRIVER', message, options);
  }
}

/** A kernel touched memory outside of a tensor, found in debug mode. Code `QUERN_BOUNDS`. */
export class BoundsError extends QuernError {
  constructor(message: string, options: QuernErrorOptions = {}) {
    super('QUERN_BOUNDS', message, options);
  }
}

/** A device failed: nothing on it can be used any more. Code `QUERN_DEVICE_LOST`. */
export class DeviceLostError extends QuernError {
  constructor(message: string, options: QuernErrorOptions = {}) {
    super('QUERN_DEVICE_LOST', message, { fix: 'open the device anew in another process; a kernel that touched memory outside of its tensors shows itself with bounds: true', ...options });
  }
}

/** Memory was refused. Code `QUERN_OUT_OF_MEMORY`. */
export class OutOfMemoryError extends QuernError {
  /** Bytes that were asked for, when known. */
  readonly bytes: number | undefined;

  constructor(message: string, bytes?: number, options: QuernErrorOptions = {}) {
    super('QUERN_OUT_OF_MEMORY', message, options);
    this.bytes = bytes;
  }
}

/** A compiler refused a kernel. Code `QUERN_COMPILE`; `log` is what it printed, `command` how it was called. */
export class KernelCompileError extends QuernError {
  readonly log: string;
  readonly command: string;

  constructor(message: string, details: { readonly log: string; readonly command: string }, options: QuernErrorOptions = {}) {
    super('QUERN_COMPILE', `${message}\n$ ${details.command}\n${details.log.trimEnd()}`, options);
    this.log = details.log;
    this.command = details.command;
  }
}

/** Something was used after it had been disposed, freed or closed. Code `QUERN_DISPOSED`. */
export class DisposedError extends QuernError {
  constructor(what: string, options: QuernErrorOptions = {}) {
    super('QUERN_DISPOSED', `${what} was used after it had been disposed`, options);
  }
}

/** An addon or a kernel library could not be loaded. Code `QUERN_LOAD`; `reasons` has one entry for each file tried. */
export class ProviderLoadError extends QuernError {
  readonly reasons: readonly Reason[];

  constructor(message: string, reasons: readonly Reason[], options: QuernErrorOptions = {}) {
    super('QUERN_LOAD', reasons.length === 0 ? message : `${message}\n${formatReasons(reasons)}`, options);
    this.reasons = reasons;
  }
}

/** A kernel refused its arguments at run time, before writing anything. Code `QUERN_ASSUMPTION`. */
export class AssumptionError extends QuernError {
  readonly kernel: string;
  /** The number of the assumption, from 1. */
  readonly assumption: number;

  constructor(kernel: string, assumption: number, text: string, options: QuernErrorOptions = {}) {
    super('QUERN_ASSUMPTION', `kernel '${kernel}' needs: ${text}`, options);
    this.kernel = kernel;
    this.assumption = assumption;
  }
}

/** A run was stopped on request. Code `QUERN_CANCELLED`. */
export class CancelledError extends QuernError {
  constructor(what: string, options: QuernErrorOptions = {}) {
    super('QUERN_CANCELLED', `${what} was cancelled`, options);
  }
}

/** The operating system refused a file. Code `QUERN_IO`. */
export class FileError extends QuernError {
  constructor(message: string, options: QuernErrorOptions = {}) {
    super('QUERN_IO', message, options);
  }
}
