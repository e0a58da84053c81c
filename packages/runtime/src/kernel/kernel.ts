import { ArgumentError, AssumptionError, nativeCall } from '../errors/index.ts';
import type { NativeKernel } from '../library/index.ts';
import { checkThreads } from '../machine/index.ts';
import { native } from '../native/index.ts';
import { bindArguments, emptyBound, type KernelArgs } from './bind.ts';
import type { KernelMeta } from './meta.ts';
import { signature, type Signature } from './signature.ts';

/** How to run a kernel once. */
export interface RunOptions {
  /** At most so many threads; default: `threads()`. */
  readonly threads?: number;
  /** Sizes set by hand, for those that no shape tells; dimensions that bear one must be at least as large. */
  readonly sizes?: Readonly<Record<string, number>>;
}

/** A compiled kernel that can be called with tensors. */
export interface Kernel {
  readonly meta: KernelMeta;
  /** The instruction set in use, such as `x86-64-v4`. */
  readonly isa: string;
  readonly native: NativeKernel;
  /** Its parameters, prepared; for programs. */
  readonly signature: Signature;
  /**
   * Runs it and returns when it is done. All arguments are checked before native code sees them; on an error every
   * output is as it was.
   *
   * @throws ArgumentError for a missing, unknown, detached or overlapping argument. @throws ShapeError, DTypeError
   * @throws AssumptionError when the kernel itself refuses. @throws DisposedError
   */
  run(args: KernelArgs, options?: RunOptions): void;
}

/** Turns a kernel's answer into an error. */
export function assumptionError(meta: KernelMeta, assumption: number): AssumptionError {
  return new AssumptionError(meta.name, assumption, meta.assumptions[assumption - 1] ?? `its assumption ${assumption}, of which nothing is known`);
}

/**
 * Joins a kernel's description and its native code.
 *
 * @throws ArgumentError when the two do not belong together.
 */
export function bindKernel(meta: KernelMeta, nativeKernel: NativeKernel): Kernel {
  const s = signature(meta);
  const { entry } = nativeKernel;
  const shape = (nbuf: number, nsize: number, nscalar: number): string => `${nbuf} tensors, ${nsize} sizes and strides, ${nscalar} scalars`;
  if (entry.nbuf !== s.tensors.length || entry.nsize !== s.sizeCount || entry.nscalar !== s.scalars.length) {
    throw new ArgumentError(`kernel '${meta.name}': its description has ${shape(s.tensors.length, s.sizeCount, s.scalars.length)}, its native code ${shape(entry.nbuf, entry.nsize, entry.nscalar)}`,
      { fix: 'rebuild the library that it comes from: `npm run build`' });
  }
  const bound = emptyBound(s);
  const run = (args: KernelArgs, options: RunOptions = {}): void => {
    if (options.threads !== undefined) checkThreads(options.threads);
    bindArguments(s, args, options.sizes, bound);
    const answer = nativeCall(`kernel '${meta.name}'`, () => native().launch(nativeKernel.handle, bound.buffers, bound.ranges, bound.sizes.i64, bound.scalars.i64, options.threads ?? 0));
    // The buffers of the last call must not live on because of it.
    bound.buffers.length = 0;
    if (answer !== 0) throw assumptionError(meta, answer);
  };
  return { meta, isa: entry.isa, native: nativeKernel, signature: s, run };
}
