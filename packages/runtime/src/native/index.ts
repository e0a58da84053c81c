/** The native addon: its functions as types, and a loader that explains itself. */
export type { KernelHandle, LibraryHandle, MemoryHandle, NativeAddon, NativeBuffer, NativeEntry, NativeLaunch, PlanHandle } from './addon.ts';
export { ABI, native, nativeStatus, type NativeStatus, type NativeTier, platformTag, tryNative } from './load.ts';
