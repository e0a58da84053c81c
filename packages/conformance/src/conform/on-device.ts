import fc from 'fast-check';
import { FAULT_WORDS, autoGrid, emitGpu, evaluate, printedLines } from '@quern/kernel-dsl/gpu';
import type { Axes, Kernel, KernelIR, Schedule, TensorArg } from '@quern/kernel-dsl';
import { BoundsError, gpuKernel, gpuTarget, rowMajor, tensor } from '@quern/runtime';
import type { Device, GpuKernel, KernelArgs, Tensor } from '@quern/runtime';
import type { Case, Trial } from '../cases/index.ts';
import { copyArgs } from '../memory/index.ts';
import { hold, newBench, openCase, runPrograms } from './bench.ts';
import type { Args, Bench } from './bench.ts';
import { Fault } from './error.ts';
import type { ConformOptions, Subject } from './options.ts';
import type { ConformReport } from './report.ts';
import { asConformance, conclude, searchOf, seedOf } from './search.ts';
import { programsFor } from './stages.ts';
import type { Programs } from './stages.ts';

/** Settings of {@link conformOn}; all have defaults. */
export interface DeviceOptions<A extends Axes = Axes> extends Omit<ConformOptions<A>, 'cpu' | 'targets' | 'backends' | 'lower' | 'emit'> {
  /** The schedule for the device's target; without it the one that `autoGrid` finds; `() => {}` runs the kernel as it is written. */
  readonly gpu?: (s: Schedule, ax: A) => void;
  /** Also run each case with every access to memory checked; true unless told. */
  readonly checked?: boolean;
  /** Run the scheduled and the lowered program on the interpreter too; unless told, where the schedule was not found: such have more lanes than it can run soon. */
  readonly interpret?: boolean;
}

/**
 * Holds a kernel to its definition on a GPU: its algorithm on the interpreter, the scheduled and the lowered program for the device's target, and what the
 * device computes, over sizes, layouts and values that show mistakes. Where the device rounds as the language says (CUDA, and OpenCL with rounded division)
 * results must equal the lowered program's bit for bit, unless instructions add in an order of their own; else they are held to the bound. WGSL promises
 * nothing of NaN and infinities, and subnormal numbers may be zero: there such values are left out, and 2^-126 is added to bounds. Outputs are filled with a pattern before each run, what lies around and between the elements must stay as it was.
 *
 * @returns what was compared
 * @throws ConformanceError with the smallest case found
 * @example await conformOn(await device('cuda'), saxpy, { gpu: schedule })
 */
export async function conformOn<A extends Axes>(device: Device, k: Kernel<A> | Subject, options: DeviceOptions<A> = {}): Promise<ConformReport> {
  const { driver } = device;
  if (driver === undefined) throw new TypeError(`${device.info.id} is no GPU: hold a kernel to the CPU with conform(…)`);
  const seed = seedOf(options), t = await gpuTarget(driver.info), open = options.gpu === undefined && !('schedule' in k), p = programsFor(open ? { name: k.name, ir: k.ir, schedule: (x) => autoGrid(k, x) } : k, t, options.gpu);
  const interpreted = options.interpret ?? !(open && p.steps.length > 1), backends = new Set(!interpreted ? ['device'] as const : ['scheduled', 'lowered', 'device'] as const);
  const runner = gpuKernel(device, { target: t, evaluate, faultWords: FAULT_WORDS, printed: printedLines, emit: (v) => emitGpu(p.lowered, t, v) });
  try {
    const o = options as ConformOptions, search = searchOf(k.ir, [p], seed, o), wgsl = t.gpu?.language === 'wgsl', bench = newBench(k.ir, o, backends, [p], wgsl ? 2 ** -126 : 0);
    const property = fc.asyncProperty(search.plan.arbitrary, (c) => runCase(bench, p, device, runner, wgsl && c.values === 2 ? { ...c, values: 3 } : c, options.checked ?? true));
    return conclude(k.name, await fc.check(property, search.parameters), bench, search);
  } catch (e) {
    throw asConformance(k.name, seed, e);
  } finally {
    runner.dispose();
  }
}

/** Does the device give the bits of the lowered program? */
function rounds(p: Programs): boolean {
  const { gpu, features } = p.target;
  return p.exactInstructions && gpu?.language !== 'wgsl' && (gpu?.language !== 'opencl' || features.includes('rounded_divide'));
}

async function runCase(b: Bench, p: Programs, device: Device, k: GpuKernel, c: Case, checked: boolean): Promise<void> {
  const x = openCase(b, c), { isa } = p.target, lowered = b.backends.has('lowered') ? runPrograms(b, p, x) : undefined;
  const exact = lowered !== undefined && rounds(p);
  for (const bounds of checked ? [true, false] : [false]) {
    const got = await runOn(device, k, b.k, x.trial, bounds, isa);
    hold(b, x, 'device', isa, got, exact ? lowered : undefined, 'the lowered program on the interpreter');
  }
}

/** Runs a case; the arrays that come back hold all that the device's memory held. */
async function runOn(device: Device, k: GpuKernel, ir: KernelIR, trial: Trial, bounds: boolean, isa: string): Promise<Args> {
  const args = copyArgs(trial.args), far: { readonly near: TensorArg; readonly all: Tensor; readonly view: Tensor }[] = [], passed: Record<string, KernelArgs[string]> = {};
  try {
    for (const q of ir.params) {
      const a = args[q.name]!;
      if (typeof a === 'number') { passed[q.name] = q.kind === 'scalar' && q.dtype === 'bool' ? a !== 0 : a; continue; }
      if (q.kind !== 'tensor') continue;
      // The whole array goes there, so that what lies around the elements is seen too.
      const all = await tensor(a.data as NodeJS.TypedArray, [a.data.length], { dtype: q.buf.dtype }).to(device);
      const view = new (all.constructor as typeof Tensor)(all.storage, q.buf.dtype, a.shape, a.strides ?? rowMajor(a.shape), all.byteOffset + (a.offset ?? 0) * a.data.BYTES_PER_ELEMENT);
      far.push({ near: a, all, view });
      passed[q.name] = view;
    }
    try {
      await k.run(passed, { sizes: trial.loose, bounds });
    } catch (e) {
      if (!(e instanceof BoundsError)) throw e;
      throw new Fault({ backend: 'device', isa, what: e.message }, { cause: e });
    }
    for (const f of far) {
      const bytes = await device.driver!.read(f.all.storage.remote!.buffer, f.all.byteOffset, f.near.data.byteLength), data = f.near.data as NodeJS.TypedArray;
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(bytes);
    }
  } finally {
    for (const f of far) { f.view.dispose(); f.all.dispose(); }
  }
  return args;
}
