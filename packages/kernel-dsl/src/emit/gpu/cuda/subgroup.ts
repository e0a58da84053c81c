import type { DType } from '../../../ir/index.ts';
import { bytesOf } from '../../../ir/index.ts';
import { helper, typeOf } from '../family/index.ts';
import type { Helper, SubgroupDialect } from '../family/index.ts';

/** The lanes of a warp that make up this lane's subgroup, one bit each. */
const maskHelper = (width: number): Helper =>
  helper(`subgroup_mask_${width}`, `u32 subgroup_mask_${width}()`, ['u32 lane;', 'asm("mov.u32 %0, %%laneid;" : "=r"(lane));', `return 0x${(2 ** width - 1).toString(16)}u << (lane & ~${width - 1}u);`]);
const mask = (width: number): string => (width === 32 ? '0xffffffffu' : `subgroup_mask_${width}()`);
const uses = (width: number): readonly Helper[] => (width === 32 ? [] : [maskHelper(width)]);

/** The value of another lane of the subgroup; types of less than 32 bits travel as int. */
function shuffle(t: DType, width: number, how: 'index' | 'xor' | 'down'): Helper {
  const T = typeOf(t), fn = { index: '__shfl_sync', xor: '__shfl_xor_sync', down: '__shfl_down_sync' }[how], name = `shuffle_${how}_${t}_${width}`;
  const call = (x: string): string => `${fn}(${mask(width)}, ${x}, lane${width === 32 ? '' : `, ${width}`})`;
  return helper(name, `${T} ${name}(${T} x, int lane)`, `return ${bytesOf(t) < 4 ? `(${T})${call('(int)x')}` : call('x')};`, uses(width));
}

/** One bit for each lane of the subgroup. */
function ballot(width: number): Helper {
  const name = `ballot_${width}`;
  if (width === 32) return helper(name, `u32 ${name}(int x)`, 'return __ballot_sync(0xffffffffu, x);');
  return helper(name, `u32 ${name}(int x)`, [`const u32 mask = ${mask(width)};`, 'return (__ballot_sync(mask, x) & mask) >> (__ffs((int)mask) - 1);'], uses(width));
}

/** Subgroups of CUDA are runs of lanes of a warp. */
export const cudaSubgroup: SubgroupDialect = {
  kind: 'shuffle', helper: shuffle, ballot, barrier: (width) => ({ text: width === 32 ? '__syncwarp();' : `__syncwarp(${mask(width)});`, uses: uses(width) }),
};
