import type { Instruction } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import type { Schedule } from '../schedule/index.ts';
import type { Target } from '../targets/index.ts';
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
  const packB = s.stage(names.B, pc, 'pack'), packA = s.stage(names.A, ic, 'pack');
  s.stage(names.C, jr, 'reg', { partial: true });
  s.unroll(i);
  s.unroll(j);
  s.tensorize(by.instruction, l, q);
  // A group of rows of B is interleaved in registers, a group of A is one word.
  s.unroll(packB['q']!);
  s.vectorize(packB['l']!);
  s.vectorize(packA['q']!);
  s.parallel(packB['jr']!);
  s.parallel(ic);
}

/**
 * Block sizes for 32-bit sums over groups: the register tile of gemm (6 x 4 vectors of 32 registers, 4 x 2 of 16), 512 groups of k at a time, so that
 * panels have the bytes of those of 32-bit floats.
 */
export function groupBlocks(t: Target, group: number): GotoBlocks {
  const wide = t.vectorRegisters >= 32, lanes = t.vecBytes / 4;
  const kc = (wide ? 512 : 256) * group;
  return { mr: wide ? 6 : 4, nr: (wide ? 4 : 2) * lanes, mc: 24, kc, nc: (4 << 20) / kc };
}
