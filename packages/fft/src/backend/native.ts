import { readFileSync } from 'node:fs';
import { target } from '@quern/kernel-dsl';
import { allocate, bindKernel, fromMemory, loadLibrary, ProviderLoadError, program, tensor } from '@quern/runtime';
import type { Kernel, KernelLibrary, KernelMeta, Memory, ScalarArg, TensorArg } from '@quern/runtime';
import { kernelIds, kernelName } from '../kernels/index.ts';
import type { KernelId } from '../kernels/index.ts';
import type { Launch, View } from '../plan/index.ts';
import type { Arrays, Backend, Own, Prepared, Scratch } from './backend.ts';

const ROOT = new URL('../../', import.meta.url);

interface Manifest { readonly hash: string; readonly kernels: readonly (KernelMeta & { readonly isa: string })[] }
interface Library { readonly library: KernelLibrary; readonly manifest: Manifest }

let loaded: Library | undefined;
/** The compiled kernels and their descriptions. @throws ProviderLoadError */
function load(): Library {
  if (loaded) return loaded;
  let manifest: Manifest;
  const path = new URL('native/gen/manifest.json', ROOT);
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  } catch (cause) {
    throw new ProviderLoadError('the kernels of @quern/fft have not been generated', [{ candidate: path.pathname, verdict: 'unavailable', code: 'not-found', detail: 'cannot be read' }],
      { cause, fix: 'build them: `npm run build`' });
  }
  return (loaded = { manifest, library: loadLibrary({ name: 'quern_fft', root: ROOT, hash: manifest.hash }) });
}

/**
 * The compiled kernels, for the best instruction set of this CPU or for the one named.
 *
 * @throws ProviderLoadError when there is no library, or none of its code runs here.
 */
export function nativeBackend(wanted?: string): Backend {
  const { library, manifest } = load(), kernels = new Map<string, Kernel>();
  const isa = library.kernel(kernelName(kernelIds()[0]!), wanted).entry.isa;
  const kernel = (id: KernelId): Kernel => {
    const name = kernelName(id);
    let k = kernels.get(name);
    if (!k) {
      const meta = manifest.kernels.find((m) => m.name === name && m.isa === isa);
      if (!meta) throw new ProviderLoadError(`there is no kernel ${name} for ${isa}`, [], { fix: 'rebuild the kernels: `npm run build`' });
      k = bindKernel(meta, library.kernel(name, isa));
      kernels.set(name, k);
    }
    return k;
  };
  return {
    name: 'native', isa, vecBytes: target(isa).vecBytes,
    allocate: (dtype, length) => {
      const memory = allocate(length * (dtype === 'f32' ? 4 : 8)), view = memory.view();
      const s: NativeScratch = { memory, data: dtype === 'f32' ? new Float32Array(view) : new Float64Array(view), dispose: () => memory.dispose() };
      return s;
    },
    prepare: (launches, own, arrays, threads) => prepared(kernel, launches, own, arrays, threads),
  };
}

interface NativeScratch extends Scratch { readonly memory: Memory }

function prepared(kernel: (id: KernelId) => Kernel, launches: readonly Launch[], own: Own, first: Arrays, threads: number | undefined): Prepared {
  const argument = (v: View, arrays: Arrays, dtype: 'f32' | 'f64'): TensorArg => {
    if (v.place === 'in' || v.place === 'out') return tensor(arrays[v.place], v.shape, { strides: v.strides, offset: v.offset });
    const { memory } = own[v.place] as NativeScratch;
    return fromMemory(memory, dtype, v.shape, { strides: v.strides, byteOffset: v.offset * (dtype === 'f32' ? 4 : 8) });
  };
  const args = (l: Launch, arrays: Arrays, which: (v: View) => boolean): Record<string, TensorArg | ScalarArg> => {
    const out: Record<string, TensorArg | ScalarArg> = {};
    for (const [name, v] of Object.entries(l.views)) if (which(v)) out[name] = argument(v, arrays, l.kernel.dtype);
    return out;
  };
  const p = program(launches.map((l) => {
    const count = l.alone ? 1 : threads;
    return { kernel: kernel(l.kernel), args: { ...args(l, first, () => true), ...(l.scale === undefined ? {} : { scale: l.scale }) }, ...(count === undefined ? {} : { threads: count }) };
  }));
  let bound = first;
  return {
    run(arrays) {
      const changed = { in: arrays.in !== bound.in, out: arrays.out !== bound.out };
      if (changed.in || changed.out) {
        const moved = (v: View): boolean => (v.place === 'in' && changed.in) || (v.place === 'out' && changed.out);
        for (const [i, l] of launches.entries()) if (Object.values(l.views).some(moved)) p.bind(i, args(l, arrays, moved));
        bound = arrays;
      }
      p.run();
    },
    dispose: () => p.dispose(),
  };
}
