import { emitKernelC, emitLibraryIndexC } from '@quern/kernel-dsl/c';
import type { KernelIR, Target } from '@quern/kernel-dsl';
import { AssumptionError, bindKernel, compileLibrary, tensor } from '@quern/runtime';
import type { Kernel, KernelArgs } from '@quern/runtime';
import type { Trial } from '../cases/index.ts';
import { TRESPASS, guardC, guardedName } from './guard.ts';
import type { Side } from './guard.ts';

/** A touch of memory that no operand owns. `beside`: a write on the operand's own page, found afterwards; else a page that may not be touched at all. */
export interface Trespass { readonly param: string; readonly where: 'before' | 'after'; readonly beside: boolean }

/** A compiled kernel behind guards. */
export interface Guarded {
  /** Runs it on a trial's arrays, in place; tells of the first touch outside. @throws AssumptionError when the kernel refuses */
  run(trial: Trial, side: Side, threads: number): Trespass | undefined;
  close(): void;
}

/** Compiles a lowered kernel's C for a target and puts guards around its operands. @throws KernelCompileError */
export function buildGuarded(k: KernelIR, t: Target, text: string): Guarded {
  const { meta } = emitKernelC(k, t), sides: readonly Side[] = ['start', 'end'], guard = process.platform !== 'win32';
  const name = (side: Side): string => (guard ? guardedName(k.name, side) : k.name);
  const index = emitLibraryIndexC([k.name, ...(guard ? sides.map(name) : [])].map((n) => ({ name: n, isa: t.isa, meta })), 'conformance');
  const { library } = compileLibrary(
    [{ path: 'kernel.c', text }, ...(guard ? [{ path: 'guard.c', text: guardC(k, t) }] : []), { path: 'index.c', text: index }],
    { name: `conform-${k.name}`, isa: t.isa, flags: t.cflags },
  );
  const bound = new Map<Side, Kernel>(sides.map((s) => [s, bindKernel({ ...meta, name: name(s) }, library.kernel(name(s), t.isa))]));
  const dtypes = new Map(k.params.flatMap((p) => (p.kind === 'tensor' ? [[p.name, p.buf.dtype] as const] : [])));
  const tensors = [...dtypes.keys()];
  const whole = new Set(k.params.flatMap((p) => (p.kind === 'scalar' && p.dtype === 'bool' ? [p.name] : [])));
  return {
    run(trial, side, threads) {
      const args: KernelArgs = Object.fromEntries(k.params.map((p) => {
        const a = trial.args[p.name]!;
        if (typeof a === 'number') return [p.name, whole.has(p.name) ? a !== 0 : a];
        return [p.name, tensor(a.data as NodeJS.TypedArray, a.shape, { dtype: dtypes.get(p.name)!, strides: a.strides ?? [], offset: a.offset ?? 0 })];
      }));
      try {
        bound.get(side)!.run(args, { threads, sizes: trial.loose });
        return undefined;
      } catch (e) {
        if (!(e instanceof AssumptionError) || e.assumption < TRESPASS) throw e;
        const code = e.assumption - TRESPASS, param = tensors[code >> 2];
        if (param === undefined) throw new Error('there is no memory for guard pages', { cause: e });
        return { param, where: code & 2 ? 'after' : 'before', beside: (code & 1) === 1 };
      }
    },
    close: () => library.close(),
  };
}
