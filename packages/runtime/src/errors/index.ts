/** The errors that Quern throws: each has a stable code and, where there is one, the fix. */
export { QuernError, type QuernErrorOptions } from './quern-error.ts';
export {
  ArgumentError, AssumptionError, CancelledError, DeviceUnavailableError, DisposedError, DTypeError, FileError,
  formatReasons, KernelCompileError, OutOfMemoryError, ProviderLoadError, type Reason, ShapeError,
} from './kinds.ts';
export { fromNative, nativeCall } from './from-native.ts';
