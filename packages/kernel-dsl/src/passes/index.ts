/** Lowering: the passes that turn a scheduled kernel into one that an emitter prints line by line, in the order in which they run. */
import { mapStmt } from '../ir/index.ts';
import type { KernelIR } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { ahead } from './ahead.ts';
import { fma } from './fma.ts';
import { instructions } from './instructions.ts';
import { launches } from './launches.ts';
import { legal } from './legal.ts';
import { mathlib } from './mathlib.ts';
import type { Pass } from './pass.ts';
import { registers } from './registers.ts';
import { scalarize } from './scalarize.ts';
import { share } from './share.ts';
import { simplify } from './simplify.ts';
import { strided } from './strided.ts';
import { teams } from './teams.ts';
import { together } from './together.ts';
import { unroll } from './unroll.ts';
import { vectorize } from './vectorize.ts';
import { warps } from './warps.ts';
import { workgroups } from './workgroups.ts';

export type { Pass } from './pass.ts';
export { ahead, fma, instructions, launches, legal, mathlib, registers, scalarize, share, simplify, strided, teams, together, unroll, vectorize, warps, workgroups };
export { holds, isGrid, isLanes, onHost } from './grid.ts';
export { MAX_ULP } from './math/index.ts';
export type { MathFn } from './math/index.ts';
export { simplifyExpr } from './affine.ts';
export type { Facts } from './affine.ts';

/** The pipeline for CPUs. */
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

/** The pipeline for GPUs: vectors are accesses of up to 16 bytes, everything else is scalar. */
export const GPU_PASSES: readonly Pass[] = [
  { name: 'teams', run: teams },
  { name: 'warps', run: warps },
  { name: 'instructions', run: instructions },
  { name: 'launches', run: launches },
  { name: 'tidy', run: simplify },
  { name: 'unroll', run: unroll },
  { name: 'fold', run: simplify },
  { name: 'vectorize', run: vectorize },
  { name: 'ahead', run: ahead },
  { name: 'together', run: together },
  { name: 'multiply-add', run: fma },
  { name: 'strided', run: strided },
  { name: 'scalarize', run: scalarize },
  { name: 'mathlib', run: mathlib },
  { name: 'fma', run: fma },
  { name: 'simplify', run: simplify },
  { name: 'share', run: share },
  { name: 'registers', run: registers },
  { name: 'legal', run: legal },
];

/** Settings of {@link lower}. */
export interface LowerOptions {
  /** Sees the kernel after each pass. */
  readonly dump?: (pass: string, k: KernelIR) => void;
  /** Keep `print`: kernels that ship carry none. */
  readonly print?: boolean;
}

/**
 * Lowers a scheduled kernel for one target: no unrolled or vector loop is left, every register has a name, vectors have the target's width; for a GPU,
 * values are scalars.
 * @throws DslError KD-L-…: what cannot be lowered, with the author's line, the schedule step and a fix.
 * @example lower(kernel, target('x86-64-v3'), { dump: (pass, k) => console.log(`-- ${pass}\n${printKernel(k)}`) })
 */
export function lower(k: KernelIR, target: Target, o: LowerOptions = {}): KernelIR {
  const first = o.print ? k : { ...k, body: mapStmt(k.body, (s) => (s.kind === 'print' ? null : s)) ?? { kind: 'block', body: [] } } satisfies KernelIR;
  return (target.gpu ? GPU_PASSES : PASSES).reduce((before, pass) => {
    const after = pass.run(before, target);
    o.dump?.(pass.name, after);
    return after;
  }, first);
}
