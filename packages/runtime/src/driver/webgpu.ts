/// <reference types="@webgpu/types" />
import { ArgumentError, DeviceLostError, DisposedError, DriverError, KernelCompileError, LaunchError, OutOfMemoryError } from '../errors/index.ts';
import type { Dim3, GpuBuffer, GpuCode, GpuDriver, GpuSource, GpuValue } from './driver.ts';
import { MOVE } from './webgpu-move.ts';
import { numbersOf } from './webgpu-numbers.ts';
import { webgpuAdapter } from './webgpu-open.ts';

// GPUBufferUsage and GPUMapMode by number: Node has no such globals.
const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128, queryResolve: 512 } as const;
const MAP_READ = 1;

class Buffer implements GpuBuffer {
  readonly bytes: number;
  readonly gpu: GPUBuffer;
  freed = false;
  constructor(gpu: GPUBuffer, bytes: number) {
    this.gpu = gpu;
    this.bytes = bytes;
  }
}

interface Code extends GpuCode { readonly pipelines: ReadonlyMap<string, GPUComputePipeline>; readonly writes: GpuSource['writes'] }

const round = (n: number, to: number): number => Math.ceil(n / to) * to;

/**
 * Opens the WebGPU device: the browser's, or in Node that of the package `webgpu`. Launches are gathered and handed over when something waits or is written.
 * Errors that WebGPU tells late come out of the next call.
 * @throws DeviceUnavailableError
 */
