import type { Axes, Kernel as Algorithm, Schedule } from '@quern/kernel-dsl';
import { compileGenerated, type CompileOptions } from '../compile/index.ts';
import type { Device } from '../device/index.ts';
import { gpuKernel, type GpuKernel, gpuTarget } from '../gpu/index.ts';
import type { Kernel } from '../kernel/index.ts';
import { cpuInfo } from '../machine/index.ts';

/** How to compile a kernel of the kernel language. */
export interface CompileKernelOptions<A extends Axes> extends Pick<CompileOptions, 'cacheDir' | 'isa'> {
  /** How its loops run on the device's target; without one, as they are written on a CPU and as `autoGrid` finds on a GPU (\`() => {}\` runs them as they are written). */
  readonly schedule?: (s: Schedule, axes: A) => void;
  /**
   * Keep the kernel's `print`: its lines go to the standard error. On a GPU they come at the next wait for it (`readAsync`); CUDA and OpenCL, whose drivers print by
   * themselves, write them to the standard output.
   */
  readonly print?: boolean;
  /** Where it runs: the CPU unless told. */
  readonly device?: Device;
}

/**
 * Compiles a kernel of the kernel language: for the best instruction set of this CPU or for the one named, or for a GPU. The kernel language is loaded at
 * the first call only. A kernel on a GPU takes tensors that lie there, and its `run` returns a promise.
 *
 * @throws KernelCompileError when there is no compiler or it refuses. Errors of the kernel language as they are.
 * @example
 * const saxpy = await compileKernel(algorithm, { schedule: cpu });
 * saxpy.run({ x, y, a: 2 });
 */
export async function compileKernel<A extends Axes>(algorithm: Algorithm<A>, options: CompileKernelOptions<A> & { readonly device: Device & { readonly driver: NonNullable<Device['driver']> } }): Promise<GpuKernel>;
export async function compileKernel<A extends Axes>(algorithm: Algorithm<A>, options: CompileKernelOptions<A> & { readonly device: Device }): Promise<Kernel | GpuKernel>;
export async function compileKernel<A extends Axes>(algorithm: Algorithm<A>, options?: CompileKernelOptions<A>): Promise<Kernel>;
export async function compileKernel<A extends Axes>(algorithm: Algorithm<A>, options: CompileKernelOptions<A> = {}): Promise<Kernel | GpuKernel> {
  const { lower, requireVerified, schedule, target } = await import('@quern/kernel-dsl'), { device } = options;
  if (device?.driver !== undefined) {
    const gpu = await import('@quern/kernel-dsl/gpu');
    const t = await gpuTarget(device.driver.info), scheduled = options.schedule ? schedule(algorithm, t, options.schedule) : gpu.autoGrid(algorithm, t); // proved
    if (options.schedule) requireVerified(scheduled.ir);
    const lowered = lower(scheduled.ir, t, { print: options.print ?? false });
    return gpuKernel(device, { target: t, evaluate: gpu.evaluate, faultWords: gpu.FAULT_WORDS, printed: gpu.printedLines, emit: (v) => gpu.emitGpu(lowered, t, v) }, options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir });
  }
  const machine = target(options.isa ?? cpuInfo().isas[0] ?? 'generic');
  const { name } = algorithm.ir, { libraryFiles } = await import('@quern/kernel-dsl/c');
  const files = libraryFiles([{ name, build: (t) => lower(schedule(algorithm, t, (s, axes) => options.schedule?.(s, axes)).ir, t, { print: options.print ?? false }) }], [machine], { name });
  return compileGenerated(files, options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }).kernel(name, machine.isa);
}
