import type { GpuDriver, GpuInfo } from '../driver/index.ts';
import type { Reason } from '../errors/index.ts';
import { cpuInfo, threads } from '../machine/index.ts';
import { nativeStatus } from '../native/index.ts';

/** Families of devices. */
export type DeviceKind = 'cpu' | 'cuda' | 'opencl' | 'webgpu';

/** What a device is. */
export interface DeviceInfo {
  /** `cpu:0`, `cuda:1`: what `device()` takes. */
  readonly id: string;
  readonly kind: DeviceKind;
  readonly index: number;
  readonly name: string;
  /** A software device imitates another kind on the CPU; it is never picked by itself. */
  readonly type: 'cpu' | 'igpu' | 'dgpu' | 'software';
  /** How its kernels run: `native` (generated C), `javascript` (the interpreter: slow), or in the language of its driver. */
  readonly backend: 'native' | 'javascript' | 'cuda' | 'opencl' | 'webgpu';
  /** Instruction sets or feature names, best first. */
  readonly features: readonly string[];
  readonly threads: number;
  /** What the driver of a GPU says of it. */
  readonly gpu?: GpuInfo;
}

/** Where the wish for a device came from, strongest first. */
export type PickSource = 'argument' | 'withDevice' | 'QUERN_DEVICE' | 'configure' | 'auto';

/** How a device was chosen; every candidate that was looked at has its reason. */
export interface DevicePick {
  readonly requested: string;
  readonly source: PickSource;
  /** True when the request could not be met and another device stands in. */
  readonly fellBack: boolean;
  readonly reasons: readonly Reason[];
}

/** A device in use. */
export interface Device {
  readonly info: DeviceInfo;
  readonly pick: DevicePick;
  /** Of a GPU: its driver, opened. */
  readonly driver?: GpuDriver;
}

/** Describes the CPU as a device. */
export function cpuDeviceInfo(): DeviceInfo {
  if (nativeStatus().addon === undefined) {
    return { id: 'cpu:0', kind: 'cpu', index: 0, name: 'CPU', type: 'cpu', backend: 'javascript', features: [], threads: 1 };
  }
  const { brand, isas } = cpuInfo();
  return { id: 'cpu:0', kind: 'cpu', index: 0, name: brand || 'CPU', type: 'cpu', backend: 'native', features: isas, threads: threads() };
}

let cpu: Device | undefined;

/** The CPU, which is always there: the device of every tensor so far. */
export function cpuDevice(): Device {
  cpu ??= { info: cpuDeviceInfo(), pick: { requested: 'cpu', source: 'auto', fellBack: false, reasons: [] } };
  return cpu;
}

/** Describes a GPU as a device. A software device imitates one on the CPU. */
export function gpuDeviceInfo(gpu: GpuInfo): DeviceInfo {
  const type = gpu.software ? (gpu.kind === 'opencl' ? 'cpu' : 'software') : gpu.integrated ? 'igpu' : 'dgpu';
  return { id: `${gpu.kind}:${gpu.index}`, kind: gpu.kind, index: gpu.index, name: gpu.name, type, backend: gpu.kind, features: gpu.features, threads: 1, gpu };
}
