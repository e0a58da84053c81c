import type { Axis } from '../lang/index.ts';
import type { Schedule } from '../schedule/index.ts';

/** Block sizes of a Goto GEMM: the register tile (mr x nr), the rows that a thread packs at a time, and the packed block of B. */
export interface GotoBlocks { readonly mr: number; readonly nr: number; readonly mc: number; readonly kc: number; readonly nc: number }

/**
 * The five loops of Goto and van de Geijn (2008) around an mr x nr register tile, for C[i,j] += A[i,k] * B[k,j]:
 * B is packed once for all threads (kc x nc), A by each thread (mc x kc), rows of C are handed out to the threads in blocks of mc.
 * Of the two innermost loops the one over B runs inside: a micro-panel of A (kc x mr) stays in L1 while those of B stream by, and C is
 * walked along its rows, which a processor fetches ahead. (Goto keeps the panel of B, for tiles that are taller than wide.)
 * K is never split between threads, so results do not depend on their number.
 * `partial`: a tile of C is not read before its sum is complete. Then the processor need not wait for C; the order of the sum changes.
 */
export function goto(s: Schedule, ax: { readonly i: Axis; readonly j: Axis; readonly k: Axis }, names: { readonly A: string; readonly B: string; readonly C: string }, b: GotoBlocks, o: { readonly partial?: boolean } = {}): void {
  const [jc, j1] = s.split(ax.j, b.nc, { names: ['jc', 'j1'] });
  const [pc, p] = s.split(ax.k, b.kc, { names: ['pc', 'p'] });
  const [ic, i1] = s.split(ax.i, b.mc, { names: ['ic', 'i1'] });
  const [jr, j] = s.split(j1, b.nr, { tail: 'pad', names: ['jr', 'j'] });
  const [ir, i] = s.split(i1, b.mr, { tail: 'pad', names: ['ir', 'i'] });
  s.reorder(jc, pc, ic, ir, jr, p, i, j);
  const packB = s.stage(names.B, pc, 'pack', { panel: j, fold: true });
  const packA = s.stage(names.A, ic, 'pack', { panel: i, fold: true });
  s.stage(names.C, jr, 'reg', { partial: o.partial });
  s.unroll(i);
  s.vectorize(j);
  s.vectorize(packB['j']!);
  s.unroll(packA['i']!);
  s.parallel(packB['jr']!);
  s.parallel(ic);
}
