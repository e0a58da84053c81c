import { DeviceUnavailableError, DisposedError, fromNative, KernelCompileError, nativeCall } from '../errors/index.ts';
import { type DeviceHandle, type DeviceBufferHandle, type DeviceModuleHandle, native, type NativeDeviceInfo, tryNative } from '../native/index.ts';
import { earlyStarts } from './early.ts';
import type { Dim3, GpuBuffer, GpuCode, GpuDriver, GpuGrid, GpuInfo, GpuSource, GpuTensorMap, GpuValue } from './driver.ts';

/** Drivers behind the addon. */
export type NativeKind = 'cuda' | 'opencl';

class Buffer implements GpuBuffer {
  readonly bytes: number;
  readonly handle: DeviceBufferHandle;
  freed = false;
  constructor(handle: DeviceBufferHandle, bytes: number) {
    this.handle = handle;
    this.bytes = bytes;
  }
}

interface Code extends GpuCode {
  readonly module: DeviceModuleHandle;
  readonly functions: ReadonlyMap<string, number>;
}

const three = (list: readonly number[]): Dim3 => [list[0] ?? 1, list[1] ?? 1, list[2] ?? 1];

function infoOf(kind: NativeKind, index: number, d: NativeDeviceInfo): GpuInfo {
  const features = d.features === '' ? [] : d.features.split(' ');
  return {
    kind, index, name: d.name.trim(), vendor: d.vendor.trim(), driver: d.driver.trim(), software: d.software !== 0, integrated: d.integrated !== 0, features, units: d.units, version: [d.major, d.minor],
    limits: {
      lanes: d.lanes, block: three(d.block), grid: three(d.grid), sharedBytes: d.sharedBytes, dynamicSharedBytes: d.dynamicSharedBytes, bufferBytes: d.bufferBytes, memoryBytes: d.memoryBytes, cacheBytes: d.cacheBytes, texels: d.texels,
    },
  };
}

/** The devices of a driver, without opening any. @throws QuernError where the driver is absent: the message says what is missing */
export function nativeDevices(kind: NativeKind): readonly GpuInfo[] {
  const addon = tryNative();
  if (addon === undefined) return [];
  return nativeCall(kind, () => Array.from({ length: addon.gpuCount(kind) }, (_, i) => infoOf(kind, i, addon.gpuDescribe(kind, i))));
}

/** Values of tensor maps for element types. */
const MAP_TYPES: Readonly<Record<string, number>> = { u8: 0, i8: 0, u16: 1, u32: 2, i32: 3, i64: 5, f16: 6, f32: 7, f64: 8, bf16: 9 };

/** Elements of texels, as native code counts them. */
const TEXELS: readonly string[] = ['f32', 'i32', 'u32', 'i16', 'u16', 'i8', 'u8'];

/** Bytes of a launch's arguments, as native code reads them: see gpu_launch.c. */
function packArgs(args: readonly GpuValue[]): { readonly blob: Uint8Array; readonly buffers: readonly DeviceBufferHandle[] } {
  const room = (n: number): number => Math.ceil(n / 16) * 16;
  const blob = new Uint8Array(args.reduce((n, a) => n + 16 + (a.kind === 'bytes' ? room(a.bytes.length) : 0), 0)), view = new DataView(blob.buffer), buffers: DeviceBufferHandle[] = [];
  let at = 0;
  for (const a of args) {
    if (a.kind === 'buffer') {
      buffers.push((a.buffer as Buffer).handle);
      view.setUint32(at, 1, true);
      if (a.image !== undefined) view.setUint32(at + 4, 1 + TEXELS.indexOf({ f16: 'u16', bf16: 'u16', bool: 'u8' }[a.image] ?? a.image), true);
      view.setBigUint64(at + 8, BigInt(a.offset), true);
      at += 16;
    } else {
      view.setUint32(at + 4, a.bytes.length, true);
      blob.set(a.bytes, at + 16);
      at += 16 + room(a.bytes.length);
    }
  }
  return { blob, buffers };
}

/**
 * Opens a CUDA or OpenCL device.
 * @throws DeviceUnavailableError where there is none of that number
 */
