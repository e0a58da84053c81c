import { nativeDevices, type NativeKind, webgpuDevices } from '../driver/index.ts';
import { DeviceUnavailableError, type Reason } from '../errors/index.ts';
import { nativeStatus } from '../native/index.ts';
import { cpuDeviceInfo, type DeviceInfo, gpuDeviceInfo } from './device.ts';

/** What the machine has, and what it has not with the reason. */
export interface DeviceList {
  readonly devices: readonly DeviceInfo[];
  readonly unavailable: readonly Reason[];
}

/** What would bring a driver. */
const FIXES: Readonly<Record<NativeKind, string>> = {
  cuda: 'needs an NVIDIA GPU and its driver (libcuda.so.1)',
  opencl: 'install the OpenCL loader (ocl-icd-libopencl1) and a driver for your device; pocl-opencl-icd runs on any CPU',
};

/** The devices of one driver, or why there are none. */
function probe(kind: NativeKind): { readonly devices: readonly DeviceInfo[]; readonly reason: Reason | undefined } {
  const none = (detail: string): { devices: []; reason: Reason } => ({ devices: [], reason: { candidate: kind, verdict: 'unavailable', code: 'no-driver', detail, fix: FIXES[kind] } });
  if (nativeStatus().addon === undefined) return none('the native addon is not loaded, and drivers are reached through it');
  try {
    const devices = nativeDevices(kind).map(gpuDeviceInfo);
    return devices.length > 0 ? { devices, reason: undefined } : none('its driver is installed, but offers no device');
  } catch (error) {
    const why = error instanceof DeviceUnavailableError ? error.reasons[0]?.detail : undefined;
    return none(`its driver cannot be used: ${why ?? (error instanceof Error ? error.message : String(error))}`);
  }
}

/** The same for WebGPU, which is reached without the addon. */
async function probeWebGpu(): Promise<ReturnType<typeof probe>> {
  try {
    return { devices: (await webgpuDevices()).map(gpuDeviceInfo), reason: undefined };
  } catch (error) {
    const reason = error instanceof DeviceUnavailableError ? error.reasons[0] : undefined;
    return { devices: [], reason: reason ?? { candidate: 'webgpu', verdict: 'unavailable', code: 'no-driver', detail: error instanceof Error ? error.message : String(error) } };
  }
}

/**
 * Every device of this machine that Quern can use, and why it cannot use the others.
 * @param options `webgpu: false` leaves WebGPU unasked: in Node that loads a large library
 */
export async function listDevices(options: { readonly webgpu?: boolean } = {}): Promise<DeviceList> {
  const { addon, reasons } = nativeStatus(), found = [probe('cuda'), probe('opencl'), ...(options.webgpu === false ? [] : [await probeWebGpu()])];
  const unavailable: Reason[] = [
    ...(addon === undefined ? reasons : []), ...found.flatMap((f) => f.reason ?? []),
  ];
  return { devices: [cpuDeviceInfo(), ...found.flatMap((f) => f.devices)], unavailable };
}
