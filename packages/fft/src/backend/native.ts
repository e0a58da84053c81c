import { target } from '@quern/kernel-dsl';
import { allocate, fromMemory, kernelPackage, program, tensor } from '@quern/runtime';
import type { Kernel, Memory, Program, ScalarArg, TensorArg } from '@quern/runtime';
import type { Real } from '@quern/kernel-dsl';
import { kernelIds, kernelName } from '../kernels/index.ts';
import type { KernelId } from '../kernels/index.ts';
import type { Launch, View } from '../plan/index.ts';
import type { Arrays, Backend, Own, Prepared, Reals, Scratch } from './backend.ts';

const library = kernelPackage('quern_fft', new URL('../../', import.meta.url));

/**
 * The compiled kernels, for the best instruction set of this CPU or for the one named.
 *
 * @throws ProviderLoadError when there is no library, or none of its code runs here.
 */
export function nativeBackend(wanted?: string): Backend {
  const { isa } = library.library().kernel(kernelName(kernelIds()[0]!), wanted).entry;
  return {
    name: 'native', isa, vecBytes: target(isa).vecBytes,
    allocate: allocateNative,
    prepare: (launches, own, threads) => prepared((id) => library.kernel(kernelName(id), isa), launches, own, threads),
  };
}

interface NativeScratch extends Scratch { readonly memory: Memory }

/** Numbers up to which it is cheaper to copy arrays to and from memory of our own than to bind a program to new arrays. */
const COPIED = 2 ** 17;

/**
 * Launches as programs of the runtime. Arrays that come again are bound and worked on directly. Others are bound at once when they are long; short
 * ones are copied, which is quicker. No more than two pairs of the caller's arrays are kept alive: those bound, and short ones that came last.
 */
function prepared(kernel: (id: KernelId) => Kernel, launches: readonly Launch[], own: Own, threads: number | undefined): Prepared {
  const place = (v: View, arrays: Places, dtype: Real): TensorArg => {
    const from = v.place === 'in' || v.place === 'out' ? arrays[v.place] : own[v.place] as NativeScratch;
    if (ArrayBuffer.isView(from)) return tensor(from, v.shape, { strides: v.strides, offset: v.offset });
    return fromMemory(from.memory, dtype, v.shape, { strides: v.strides, byteOffset: v.offset * bytesOf(dtype) });
  };
  const args = (l: Launch, arrays: Places, which: (v: View) => boolean): Record<string, TensorArg | ScalarArg> =>
    Object.fromEntries(Object.entries(l.views).filter(([, v]) => which(v)).map(([name, v]) => [name, place(v, arrays, l.kernel.dtype)]));
  const bind = (arrays: Places): Program => program(launches.map((l) => {
    const count = l.alone ? 1 : threads;
    return { kernel: kernel(l.kernel), args: { ...args(l, arrays, () => true), ...l.scalars }, ...(count === undefined ? {} : { threads: count }) };
  }));

  let direct: Program | undefined, bound: Arrays | undefined, before: Arrays | undefined;
  let copies: { readonly in: NativeScratch; readonly out: NativeScratch; readonly program: Program } | undefined;
  const rebind = (arrays: Arrays): void => {
    if (!direct || !bound) direct = bind(arrays);
    else {
      const old = bound, moved = (v: View): boolean => (v.place === 'in' && arrays.in !== old.in) || (v.place === 'out' && arrays.out !== old.out);
      for (const [i, l] of launches.entries()) if (Object.values(l.views).some(moved)) direct.bind(i, args(l, arrays, moved));
    }
    bound = arrays;
  };
  const same = (a: Arrays, b: Arrays | undefined): boolean => a.in === b?.in && a.out === b.out;
  return {
    run(arrays) {
      if (!same(arrays, bound) && (arrays.in.length > COPIED || same(arrays, before))) rebind(arrays);
      if (direct && same(arrays, bound)) return direct.run();
      before = arrays;
      if (!copies) {
        const dtype = arrays.in instanceof Float32Array ? 'f32' : 'f64', places = { in: allocateNative(dtype, arrays.in.length), out: allocateNative(dtype, arrays.out.length) };
        copies = { ...places, program: bind(places) };
      }
      copies.in.data.set(arrays.in);
      copies.program.run();
      arrays.out.set(copies.out.data);
    },
    dispose() {
      direct?.dispose();
      copies?.program.dispose();
      copies?.in.dispose();
      copies?.out.dispose();
    },
  };
}

/** Where the input and the output are: the caller's arrays or memory of our own. */
interface Places { readonly in: Reals | NativeScratch; readonly out: Reals | NativeScratch }

const bytesOf = (dtype: Real): number => (dtype === 'f32' ? 4 : 8);

function allocateNative(dtype: Real, length: number): NativeScratch {
  const memory = allocate(length * bytesOf(dtype)), view = memory.view();
  return { memory, data: dtype === 'f32' ? new Float32Array(view) : new Float64Array(view), dispose: () => memory.dispose() };
}
