import type { Instruction } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import type { Schedule } from '../schedule/index.ts';
import type { GotoBlocks } from './goto.ts';

/** An instruction that multiplies groups of `group` neighbours along k, in `lanes` lanes along j. */
export interface GroupInstruction { readonly instruction: Instruction; readonly lanes: number; readonly group: number }

/**
 * Goto's loops for instructions that add up several products at once, such as VNNI's four: C[i,j] += A[i,k] * B[k,j] with k in groups. Packed panels
 * hold the groups side by side, so that a word of A meets a vector of B; what is missing at the ends of i, j and k is zero in the panels.
 * `kc` is a multiple of the group and `nr` of the lanes. The operands of the product keep their small types until the instruction.
 */
export function gotoGroups(s: Schedule, ax: { readonly i: Axis; readonly j: Axis; readonly k: Axis }, names: { readonly A: string; readonly B: string; readonly C: string }, b: GotoBlocks, by: GroupInstruction): void {
  const [jc, j1] = s.split(ax.j, b.nc, { names: ['jc', 'j1'] });
  const [pc, p1] = s.split(ax.k, b.kc, { names: ['pc', 'p1'] });
  const [ic, i1] = s.split(ax.i, b.mc, { names: ['ic', 'i1'] });
  const [p, q] = s.split(p1, by.group, { tail: 'pad', names: ['p', 'q'] });
  const [jr, j2] = s.split(j1, b.nr, { tail: 'pad', names: ['jr', 'j2'] });
  const [j, l] = s.split(j2, by.lanes, { names: ['j', 'l'] });
  const [ir, i] = s.split(i1, b.mr, { tail: 'pad', names: ['ir', 'i'] });
  s.reorder(jc, pc, ic, ir, jr, p, i, j, l, q);
  const packB = s.stage(names.B, pc, 'pack');
  s.stage(names.A, ic, 'pack');
  s.stage(names.C, jr, 'reg', { partial: true });
  s.unroll(i);
  s.unroll(j);
  s.tensorize(by.instruction, l, q);
  s.parallel(packB['jr']!);
  s.parallel(ic);
}
