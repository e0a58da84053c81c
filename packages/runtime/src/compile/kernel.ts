import type { Axes, Kernel as Algorithm, Schedule } from '@quern/kernel-dsl';
import type { Kernel } from '../kernel/index.ts';
import { cpuInfo } from '../machine/index.ts';
import type { CompileOptions } from './compile.ts';
import { compileGenerated } from './generated.ts';

/** How to compile a kernel of the kernel language. */
export interface CompileKernelOptions<A extends Axes> extends Pick<CompileOptions, 'cacheDir' | 'isa'> {
  /** How its loops run on a CPU; without one, as they are written. */
  readonly schedule?: (s: Schedule, axes: A) => void;
  /** Keep the kernel's `print`: its lines go to the standard error. */
  readonly print?: boolean;
}

/**
 * Compiles a kernel of the kernel language on this machine, for the best instruction set of this CPU or for the one
 * named. The kernel language is loaded at the first call only.
 *
 * @throws KernelCompileError when there is no C compiler or it refuses. Errors of the kernel language as they are.
 * @example
 * const saxpy = await compileKernel(algorithm, { schedule: cpu });
 * saxpy.run({ x, y, a: 2 });
 */
export async function compileKernel<A extends Axes>(algorithm: Algorithm<A>, options: CompileKernelOptions<A> = {}): Promise<Kernel> {
  const { libraryFiles, lower, schedule, target } = await import('@quern/kernel-dsl');
  const machine = target(options.isa ?? cpuInfo().isas[0] ?? 'generic');
  const { name } = algorithm.ir;
  const files = libraryFiles([{ name, build: (t) => lower(schedule(algorithm, t, (s, axes) => options.schedule?.(s, axes)).ir, t, { print: options.print ?? false }) }], [machine], { name });
  return compileGenerated(files, options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }).kernel(name, machine.isa);
}
