import type { Target } from '@quern/kernel-dsl';
import type { GpuLaunch, GpuModule, GpuSite, HostValues } from '@quern/kernel-dsl/gpu';
import type { Device } from '../device/index.ts';
import type { GpuBuffer, GpuDriver, GpuValue } from '../driver/index.ts';
import { ArgumentError, AssumptionError, BoundsError, DisposedError, LaunchError } from '../errors/index.ts';
import { bindArguments, emptyBound, type KernelArgs, type KernelMeta, type RunOptions, signature, type Signature } from '../kernel/index.ts';
import { bytesOf, type DType } from '../tensor/index.ts';
import { type Call, type Extra, gpuValue, hostValues } from './arguments.ts';
import { type CachedCode, cachedCompile } from './cache.ts';
import { ownMemory } from './memory.ts';
import { checkLimits, type Resolved, resolvePlan, suitsGrid } from './plan.ts';
import { printerOf, type ReadPrinted } from './printed.ts';
import { type Evaluate, fitsIndex, splitOf, suitsAlignment, type Variant, variantKey } from './variants.ts';

/** How to run a kernel once on a GPU. */
export interface GpuRunOptions extends Pick<RunOptions, 'sizes'> {
  /** Check every access to memory; the first outside of its tensor is an error with the author's line. Waits for the end. Slow. */
  readonly bounds?: boolean;
}

/** A variant of a kernel on a device: what runs. */
export interface GpuVariant {
  readonly module: GpuModule;
  readonly cache: CachedCode['cache'];
}

/** A call whose arguments are checked and whose code is compiled: it can be asked for again and again. */
export interface PreparedCall extends GpuVariant {
  /** Asks for all of its launches; returns at once. Assumptions about elements were checked when it was prepared. @throws DisposedError */
  enqueue(): void;
  /** Nanoseconds on the device for so many runs in a row (1 unless told). */
  time(runs?: number): Promise<number>;
  /** Gives up its workspace on the device, which no other call shares; harmless when repeated. It cannot be asked for any more. */
  dispose(): void;
}

/** A kernel on a GPU. */
export interface GpuKernel {
  readonly meta: KernelMeta;
  /** The target, such as `cuda-sm90a`. */
  readonly isa: string;
  readonly device: Device;
  readonly signature: Signature;
  /**
   * Asks for a run; resolves when it is asked for (the first time, when it is compiled), not when it is done: `await tensor.readAsync()` waits for results.
   * All arguments are checked first; on an error every output is as it was.
   *
   * @throws ArgumentError, ShapeError, DTypeError, DisposedError, KernelCompileError, LaunchError
   * @throws AssumptionError when the kernel itself refuses. @throws BoundsError with `bounds`.
   */
  run(args: KernelArgs, options?: GpuRunOptions): Promise<void>;
  /** Checks arguments, compiles what they need and takes the workspace, without a run. Dispose of it when it is not asked for any more. @throws as `run` */
  prepare(args: KernelArgs, options?: Omit<GpuRunOptions, 'bounds'>): Promise<PreparedCall>;
  /** The text that runs for usual arguments. */
  readonly source: string;
  /** Gives up memory of its own on the device, that of prepared calls too. */
  dispose(): void;
}

/** What a kernel is made from: a module for each variant. */
export interface GpuKernelSource {
  readonly target: Target;
  readonly evaluate: Evaluate;
  /** Words of the buffer that faults are told in. */
  readonly faultWords: number;
  /** `printedLines` of the kernel language. */
  readonly printed: ReadPrinted;
  /** Emits a variant. */
  emit(variant: Variant): GpuModule;
}

interface Compiled extends CachedCode { readonly module: GpuModule }

