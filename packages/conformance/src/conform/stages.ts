import { ir, lower, printKernel, schedule } from '@quern/kernel-dsl';
import { emitFileC } from '@quern/kernel-dsl/c';
import type { Axes, Kernel, KernelIR, Schedule, Step, Target } from '@quern/kernel-dsl';
import { buildGuarded } from '../native/index.ts';
import type { Guarded } from '../native/index.ts';
import { Fault } from './error.ts';
import type { Backend, ConformOptions, Subject } from './options.ts';

/** What became of a kernel for one target, on its way to machine code. */
export interface Programs {
  readonly target: Target;
  readonly scheduled: KernelIR;
  readonly lowered: KernelIR;
  /** Texts of the two programs: targets with equal ones share a run on the interpreter. */
  readonly texts: { readonly scheduled: string; readonly lowered: string };
  readonly steps: readonly Step[];
  /** Must the scheduled program give the algorithm's bits? */
  readonly scheduledExact: boolean;
  /** Must the lowered program give the scheduled one's bits? */
  readonly loweredExact: boolean;
  /** Do all of its instructions give the bits of their meaning? */
  readonly exactInstructions: boolean;
}

/** Programs with the C that they became. */
export interface Stages extends Programs {
  /** Must the C give the lowered program's bits? Only a function of the C library may stand in the way. */
  readonly nativeExact: boolean;
  readonly native: Guarded | undefined;
}

const LIBM: readonly ir.UnaryFn[] = ['exp', 'exp2', 'log', 'log2', 'sin', 'cos', 'tanh', 'erf'];
function some(k: KernelIR, p: (e: ir.Expr) => boolean): boolean {
  let found = false;
  ir.visitExprs(k.body, (e) => { found ||= p(e); });
  return found;
}
const fused = (k: KernelIR): boolean => some(k, (e) => e.kind === 'fma');
const calls = (k: KernelIR): boolean => some(k, (e) => (e.kind === 'unary' && LIBM.includes(e.fn)) || (e.kind === 'binary' && e.fn === 'pow'));

function inexact(k: KernelIR): boolean {
  let found = false;
  ir.visitStmt(k.body, (s) => { found ||= s.kind === 'instr' && !s.def.exact; });
  return found;
}

const isSubject = <A extends Axes>(k: Kernel<A> | Subject): k is Subject => 'schedule' in k;

/** Schedules and lowers a kernel for a target. @throws DslError from the schedule */
export function programsFor<A extends Axes>(k: Kernel<A> | Subject, t: Target, author: ((s: Schedule, ax: A) => void) | undefined, other?: ConformOptions['lower']): Programs {
  const s = isSubject(k) ? k.schedule(t) : schedule(k, t, (x, ax) => author?.(x, ax)), lowered = (other ?? lower)(s.ir, t);
  return {
    target: t, scheduled: s.ir, lowered, steps: s.steps, texts: { scheduled: printKernel(s.ir), lowered: printKernel(lowered) },
    scheduledExact: !s.reassociates,
    loweredExact: !(fused(lowered) && t.fma) && !calls(s.ir),
    exactInstructions: !inexact(s.ir),
  };
}

/** Schedules, lowers and compiles a kernel for a target. @throws Fault when the C compiler refuses; DslError from the schedule */
export function stagesFor<A extends Axes>(k: Kernel<A> | Subject, t: Target, o: ConformOptions<A>, backends: ReadonlySet<Backend>): Stages {
  const p = programsFor(k, t, o.cpu, o.lower), emit = o.emit ?? ((x, y) => emitFileC([x], y));
  let native: Guarded | undefined;
  try {
    native = backends.has('c') ? buildGuarded(p.lowered, t, emit(p.lowered, t)) : undefined;
  } catch (e) {
    throw new Fault({ backend: 'c', isa: t.isa, what: `it does not compile: ${(e as Error).message}` }, { cause: e });
  }
  return { ...p, native, nativeExact: !calls(p.lowered) };
}
