import { ArgumentError, CancelledError, DeviceLostError, DeviceUnavailableError, DisposedError, DriverError, FileError, LaunchError, OutOfMemoryError, ProviderLoadError } from './kinds.ts';
import { QuernError } from './quern-error.ts';

/** Turns an error of the addon, known by its `code`, into one of ours; anything else is returned as it is. */
export function fromNative(error: unknown, context: string): unknown {
  if (!(error instanceof Error) || error instanceof QuernError || !('code' in error)) return error;
  const message = `${context}: ${error.message}`;
  const options = { cause: error };
  switch (error.code) {
    case 'QUERN_E_ARGUMENT': return new ArgumentError(message, options);
    case 'QUERN_E_RANGE': return new ArgumentError(message, { ...options, code: 'QUERN_RANGE' });
    case 'QUERN_E_READONLY': return new ArgumentError(message, { ...options, code: 'QUERN_READONLY', fix: 'copy the data into a tensor of its own first' });
    case 'QUERN_E_DETACHED': return new ArgumentError(message, { ...options, code: 'QUERN_DETACHED', fix: 'pass a buffer that has not been transferred to another thread or resized' });
    case 'QUERN_E_BUSY': return new ArgumentError(message, { ...options, code: 'QUERN_BUSY', fix: 'await the run in progress first' });
    case 'QUERN_E_CLOSED': return new DisposedError(`${context}: ${error.message}; it`, options);
    case 'QUERN_E_CANCELLED': return new CancelledError(context, options);
    case 'QUERN_E_MEMORY': return new OutOfMemoryError(message, undefined, options);
    case 'QUERN_E_GPU': return new DriverError(message, options);
    case 'QUERN_E_GPU_LAUNCH': return new LaunchError(message, options);
    case 'QUERN_E_GPU_LOST': return new DeviceLostError(message, options);
    case 'QUERN_E_GPU_ABSENT': return new DeviceUnavailableError(context, [{ candidate: context, verdict: 'unavailable', code: 'no-driver', detail: error.message }], options);
    case 'QUERN_E_IO': return new FileError(message, options);
    case 'QUERN_E_LOAD':
    case 'QUERN_E_ABI':
    case 'QUERN_E_TABLE':
    case 'QUERN_E_ISA':
    case 'QUERN_E_NOT_FOUND': return new ProviderLoadError(message, [], options);
    default: return error;
  }
}

/** Calls `f`; errors of the addon come out as ours, with `context` in front. */
export function nativeCall<T>(context: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    throw fromNative(error, context);
  }
}