/** @throws ArgumentError where the device is no GPU */
export function gpuKernel(device: Device, from: GpuKernelSource, options: { readonly cacheDir?: string } = {}): GpuKernel {
  const opened = device.driver;
  if (opened === undefined) throw new ArgumentError(`${device.info.id} is no GPU`, { fix: 'compile the kernel without a device' });
  const driver: GpuDriver = opened, { evaluate } = from, usual: Variant = { indexBits: 32, aligned: true, flatGrid: false, bounds: false, split: { bytes: 0, parts: {} } };
  const modules = new Map<string, GpuModule>(), codes = new Map<string, Promise<Compiled>>(), own = ownMemory(driver);
  const moduleFor = (v: Variant): GpuModule => {
    const key = variantKey(v), m = modules.get(key) ?? from.emit(v);
    modules.set(key, m);
    return m;
  };
  const first = moduleFor(usual), meta: KernelMeta = first.meta, s = signature(meta), name = `kernel '${meta.name}'`, printer = printerOf(driver, name, from.printed);

  /** The variant that a call needs, and its plan. */
  function choose(call: Call, bounds: boolean): { variant: Variant; steps: Resolved[] } {
    const { operands, values } = call;
    let v: Variant = { ...usual, bounds };
    if (!fitsIndex(moduleFor(v), operands, values, evaluate)) {
      if (first.language === 'wgsl') throw new LaunchError(`${name}: indices of this call pass 2^31, and WGSL has no wider integers`, { fix: 'pass parts of the tensors' });
      v = { ...v, indexBits: 64 };
    }
    if (!suitsAlignment(moduleFor(v), s, operands)) {
      v = { ...v, aligned: false };
      // Copies by hardware have no other way.
      const open = moduleFor(v).alignment.find((a) => !suitsAlignment({ ...moduleFor(v), alignment: [a] }, s, operands));
      if (open) throw new LaunchError(`${name}: '${open.param}' must begin, and its rows lie, at multiples of ${open.elements} elements`, { fix: 'pad its rows, or compile the kernel with another schedule' });
    }
    let steps = resolvePlan(moduleFor(v), values, evaluate);
    if (!suitsGrid(steps, driver)) {
      v = { ...v, flatGrid: true };
      steps = resolvePlan(moduleFor(v), values, evaluate);
    }
    const split = splitOf(moduleFor(v), s, operands, values, evaluate, driver.info);
    if (Object.keys(split.parts).length > 0) {
      v = { ...v, split };
      steps = resolvePlan(moduleFor(v), values, evaluate);
    }
    checkLimits(moduleFor(v), steps, (param) => operands[s.tensors.findIndex((t) => t.meta.name === param)]!, driver);
    return { variant: v, steps };
  }

  function compile(v: Variant): Promise<Compiled> {
    const key = variantKey(v), known = codes.get(key);
    if (known !== undefined) return known;
    const module = moduleFor(v);
    const entries: string[] = [], writes: Record<string, boolean[]> = {};
    const walk = (steps: GpuModule['plan']): void => {
      for (const x of steps) {
        if (x.kind === 'launch' && !entries.includes(x.launch.entry)) { entries.push(x.launch.entry); writes[x.launch.entry] = x.launch.args.flatMap((a) => (a.kind === 'buffer' ? [a.access !== 'in'] : a.kind === 'workspace' || a.kind === 'faults' || a.kind === 'print' ? [true] : [])); }
        if (x.kind === 'check' || x.kind === 'for') walk(x.body);
        if (x.kind === 'if') { walk(x.then); walk(x.else); }
      }
    };
    walk(module.plan);
    const author = (line: number): string | undefined => { const loc = module.lines[line - 1]?.locs[0]; return loc && `${loc.file}:${loc.line}:${loc.col}`; };
    // CUDA's architecture is the device's own.
    const arch = from.target.cflags.find((f) => f.startsWith('--gpu-architecture=')), flags = module.flags.map((f) => (arch !== undefined && f.startsWith('--gpu-architecture=') ? arch : f));
    const made = cachedCompile(driver, { name: meta.name, source: module.source, flags, entries, writes, where: author }, options.cacheDir).then((c) => ({ ...c, module }));
    codes.set(key, made);
    made.catch(() => codes.delete(key));
    return made;
  }

  /** Throws what a launch reported, if it did. */
  async function lookAtFaults(m: GpuModule, { faults }: Extra): Promise<void> {
    if (faults === undefined) return;
    const words = await driver.read(faults, 0, 4 * from.faultWords), v = new DataView(words.buffer, words.byteOffset), site = v.getUint32(0, true);
    if (site === 0) return;
    throw faultError(m, m.sites[site - 1], Number(v.getBigInt64(8, true)), Number(v.getBigInt64(16, true)));
  }

  /** What a call has to itself until it gives it back. */
  function take(m: GpuModule, values: HostValues): Extra & { giveBack(): void } {
    const taken: [string, GpuBuffer][] = [];
    const buffer = (purpose: string, bytes: number): GpuBuffer => { const b = own.lend(purpose, bytes); taken.push([purpose, b]); return b; };
    const giveBack = (): void => { for (const [purpose, b] of taken.splice(0)) own.giveBack(purpose, b); };
    try {
      const workspace = new Map(m.workspace.map((w): [string, { buffer: GpuBuffer; bytes: number }] => { const bytes = evaluate(w.elements, values) * bytesOf(w.dtype as DType); return [w.name, { buffer: buffer(`workspace ${w.name}`, bytes), bytes }]; }));
      const faults = m.sites.length > 0 ? buffer('faults', 4 * from.faultWords) : undefined;
      if (faults !== undefined) driver.fill(faults, 0, 0, 4 * from.faultWords);
      return { workspace, faults, printed: m.prints?.length ? printer.buffer(m) : undefined, giveBack };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  async function ready(args: KernelArgs, o: GpuRunOptions): Promise<{ compiled: Compiled; steps: Resolved[]; call: Call }> {
    const bound = emptyBound(s), operands = bindArguments(s, args, o.sizes, bound, device.info.id), call: Call = { signature: s, operands, bound, values: hostValues(s, operands, bound) };
    for (const [i, a] of first.assumptions.entries()) if (evaluate(a.cond, call.values) === 0) throw new AssumptionError(meta.name, i + 1, a.text);
    const { variant, steps } = choose(call, o.bounds ?? false), compiled = await compile(variant);
    return { compiled, steps, call };
  }

  function launcher(compiled: Compiled, call: Call, step: Extract<Resolved, { kind: 'launch' }>, extra: Extra): () => void {
    const { launch, grid, vars } = step, values: GpuValue[] = launch.args.map((a) => gpuValue(a, call, compiled.module, extra, vars, driver));
    const shape = { grid, block: launch.block, dynamicSharedBytes: launch.dynamicSharedBytes, ...(launch.overlap && { overlap: true }), ...(launch.cluster && { cluster: launch.cluster }), ...reach(launch, values) };
    const prints = launch.args.some((a) => a.kind === 'print');
    return () => {
      if (prints) printer.expect(compiled.module);
      driver.launch(compiled.code, launch.entry, shape, values);
    };
  }

  return {
    meta, isa: from.target.isa, device, signature: s,
    get source() { return first.source; },
    async run(args, o = {}) {
      const { compiled, steps, call } = await ready(args, o), extra = take(compiled.module, call.values);
      try {
        for (const step of steps) {
          if (step.kind === 'look') await lookAtFaults(compiled.module, extra);
          else launcher(compiled, call, step, extra)();
        }
        if (o.bounds) await lookAtFaults(compiled.module, extra);
      } finally {
        extra.giveBack();
      }
    },
    async prepare(args, o = {}) {
      const { compiled, steps, call } = await ready(args, o), extra = take(compiled.module, call.values), lastLook = steps.findLastIndex((x) => x.kind === 'look');
      let rest: readonly (() => void)[] | undefined;
      try {
        for (const step of steps.slice(0, lastLook + 1)) {
          if (step.kind === 'look') await lookAtFaults(compiled.module, extra);
          else launcher(compiled, call, step, extra)();
        }
        rest = steps.slice(lastLook + 1).flatMap((x) => (x.kind === 'launch' ? [launcher(compiled, call, x, extra)] : []));
      } catch (error) {
        extra.giveBack();
        throw error;
      }
      const enqueue = (): void => {
        if (rest === undefined) throw new DisposedError(`a prepared call of ${name}`);
        for (const f of rest) f();
      };
      return {
        module: compiled.module, cache: compiled.cache, enqueue, time: (runs = 1) => driver.time(() => { for (let i = 0; i < runs; i++) enqueue(); }),
        dispose() { rest = undefined; extra.giveBack(); },
      };
    },
    dispose() {
      own.dispose();
      printer.dispose();
    },
  };
}

/** The buffers of a launch that it writes, and those that it reads before it waits for the launch before. */
function reach({ args, early }: GpuLaunch, values: readonly GpuValue[]): { readonly writes: readonly GpuBuffer[]; readonly early?: readonly GpuBuffer[] } {
  const of = (wanted: (a: GpuLaunch['args'][number]) => boolean): readonly GpuBuffer[] => values.flatMap((v, i) => (v.kind === 'buffer' && wanted(args[i]!) ? [v.buffer] : []));
  return { writes: of((a) => a.kind !== 'buffer' || a.access !== 'in'), ...(early && { early: of((a) => a.kind === 'buffer' && early.includes(a.param)) }) };
}

function faultError(m: GpuModule, site: GpuSite | undefined, index: number, extent: number): Error {
  if (site === undefined) return new LaunchError(`kernel '${m.name}' reports a fault of which nothing is known`);
  if (site.kind === 'assume') return new AssumptionError(m.name, m.assumptions.length + 1, site.text);
  const where = site.loc === undefined ? '' : ` (${site.loc.file}:${site.loc.line}:${site.loc.col})`;
  return new BoundsError(`kernel '${m.name}': ${site.name} is ${site.access} at ${site.index} = ${index} in dimension ${site.dim}, which has ${extent}${where}`);
}
