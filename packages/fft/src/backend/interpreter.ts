import { interpret, target } from '@quern/kernel-dsl';
import type { InterpretArg, KernelIR } from '@quern/kernel-dsl';
import { algorithm, kernelName } from '../kernels/index.ts';
import type { Launch } from '../plan/index.ts';
import type { Backend } from './backend.ts';

/** Runs the kernels' definitions in JavaScript: everywhere, and hundreds of times slower. `isa` says which vector length they are built for. */
export function interpreterBackend(isa = 'x86-64'): Backend {
  const { vecBytes } = target(isa), kernels = new Map<string, KernelIR>();
  const kernel = (l: Launch): KernelIR => {
    const name = kernelName(l.kernel), k = kernels.get(name) ?? algorithm(l.kernel, { vecBytes }).ir;
    kernels.set(name, k);
    return k;
  };
  return {
    name: 'interpreter', isa, vecBytes,
    allocate: (dtype, length) => ({ data: dtype === 'f32' ? new Float32Array(length) : new Float64Array(length), dispose: () => undefined }),
    prepare: (launches, own) => ({
      run(arrays) {
        const data = { in: arrays.in, out: arrays.out, a: own.a.data, b: own.b.data, tw: own.tw.data };
        for (const l of launches) {
          const args: Record<string, InterpretArg> = { ...l.scalars };
          for (const [name, v] of Object.entries(l.views)) args[name] = { data: data[v.place], shape: v.shape, strides: v.strides, offset: v.offset };
          interpret(kernel(l), args);
        }
      },
      dispose: () => undefined,
    }),
  };
}
