import { AsyncLocalStorage } from 'node:async_hooks';
import { ArgumentError, DeviceUnavailableError, type Reason } from '../errors/index.ts';
import { openNative, openWebGpu } from '../driver/index.ts';
import type { GpuDriver } from '../driver/index.ts';
import { nativeStatus } from '../native/index.ts';
import { type Device, type DeviceInfo, type DeviceKind, type DevicePick, type PickSource } from './device.ts';
import { type DeviceList, listDevices } from './probe.ts';
import { parseDeviceSpec, satisfies } from './spec.ts';

/** What to do when a device that was asked for is absent: stand in with the CPU and say so, or throw. */
export type Fallback = 'cpu' | 'none';

/** How to choose. */
export interface DeviceOptions {
  /** Default: what `configure` said, else 'cpu'. */
  readonly fallback?: Fallback;
  /** The kinds that the caller has kernels for; a device of another kind counts as absent, with that as the reason. Default: all. */
  readonly kinds?: readonly DeviceKind[];
}

/** Settings of the process, weaker than arguments, `withDevice` and the environment. */
export interface Configuration {
  readonly device?: string;
  readonly fallback?: Fallback;
}

let configuration: Configuration = {};

/** Sets what `device()` takes when nothing stronger speaks; replaces what was set before. @throws ArgumentError */
export function configure(settings: Configuration): void {
  if (settings.device !== undefined) parseDeviceSpec(settings.device);
  if (settings.fallback !== undefined) checkFallback(settings.fallback);
  configuration = { ...settings };
}

function checkFallback(fallback: string): void {
  if (fallback !== 'cpu' && fallback !== 'none') throw new ArgumentError(`fallback must be 'cpu' or 'none', got '${fallback}'`);
}

const scope = new AsyncLocalStorage<string>();

/**
 * Runs f, and everything it awaits, with another default device.
 *
 * @example await withDevice('cpu', async () => (await device()).info.kind); // 'cpu'
 */
export function withDevice<T>(spec: string, f: () => T): T {
  parseDeviceSpec(spec);
  return scope.run(spec, f);
}

function request(argument: string | undefined): { spec: string; source: PickSource } {
  if (argument !== undefined) return { spec: argument, source: 'argument' };
  const scoped = scope.getStore();
  if (scoped !== undefined) return { spec: scoped, source: 'withDevice' };
  const environment = process.env['QUERN_DEVICE'];
  if (environment) return { spec: environment, source: 'QUERN_DEVICE' };
  if (configuration.device !== undefined) return { spec: configuration.device, source: 'configure' };
  return { spec: 'auto', source: 'auto' };
}

/** The device of a list that is best when nobody asked: a GPU of its own, one in the CPU, the CPU; never software. */
function best(devices: readonly DeviceInfo[]): DeviceInfo | undefined {
  const order = ['dgpu', 'igpu', 'cpu'];
  return devices.filter((d) => order.includes(d.type)).sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type))[0];
}

function chosen(info: DeviceInfo, code: string, detail: string): Reason {
  return { candidate: info.id, verdict: 'chosen', code, detail };
}

/** Chooses among the devices of a list, without looking at the machine. */
export function choose(list: DeviceList, spec: string, source: PickSource, fallback: Fallback): Device {
  const wishes = parseDeviceSpec(spec);
  const rejected: Reason[] = [];
  const done = (info: DeviceInfo, fellBack: boolean, reason: Reason, rest: readonly Reason[]): Device => {
    const pick: DevicePick = { requested: spec, source, fellBack, reasons: [...rest, reason] };
    return { info, pick };
  };
  if (wishes.length === 0) {
    const info = best(list.devices);
    if (info !== undefined) return done(info, false, chosen(info, 'auto', 'the best device that this machine has for Quern'), list.unavailable);
  }
  for (const wish of wishes) {
    const info = list.devices.find((d) => satisfies(d, wish));
    if (info !== undefined) return done(info, false, chosen(info, 'requested', `asked for by ${source}: '${wish.text}'`), rejected);
    const known = list.unavailable.filter((r) => wish.kind === undefined ? r.candidate !== 'cpu' : r.candidate === wish.kind);
    rejected.push(...(known.length > 0 ? known : [{ candidate: wish.text, verdict: 'unavailable', code: 'not-found', detail: 'this machine has no such device' } as const]));
  }
  const cpu = list.devices.find((d) => d.kind === 'cpu');
  if (fallback === 'cpu' && cpu !== undefined) return done(cpu, true, chosen(cpu, 'fallback', `stands in for '${spec}'`), rejected);
  throw new DeviceUnavailableError(spec, wishes.length === 0 ? list.unavailable : rejected, {
    fix: "ask for one that `quern devices` lists, or allow the CPU to stand in with fallback: 'cpu'",
  });
}

