import type { DType } from '../../../ir/index.ts';
import { bytesOf } from '../../../ir/index.ts';
import type { Target } from '../../../targets/index.ts';
import { helper, typeOf } from '../family/index.ts';
import type { Helper, SubgroupDialect } from '../family/index.ts';

type Move = 'index' | 'xor' | 'down';

/** A value of another lane by the functions of cl_khr_subgroup_shuffle, on devices whose subgroups have 32 lanes. */
function byExtension(t: DType, width: number, how: Move): Helper {
  const T = typeOf(t), name = `shuffle_${how}_${t}_${width}`, id = 'get_sub_group_local_id()';
  const from = how === 'down' ? `(${id} + (uint)lane) & 31u` : width === 32 ? '(uint)lane' : `(${id} & ~${width - 1}u) + (uint)lane`;
  return helper(name, `${T} ${name}(${T} x, int lane)`, how === 'xor' ? 'return sub_group_shuffle_xor(x, (uint)lane);' : `return sub_group_shuffle(x, ${from});`);
}
function ballotByExtension(width: number): Helper {
  const name = `ballot_${width}`;
  return helper(name, `u32 ${name}(int x)`, width === 32 ? 'return sub_group_ballot(x).x;' : `return sub_group_ballot(x).x >> (get_sub_group_local_id() & ~${width - 1}u) & 0x${(2 ** width - 1).toString(16)}u;`);
}

/** The lanes of this one's subgroup within its warp. */
const maskHelper = (width: number): Helper =>
  helper(`subgroup_mask_${width}`, `u32 subgroup_mask_${width}(void)`, ['u32 lane;', '__asm__ volatile("mov.u32 %0, %%laneid;" : "=r"(lane));', `return 0x${(2 ** width - 1).toString(16)}u << (lane & ~${width - 1}u);`]);
const maskOf = (width: number): string => (width === 32 ? '0xffffffffu' : `subgroup_mask_${width}()`);
const uses = (width: number): readonly Helper[] => (width === 32 ? [] : [maskHelper(width)]);

/** The same by the instruction of NVIDIA's GPUs, in words of 32 bits. */
function byPtx(t: DType, width: number, how: Move): Helper {
  const T = typeOf(t), name = `shuffle_${how}_${t}_${width}`, bytes = bytesOf(t), mode = { index: 'idx', xor: 'bfly', down: 'down' }[how], limit = ((32 - width) * 256 + 31).toString();
  const move = (to: string, from: string): string => `__asm__ volatile("shfl.sync.${mode}.b32 %0, %1, %2, %3, %4;" : "=r"(${to}) : "r"(${from}), "r"(lane), "r"(${limit}), "r"(mask));`;
  const wide = bytes === 8, word = t === 'f32' ? 'as_uint(x)' : '(u32)x';
  return helper(name, `${T} ${name}(${T} x, int lane)`, [
    `const u32 mask = ${maskOf(width)};`,
    ...(wide ? ['uint2 w = as_uint2(x), y;', move('y.x', 'w.x'), move('y.y', 'w.y'), `return as_${t === 'f64' ? 'double' : 'long'}(y);`] : [`u32 w = ${word}, y;`, move('y', 'w'), `return ${t === 'f32' ? 'as_float(y)' : `(${T})y`};`]),
  ], uses(width));
}
function ballotByPtx(width: number): Helper {
  const name = `ballot_${width}`;
  const shift = width === 32 ? '' : ' >> (31 - clz(mask & (0u - mask)))';
  return helper(name, `u32 ${name}(int x)`, [`const u32 mask = ${maskOf(width)};`, 'u32 y;', '__asm__ volatile("{ .reg .pred p; setp.ne.s32 p, %1, 0; vote.sync.ballot.b32 %0, p, %2; }" : "=r"(y) : "r"(x), "r"(mask));', `return (y & mask)${shift};`], uses(width));
}

/** How lanes exchange values on an OpenCL device: by PTX on NVIDIA's, by an extension, or by way of shared memory. */
export function openclSubgroup(t: Target): SubgroupDialect {
  if (t.features.includes('ptx')) return { kind: 'shuffle', helper: byPtx, ballot: ballotByPtx, barrier: (width) => ({ text: `subgroup_barrier_${width}();`, uses: [barrierByPtx(width)] }) };
  if (t.features.includes('subgroups')) return { kind: 'shuffle', helper: byExtension, ballot: ballotByExtension, barrier: () => ({ text: 'sub_group_barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);', uses: [] }) };
  return { kind: 'memory' };
}
const barrierByPtx = (width: number): Helper => helper(`subgroup_barrier_${width}`, `void subgroup_barrier_${width}(void)`, [`const u32 mask = ${maskOf(width)};`, '__asm__ volatile("bar.warp.sync %0;" : : "r"(mask) : "memory");'], uses(width));