export async function openWebGpu(): Promise<GpuDriver> {
  const { adapter, info } = await webgpuAdapter(), where = 'webgpu:0', limits = adapter.limits as unknown as Record<string, number>, most: Record<string, number> = {};
  for (const name of ['maxStorageBufferBindingSize', 'maxBufferSize', 'maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupSizeX', 'maxComputeWorkgroupSizeY', 'maxComputeWorkgroupSizeZ', 'maxComputeWorkgroupsPerDimension', 'maxStorageBuffersPerShaderStage']) most[name] = limits[name]!;
  const timestamps = info.features.includes('timestamps'), requiredFeatures = (['shader-f16', 'timestamp-query'] as const).filter((f) => adapter.features.has(f));
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits: most }), { queue } = device;
  let late: Error | undefined, lost: DeviceLostError | undefined, encoder: GPUCommandEncoder | undefined, pass: GPUComputePassEncoder | undefined, pending = 0, temporary: GPUBuffer[] = [], mover: GPUComputePipeline | undefined, telling: Promise<unknown> = Promise.resolve();
  const reports: Parameters<NonNullable<GpuDriver['whenWaited']>>[0][] = [];
  device.addEventListener('uncapturederror', ({ error }) => { late ??= error.constructor.name === 'GPUOutOfMemoryError' ? new OutOfMemoryError(`${where}: ${error.message}`) : new DriverError(`${where}: ${error.message}`); });
  void device.lost.then(({ message }) => { lost = new DeviceLostError(`${where} is lost: ${message}`); });
  const check = (): void => {
    if (lost !== undefined) throw lost;
    const e = late;
    late = undefined;
    if (e !== undefined) throw e;
  };
  const numbers = numbersOf(device);
  /** Launches that follow each other share a pass. */
  const endPass = (): void => { pass?.end(); pass = undefined; };
  const commands = (): GPUCommandEncoder => { endPass(); return (encoder ??= device.createCommandEncoder()); };
  const flush = (): void => {
    endPass();
    numbers.write();
    if (encoder !== undefined) queue.submit([encoder.finish()]);
    encoder = undefined;
    pending = 0;
    for (const b of temporary) b.destroy();
    temporary = [];
  };
  const scratch = (size: number, usage: number, content?: Uint8Array): GPUBuffer => {
    const b = device.createBuffer({ size, usage, mappedAtCreation: content !== undefined });
    if (content !== undefined) { new Uint8Array(b.getMappedRange()).set(content); b.unmap(); }
    temporary.push(b);
    return b;
  };
  const ours = (b: GpuBuffer, offset: number, length: number): Buffer => {
    check();
    const mine = b as Buffer;
    if (mine.freed) throw new DisposedError('device memory');
    if (!(offset >= 0 && length >= 0 && offset + length <= mine.bytes)) throw new ArgumentError(`${where}: bytes ${offset} to ${offset + length} of a buffer of ${mine.bytes}`, { code: 'QUERN_RANGE' });
    return mine;
  };
  const groupOf = (pipeline: GPUComputePipeline, resources: readonly GPUBufferBinding[]): GPUBindGroup | undefined =>
    (resources.length > 0 ? device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: resources.map((resource, binding) => ({ binding, resource })) }) : undefined);
  const dispatch = (pipeline: GPUComputePipeline, group: GPUBindGroup | undefined, groups: Dim3): void => {
    pass ??= commands().beginComputePass();
    pass.setPipeline(pipeline);
    if (group) pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...groups);
    if (++pending >= 64) flush();
  };
  const spread = (n: number): Dim3 => { const x = Math.min(Math.max(n, 1), most['maxComputeWorkgroupsPerDimension']!); return [x, Math.max(1, Math.ceil(n / x)), 1]; };
  /** Copies bytes from any place to any other. */
  const move = (to: GPUBuffer, at: number, from: GPUBuffer, offset: number, length: number): void => {
    if (length === 0) return;
    if (at % 4 === 0 && offset % 4 === 0 && length % 4 === 0 && to !== from) { commands().copyBufferToBuffer(from, offset, to, at, length); pending++; return; }
    // Windows of both, so that large buffers fit a binding; the source is a copy where it is the destination too.
    const fromStart = Math.floor(offset / 4) * 4, own = scratch(round(offset + length - fromStart, 16), USAGE.storage | USAGE.copyDst), toStart = Math.floor(at / 256) * 256;
    commands().copyBufferToBuffer(from, fromStart, own, 0, Math.min(round(offset + length, 4) - fromStart, from.size - fromStart));
    mover ??= device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code: MOVE }), entryPoint: 'move_bytes' } });
    const moved = numbers.take(new Uint8Array(Uint32Array.of(at - toStart, offset - fromStart, length, 0).buffer));
    dispatch(mover, groupOf(mover, [{ buffer: to, offset: toStart, size: Math.min(round(at + length - toStart, 16), to.size - toStart) }, { buffer: own }, moved]), spread(Math.ceil((length + 6) / 256)));
  };
  const write = (to: Buffer, offset: number, bytes: Uint8Array): void => {
    flush();
    if (offset % 4 === 0 && bytes.length % 4 === 0) { queue.writeBuffer(to.gpu, offset, bytes as Uint8Array<ArrayBuffer>); return; }
    const padded = new Uint8Array(round(bytes.length, 16));
    padded.set(bytes);
    move(to.gpu, offset, scratch(padded.length, USAGE.copySrc | USAGE.storage, padded), 0, bytes.length);
    flush();
  };
  const submitted = async (): Promise<void> => {
    flush();
    check();
    await queue.onSubmittedWorkDone();
    check();
  };
  const readGpu = async (from: GPUBuffer, offset: number, length: number): Promise<Uint8Array> => {
    const start = Math.floor(offset / 4) * 4, size = Math.max(4, round(offset + length - start, 4)), stage = device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyDst });
    try {
      commands().copyBufferToBuffer(from, start, stage, 0, size);
      flush();
      await stage.mapAsync(MAP_READ);
      check();
      return new Uint8Array(stage.getMappedRange()).slice(offset - start, offset - start + length);
    } catch (error) {
      check();
      throw new DriverError(`${where}: read: ${(error as Error).message}`, { cause: error });
    } finally {
      stage.destroy();
    }
  };
  const reading = async (b: GpuBuffer, offset: number, length: number): Promise<Uint8Array> => readGpu(ours(b, offset, length).gpu, offset, length);
  /** Everything that waits ends after what launches had to tell, also where another call has begun to ask for it. */
  const tell = async (): Promise<void> => {
    const told = Promise.all([telling, ...reports.splice(0).map(async (f) => f(reading))]);
    telling = told.catch(() => undefined);
    await told;
  };
  const done = async (): Promise<void> => { await Promise.all([tell(), submitted()]); };

  /** Bindings for the arguments of a launch. Two bindings of one buffer may not be read and written: what is read is copied then, and `again`, that the same may be bound again, is false. */
  function bind(code: Code, entry: string, args: readonly GpuValue[], keep: boolean): { readonly bindings: readonly GPUBufferBinding[]; readonly again: boolean } {
    const bytes = args.filter((a) => a.kind === 'bytes'), buffers = args.filter((a) => a.kind === 'buffer'), writes = code.writes?.[entry], limit = most['maxStorageBuffersPerShaderStage']!, binding = info.limits.bindingBytes!;
    if (buffers.length > limit) throw new LaunchError(`${where}: ${entry} takes ${buffers.length} buffers, the device ${limit}`, { fix: 'pass fewer tensors to one kernel' });
    const out = buffers.map((a, i) => {
      const b = ours(a.buffer, a.offset, 0), from = a.window?.from ?? 0, to = Math.min(a.window?.to ?? b.gpu.size, b.gpu.size), size = Math.max(16, round(to - from, 4));
      if (size > binding) throw new LaunchError(`${where}: ${entry} is given ${size} bytes in one tensor, a binding takes ${binding}`, { fix: 'pass slices of the tensor, in several calls' });
      return { b, from, size, written: writes?.[i] ?? true };
    });
    for (const [i, x] of out.entries()) for (const y of out.slice(0, i)) {
      if (x.written && y.written && x.b === y.b && x.from < y.from + y.size && y.from < x.from + x.size) throw new LaunchError(`${where}: two tensors that ${entry} writes lie in one buffer, nearer than 256 bytes`, { fix: 'give each its own memory' });
    }
    let again = keep;
    const bindings: GPUBufferBinding[] = out.map((x) => {
      if (x.written || !out.some((y) => y.written && y.b === x.b)) return { buffer: x.b.gpu, offset: x.from, size: x.size };
      again = false;
      const copy = scratch(x.size, USAGE.storage | USAGE.copyDst);
      commands().copyBufferToBuffer(x.b.gpu, x.from, copy, 0, x.size);
      return { buffer: copy };
    });
    if (bytes.length > 0) {
      const block = new Uint8Array(round(4 * bytes.length, 16));
      bytes.forEach((a, i) => block.set(a.bytes, 4 * i));
      bindings.push(again ? numbers.own(block) : numbers.take(block));
    }
    return { bindings, again };
  }

  /** Prepared calls launch with the same list of arguments each time: what it is bound as is kept from its second launch on, as long as there is the list. */
  const known = new WeakMap<readonly GpuValue[], { readonly pipeline: GPUComputePipeline; readonly group: GPUBindGroup | undefined } | 'once'>();
  function bound(code: Code, entry: string, pipeline: GPUComputePipeline, args: readonly GpuValue[]): GPUBindGroup | undefined {
    const own = known.get(args);
    if (own !== undefined && own !== 'once' && own.pipeline === pipeline) {
      for (const a of args) if (a.kind === 'buffer') ours(a.buffer, a.offset, 0);
      return own.group;
    }
    if (numbers.full(4 * args.length + 16)) flush();
    const { bindings, again } = bind(code, entry, args, own !== undefined), group = groupOf(pipeline, bindings);
    known.set(args, again ? { pipeline, group } : 'once');
    return group;
  }

  async function compile(source: GpuSource): Promise<Code> {
    check();
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code: source.source }), popped = device.popErrorScope(), messages = (await module.getCompilationInfo()).messages.filter((m) => m.type === 'error'), error = await popped, texts = source.source.split('\n');
    const refuse = (log: string, cause?: unknown): never => { throw new KernelCompileError(`WebGPU refused the text of '${source.name}' for ${where} (${info.name})`, { log, command: 'createShaderModule' }, { cause }); };
    if (messages.length > 0 || error) {
      refuse(messages.length === 0 ? error!.message : messages.map((m) => { const author = source.where?.(m.lineNum); return `${source.name}:${m.lineNum}:${m.linePos}: ${m.message}${author ? ` (${author})` : ''}\n  ${texts[m.lineNum - 1] ?? ''}`; }).join('\n'));
    }
    const pipelines = new Map<string, GPUComputePipeline>();
    for (const entryPoint of source.entries) {
      try {
        pipelines.set(entryPoint, await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } }));
      } catch (cause) {
        check();
        refuse(`${entryPoint}: ${(cause as Error).message}`, cause);
      }
    }
    return { entries: source.entries, pipelines, writes: source.writes };
  }

  return {
    info, identity: `webgpu ${info.vendor} ${info.driver} ${info.name}`,
    alloc(bytes) {
      check();
      // Kernels read whole cells of 16 bytes.
      const size = round(Math.max(bytes, 16), 16);
      if (!(size <= most['maxBufferSize']!)) throw new OutOfMemoryError(`${where}: a buffer of ${bytes} bytes; the device takes ${most['maxBufferSize']}`, bytes);
      device.pushErrorScope('out-of-memory');
      const gpu = device.createBuffer({ size, usage: USAGE.storage | USAGE.copySrc | USAGE.copyDst });
      void device.popErrorScope().then((e) => { if (e) late ??= new OutOfMemoryError(`${where}: ${bytes} bytes: ${e.message}`, bytes); }, () => undefined);
      return new Buffer(gpu, bytes);
    },
    free(b) {
      const mine = b as Buffer;
      if (mine.freed) return;
      mine.freed = true;
      if (lost === undefined) flush();
      mine.gpu.destroy();
    },
    write(b, offset, bytes) { write(ours(b, offset, bytes.byteLength), offset, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)); },
    async read(b, offset, length) { return (await Promise.all([reading(b, offset, length), tell()]))[0]; },
    whenWaited(f) { reports.push(f); },
    copy(to, at, from, offset, length) { move(ours(to, at, length).gpu, at, ours(from, offset, length).gpu, offset, length); },
    fill(b, offset, byte, length) {
      const mine = ours(b, offset, length);
      if (byte === 0 && offset % 4 === 0 && length % 4 === 0) { if (length > 0) commands().clearBuffer(mine.gpu, offset, length); } else write(mine, offset, new Uint8Array(length).fill(byte));
    },
    compile,
    async load(_, source) { throw new KernelCompileError(`WebGPU keeps no machine code: '${source.name}'`, { log: 'compile its text', command: 'load' }); },
    binary: () => undefined,
    launch(code, entry, { grid, block }, args) {
      check();
      const mine = code as Code, pipeline = mine.pipelines.get(entry), { lanes } = info.limits, widest = most['maxComputeWorkgroupsPerDimension']!;
      if (pipeline === undefined) throw new ArgumentError(`no entry '${entry}' among ${code.entries.join(', ')}`);
      if (block[0] * block[1] * block[2] > lanes) throw new LaunchError(`${where}: a workgroup of ${block.join(' x ')} lanes, the device takes ${lanes}`, { fix: 'bind fewer iterations to lanes' });
      if (grid.some((n) => n > widest)) throw new LaunchError(`${where}: a grid of ${grid.join(' x ')} workgroups, the device takes ${widest} in each direction`, { fix: 'give each workgroup more to do' });
      dispatch(pipeline, bound(mine, entry, pipeline, args), grid);
    },
    sync: done,
    async time(work) {
      await done();
      if (!timestamps) { const t = performance.now(); work(); await done(); return (performance.now() - t) * 1e6; }
      const set = device.createQuerySet({ type: 'timestamp', count: 2 }), to = device.createBuffer({ size: 16, usage: USAGE.queryResolve | USAGE.copySrc });
      try {
        commands().beginComputePass({ timestampWrites: { querySet: set, beginningOfPassWriteIndex: 0 } }).end();
        work();
        commands().beginComputePass({ timestampWrites: { querySet: set, endOfPassWriteIndex: 1 } }).end();
        commands().resolveQuerySet(set, 0, 2, to, 0);
        const [{ buffer }] = await Promise.all([readGpu(to, 0, 16), tell()]), [from, end] = new BigUint64Array(buffer);
        return Number(end! - from!);
      } finally {
        flush(); // what `work` asked for before it threw
        set.destroy();
        to.destroy();
      }
    },
  };
}