export function openNative(kind: NativeKind, index: number): GpuDriver {
  const info = nativeDevices(kind)[index];
  if (info === undefined) throw new DeviceUnavailableError(`${kind}:${index}`, [{ candidate: `${kind}:${index}`, verdict: 'unavailable', code: 'not-found', detail: 'this machine has no such device' }]);
  const addon = native(), where = `${kind}:${index}`, call = <T>(what: string, f: () => T): T => nativeCall(`${where}: ${what}`, f);
  const device: DeviceHandle = call('open', () => addon.gpuOpen(kind, index));
  let identity: string | undefined, slot = 0;
  const packed = new WeakMap<readonly GpuValue[], ReturnType<typeof packArgs>>(), shapes = new WeakMap<GpuGrid, Float64Array>(), early = earlyStarts();
  const later = <T>(what: string, f: () => T): T => { early.other(); return call(what, f); };
  const done = (what: string): Promise<void> => addon.gpuSyncAsync(device).catch((error: unknown) => { throw fromNative(error, `${where}: ${what}`); });
  const codeOf = (module: DeviceModuleHandle, source: GpuSource): Code =>
    ({ module, entries: source.entries, functions: new Map(source.entries.map((e) => [e, call(e, () => addon.gpuFunction(device, module, e))])) });
  const compiled = (source: GpuSource, f: () => DeviceModuleHandle, what: 'text' | 'machine code' = 'text'): Code => {
    try {
      return codeOf(f(), source);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code !== 'QUERN_E_COMPILE' && (what === 'text' || code === 'QUERN_E_GPU_LOST')) throw fromNative(error, where);
      const compiler = kind === 'cuda' ? 'NVRTC' : 'the OpenCL compiler';
      throw new KernelCompileError(`${compiler} refused the ${what} of '${source.name}' for ${where} (${info.name})`, { log: (error as Error).message, command: [compiler, ...source.flags].join(' ') }, { cause: error });
    }
  };
  return {
    info,
    get identity() { return (identity ??= call('identity', () => addon.gpuIdentity(device))); },
    alloc: (bytes) => new Buffer(call(`${bytes} bytes of memory`, () => addon.gpuAlloc(device, bytes)), bytes),
    free: (b) => {
      const mine = b as Buffer;
      if (!mine.freed) addon.gpuFree(mine.handle);
      mine.freed = true;
    },
    write: (b, offset, bytes) => later('write', () => addon.gpuWrite(device, (b as Buffer).handle, offset, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))),
    read: async (b, offset, length) => {
      // Waiting happens in another thread; what is left is the copy.
      await done('read');
      const out = new Uint8Array(length);
      call('read', () => addon.gpuRead(device, (b as Buffer).handle, offset, out));
      return out;
    },
    copy: (to, at, from, offset, length) => later('copy', () => addon.gpuCopy(device, (to as Buffer).handle, at, (from as Buffer).handle, offset, length)),
    fill: (b, offset, byte, length) => later('fill', () => addon.gpuFill(device, (b as Buffer).handle, offset, byte, length)),
    compile: async (source) => compiled(source, () => addon.gpuBuild(device, source.source, source.flags)),
    load: async (binary, source) => compiled(source, () => addon.gpuLoad(device, binary), 'machine code'),
    binary: (code) => new Uint8Array(call('binary', () => addon.gpuBinary(device, (code as Code).module))),
    launch: (code, entry, shape, args) => {
      // Prepared calls pass the same values and shape again.
      const c = code as Code, f = c.functions.get(entry), values = packed.get(args) ?? packArgs(args);
      packed.set(args, values);
      for (const a of args) if (a.kind === 'buffer' && a.buffer.freed) throw new DisposedError('device memory');
      if (f === undefined) throw new Error(`no entry '${entry}' among ${code.entries.join(', ')}`);
      const size = shapes.get(shape) ?? dims(shape);
      shapes.set(shape, size);
      size[7] = early.next(shape, args) ? 1 : 0;
      call(entry, () => addon.gpuLaunch(device, c.module, f, size, values.blob, values.buffers));
    },
    ...(kind === 'cuda' && { tensorMap: (map: GpuTensorMap) => new Uint8Array(call('tensor map', () => addon.gpuTensorMap(device, (map.buffer as Buffer).handle, mapNumbers(map)))) }),
    sync: () => done('sync'),
    time: async (work) => {
      const from = slot, to = slot + 1;
      slot = (slot + 2) % 64;
      addon.gpuMark(device, from);
      work();
      addon.gpuMark(device, to);
      await done('time');
      return call('time', () => addon.gpuElapsed(device, from, to));
    },
  };
}

const dims = (s: GpuGrid): Float64Array => Float64Array.of(...s.grid, ...s.block, s.dynamicSharedBytes ?? 0, 0, ...(s.cluster ?? [1, 1, 1]));

function mapNumbers(m: GpuTensorMap): Float64Array {
  const out = new Float64Array(19), type = MAP_TYPES[m.dtype];
  if (type === undefined) throw new Error(`no tensor map holds ${m.dtype}`);
  out.set([m.offset, type, m.dims.length, m.swizzle]);
  out.set(m.dims, 4);
  out.set(m.strides, 9);
  out.set(m.box, 14);
  return out;
}
