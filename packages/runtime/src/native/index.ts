/** The native addon: its functions as types, and a loader that explains itself. */
export type { DeviceBufferHandle, DeviceHandle, DeviceModuleHandle, KernelHandle, LibraryHandle, MemoryHandle, NativeAddon, NativeBuffer, NativeDeviceInfo, NativeEntry, NativeLaunch, PlanHandle } from './addon.ts';
export { ABI, native, nativeStatus, type NativeStatus, type NativeTier, platformTag, tryNative } from './load.ts';
