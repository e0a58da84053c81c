/** Devices: what the machine has, which one is used, and why. */
export { cpuDevice, type Device, type DeviceInfo, type DeviceKind, type DevicePick, type PickSource } from './device.ts';
export { choose, type Configuration, configure, device, type DeviceOptions, type Fallback, withDevice } from './pick.ts';
export { type DeviceList, listDevices } from './probe.ts';
export { parseDeviceSpec, satisfies, type Wish } from './spec.ts';
