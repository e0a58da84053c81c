import { type Kernel as Algorithm, interpret, type TensorArg } from '@quern/kernel-dsl';
import { bytesOf, ProviderLoadError, type Tensor } from '@quern/runtime';
import { kernels, nativeLibrary, warnInterpreter } from './library.ts';

/** `native`: generated code for this processor. `interpreter`: the kernel's definition, run in JavaScript. */
export type Backend = 'native' | 'interpreter';

/** Arguments of a kernel by name: matrices and scalars. */
export type KernelOperands = Readonly<Record<string, Tensor | number>>;

/** A kernel that can be run. */
export interface Runner {
  readonly backend: Backend;
  /** The instruction set of native code; `none` for the interpreter. */
  readonly isa: string;
  run(args: KernelOperands, threads: number | undefined): void;
}

const bound = new Map<string, Runner>();

/**
 * The runner of a kernel: native where that exists, else the interpreter, which is said once.
 *
 * @param algorithm makes the kernel as it is defined, for the interpreter
 * @param isa one instruction set, instead of the best that this processor has
 * @throws ProviderLoadError when `backend` is 'native' and there is no native code, or none for `isa`
 */
export function runner(name: string, algorithm: () => Algorithm, backend?: Backend, isa?: string): Runner {
  const key = `${name} ${backend ?? ''} ${isa ?? ''}`;
  let r = bound.get(key);
  if (r === undefined) bound.set(key, (r = make(name, algorithm, backend, isa)));
  return r;
}

function make(name: string, algorithm: () => Algorithm, backend: Backend | undefined, isa: string | undefined): Runner {
  if (backend === 'interpreter') return interpreted(algorithm());
  const { library, reasons } = nativeLibrary();
  if (library !== undefined) {
    const k = kernels.kernel(name, isa);
    return { backend: 'native', isa: k.isa, run: (args, threads) => { k.run(args, threads === undefined ? {} : { threads }); } };
  }
  if (backend === 'native' || isa !== undefined) throw new ProviderLoadError(`there is no native code for '${name}'`, reasons, { fix: 'build it: `npm run build`' });
  warnInterpreter(reasons);
  return interpreted(algorithm());
}

function interpreted({ ir }: Algorithm): Runner {
  return {
    backend: 'interpreter', isa: 'none',
    run: (args) => { interpret(ir, Object.fromEntries(Object.entries(args).map(([name, x]) => [name, typeof x === 'number' ? x : arrayOf(x)]))); },
  };
}

/** A tensor's memory as the interpreter sees it. */
function arrayOf(t: Tensor): TensorArg {
  const buffer = (t.storage.buffer ?? t.storage.memory?.view() ?? new ArrayBuffer(0)) as ArrayBuffer, size = bytesOf(t.dtype);
  const make = t.dtype === 'f32' ? Float32Array : Float64Array;
  return { data: new make(buffer, 0, Math.floor(buffer.byteLength / size)), shape: t.shape, strides: t.strides, offset: t.byteOffset / size };
}
