/** Lowering: the passes that turn a scheduled kernel into one that an emitter prints line by line, in the order in which they run. */
import { mapStmt } from '../ir/index.ts';
import type { KernelIR } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { fma } from './fma.ts';
import { instructions } from './instructions.ts';
import { mathlib } from './mathlib.ts';
import type { Pass } from './pass.ts';
import { registers } from './registers.ts';
import { share } from './share.ts';
import { simplify } from './simplify.ts';
import { strided } from './strided.ts';
import { unroll } from './unroll.ts';
import { vectorize } from './vectorize.ts';
import { workgroups } from './workgroups.ts';

export type { Pass } from './pass.ts';
export { fma, instructions, mathlib, registers, share, simplify, strided, unroll, vectorize, workgroups };
export { MAX_ULP } from './math/index.ts';
export type { MathFn } from './math/index.ts';
export { simplifyExpr } from './affine.ts';
export type { Facts } from './affine.ts';

/** The pipeline. */
export const PASSES: readonly Pass[] = [
  { name: 'instructions', run: instructions },
  { name: 'workgroups', run: workgroups },
  { name: 'tidy', run: simplify },
  { name: 'unroll', run: unroll },
  { name: 'fold', run: simplify },
  { name: 'vectorize', run: vectorize },
  { name: 'mathlib', run: mathlib },
  { name: 'fma', run: fma },
  { name: 'simplify', run: simplify },
  { name: 'strided', run: strided },
  { name: 'share', run: share },
  { name: 'registers', run: registers },
];

/** Settings of {@link lower}. */
export interface LowerOptions {
  /** Sees the kernel after each pass. */
  readonly dump?: (pass: string, k: KernelIR) => void;
  /** Keep `print`: kernels that ship carry none. */
  readonly print?: boolean;
}

/**
 * Lowers a scheduled kernel for one target: no unrolled or vector loop is left, every register has a name, vectors have the target's width.
 * @throws DslError KD-L-…: what cannot be lowered, with the author's line, the schedule step and a fix.
 * @example lower(kernel, target('x86-64-v3'), { dump: (pass, k) => console.log(`-- ${pass}\n${printKernel(k)}`) })
 */
export function lower(k: KernelIR, target: Target, o: LowerOptions = {}): KernelIR {
  const first = o.print ? k : { ...k, body: mapStmt(k.body, (s) => (s.kind === 'print' ? null : s)) ?? { kind: 'block', body: [] } } satisfies KernelIR;
  return PASSES.reduce((before, pass) => {
    const after = pass.run(before, target);
    o.dump?.(pass.name, after);
    return after;
  }, first);
}
