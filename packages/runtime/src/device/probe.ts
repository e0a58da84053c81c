import { existsSync } from 'node:fs';
import type { Reason } from '../errors/index.ts';
import { nativeStatus } from '../native/index.ts';
import { cpuDeviceInfo, type DeviceInfo } from './device.ts';

/** What the machine has, and what it has not with the reason. */
export interface DeviceList {
  readonly devices: readonly DeviceInfo[];
  readonly unavailable: readonly Reason[];
}

function driver(...paths: string[]): boolean {
  return paths.some((p) => existsSync(p));
}

const libraries = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib', '/usr/local/lib'];

function inLibraries(name: string): string[] {
  return libraries.map((dir) => `${dir}/${name}`);
}

/** Devices whose backend this version does not have: said plainly, with what the machine itself would offer. */
function missingBackends(): Reason[] {
  const cuda = driver('/proc/driver/nvidia/version', '/dev/nvidia0', ...inLibraries('libcuda.so.1'));
  const opencl = driver(...inLibraries('libOpenCL.so.1'));
  const none = (candidate: string, found: boolean, what: string): Reason => ({
    candidate, verdict: 'unavailable', code: 'no-backend',
    detail: `this version of Quern has no ${candidate} backend yet; ${found ? `${what} is present on this machine` : `this machine shows no ${what} either`}`,
  });
  return [
    none('cuda', cuda, 'NVIDIA driver'),
    none('opencl', opencl, 'OpenCL loader'),
    { candidate: 'webgpu', verdict: 'unavailable', code: 'no-backend', detail: 'this version of Quern has no webgpu backend yet' },
  ];
}

/** Every device of this machine that Quern can use, and why it cannot use the others. Asks drivers anew at every call. */
export async function listDevices(): Promise<DeviceList> {
  const unavailable = missingBackends();
  const { addon, reasons } = nativeStatus();
  return { devices: [cpuDeviceInfo()], unavailable: addon === undefined ? [...reasons, ...unavailable] : unavailable };
}
