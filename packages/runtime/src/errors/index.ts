/** The errors that Quern throws: each has a stable code and, where there is one, the fix. */
export { QuernError, type QuernErrorOptions } from './quern-error.ts';
export {
  ArgumentError, AssumptionError, BoundsError, CancelledError, DeviceLostError, DeviceUnavailableError, DisposedError, DriverError, DTypeError, FileError,
  formatReasons, KernelCompileError, LaunchError, OutOfMemoryError, ProviderLoadError, type Reason, ShapeError,
} from './kinds.ts';
export { fromNative, nativeCall } from './from-native.ts';