const warned = new Set<string>();

/** Warns once in a process for each request that could not be met. */
function warn(pick: DevicePick, info: DeviceInfo): void {
  if (!pick.fellBack || warned.has(pick.requested)) return;
  warned.add(pick.requested);
  const why = pick.reasons.find((r) => r.verdict !== 'chosen')?.detail ?? 'no such device';
  process.emitWarning(`the device '${pick.requested}' (asked for by ${pick.source}) is not available: ${why}. ${info.id} stands in.`, {
    type: 'QuernWarning', code: 'QUERN_FALLBACK',
  });
}

/** A list without devices of other kinds. */
function only(list: DeviceList, kinds: readonly DeviceKind[]): DeviceList {
  const others = [...new Set(list.devices.filter((d) => !kinds.includes(d.kind)).map((d) => d.kind))];
  const detail = `this machine has one, but what asks for a device here has kernels for ${kinds.join(', ')} alone`;
  return { devices: list.devices.filter((d) => kinds.includes(d.kind)), unavailable: [...list.unavailable, ...others.map((candidate): Reason => ({ candidate, verdict: 'rejected', code: 'no-kernels', detail }))] };
}

const drivers = new Map<string, GpuDriver>();
let webgpu: Promise<GpuDriver> | undefined;

/** The driver of a GPU, opened once in a process. */
async function open({ id, kind, index }: DeviceInfo): Promise<GpuDriver | undefined> {
  if (kind === 'webgpu') { webgpu ??= openWebGpu(); webgpu.catch(() => { webgpu = undefined; }); return webgpu; }
  if (kind !== 'cuda' && kind !== 'opencl') return undefined;
  const driver = drivers.get(id) ?? openNative(kind, index);
  drivers.set(id, driver);
  return driver;
}

/**
 * Chooses a device. Authority: the argument, then `withDevice`, QUERN_DEVICE, `configure`, and at last the best there is.
 * A device that is absent is replaced by the CPU, with one warning and the reasons in `pick.reasons`; with
 * `fallback: 'none'` it is an error.
 *
 * @param spec `kind[:index|:gpu|:name][,...]`, `gpu` or `auto`: see `parseDeviceSpec`
 * @throws DeviceUnavailableError with fallback 'none'. @throws ArgumentError when spec makes no sense.
 * @example (await device('cpu')).info.id // 'cpu:0'
 */
export async function device(spec?: string, options: DeviceOptions = {}): Promise<Device> {
  const fallback = options.fallback ?? configuration.fallback ?? 'cpu';
  checkFallback(fallback);
  const wanted = request(spec);
  // Read the request before the drivers are asked: a typing mistake should not cost a probe.
  const wishes = parseDeviceSpec(wanted.spec);
  // Where nothing native is, WebGPU is the GPU; beside it, it is asked when it is named.
  const list = await listDevices({ webgpu: wishes.some((w) => w.kind === 'webgpu') || nativeStatus().addon === undefined }), picked = choose(options.kinds === undefined ? list : only(list, options.kinds), wanted.spec, wanted.source, fallback);
  warn(picked.pick, picked.info);
  const driver = await open(picked.info);
  return driver === undefined ? picked : { ...picked, driver };
}
