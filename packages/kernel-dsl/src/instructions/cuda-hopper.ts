import { isConst } from '../ir/index.ts';
import type { Buffer, DType, DeviceFunction, Instruction } from '../ir/index.ts';
import { axes, kernel, tensor } from '../lang/index.ts';
import type { Val } from '../lang/index.ts';
import { instr } from './instr.ts';

const asm = (text: string, out: string, inputs: string, clobber = ''): string => `asm volatile("${text}" : ${out} : ${inputs}${clobber ? ` : ${clobber}` : ''});`;
const MEMORY = '"memory"';

/** The address of shared memory as instructions take it. */
const shared = (p: string): string => `(u32)__cvta_generic_to_shared(${p})`;

/** Functions for barriers in shared memory: lanes and copies arrive, lanes wait. Each barrier is 8 bytes; `parity` counts its rounds, modulo 2. */
export const MBARRIER: Readonly<Record<'init' | 'initDone' | 'expect' | 'arrive' | 'arriveAt' | 'wait', DeviceFunction>> = {
  init: { name: 'mbarrier_init', signature: 'void mbarrier_init(i64 *bar, int count)', body: [asm('mbarrier.init.shared::cta.b64 [%0], %1;', '', `"r"(${shared('bar')}), "r"(count)`)] },
  initDone: { name: 'mbarrier_init_done', signature: 'void mbarrier_init_done()', body: ['asm volatile("fence.mbarrier_init.release.cluster;");', 'asm volatile("fence.proxy.async;" ::: "memory");'] },
  expect: { name: 'mbarrier_expect', signature: 'void mbarrier_expect(i64 *bar, int bytes)', body: [asm('mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;', '', `"r"(${shared('bar')}), "r"(bytes)`, MEMORY)] },
  arrive: { name: 'mbarrier_arrive', signature: 'void mbarrier_arrive(i64 *bar)', body: [asm('mbarrier.arrive.shared::cta.b64 _, [%0];', '', `"r"(${shared('bar')})`, MEMORY)] },
  // At the barrier in the same place of another workgroup of the cluster. It tells that reads are over, which lanes have waited for: a release for the whole cluster would
  // wait for all that was written besides, in each round.
  arriveAt: {
    name: 'mbarrier_arrive_at', signature: 'void mbarrier_arrive_at(i64 *bar, int workgroup)',
    body: ['u32 there;', asm('mapa.shared::cluster.u32 %0, %1, %2;', '"=r"(there)', `"r"(${shared('bar')}), "r"(workgroup)`), asm('mbarrier.arrive.shared::cluster.b64 _, [%0];', '', '"r"(there)', MEMORY)],
  },
  wait: {
    name: 'mbarrier_wait', signature: 'void mbarrier_wait(i64 *bar, int parity)',
    body: [
      'asm volatile("{\\n.reg .pred done;\\nagain_%=:\\n"',
      '  "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\\n@!done bra again_%=;\\n}"',
      `  : : "r"(${shared('bar')}), "r"(parity) : "memory");`,
    ],
  },
};

/**
 * Copies a tile from a tensor of so many dimensions (2 to 5) to shared memory; arrives at the barrier with its bytes. Coordinates innermost first. `all`: to the
 * same place of each of so many workgroups of a cluster, and each one's barrier.
 */
export function BULK(rank: number, all = 1): DeviceFunction {
  const at = ['x', 'y', 'z', 'u', 'v'].slice(0, rank), name = `copy_tile${rank === 2 ? '' : `_${rank}d`}${all > 1 ? `_to_${all}` : ''}`;
  return {
    name, signature: `void ${name}(void *to, const tensor_map *map, i64 *bar, ${at.map((c) => `int ${c}`).join(', ')})`,
    body: [asm(`cp.async.bulk.tensor.${rank}d.shared::cluster.global.mbarrier::complete_tx::bytes${all > 1 ? '.multicast::cluster' : ''} [%0], [%1, {${at.map((_, i) => `%${i + 3}`).join(', ')}}], [%2]${all > 1 ? `, %${rank + 3}` : ''};`, '', `"r"(${shared('to')}), "l"(map), "r"(${shared('bar')}), ${at.map((c) => `"r"(${c})`).join(', ')}${all > 1 ? `, "h"((u16)${2 ** all - 1})` : ''}`, MEMORY)],
  };
}

/** All lanes of a cluster meet. */
export const CLUSTER_BARRIER: DeviceFunction = { name: 'cluster_barrier', signature: 'void cluster_barrier()', body: ['asm volatile("barrier.cluster.arrive.release;\\nbarrier.cluster.wait.acquire;" ::: "memory");'] };

/** Launches that overlap: lets the next one start, and waits until the one before is done with memory. */
export const LAUNCHES: Readonly<Record<'next' | 'before', DeviceFunction>> = {
  next: { name: 'start_launch_after', signature: 'void start_launch_after()', body: ['asm volatile("griddepcontrol.launch_dependents;");'] },
  before: { name: 'wait_for_launch_before', signature: 'void wait_for_launch_before()', body: ['asm volatile("griddepcontrol.wait;" ::: "memory");'] },
};

/**
 * Says that registers hold values which the compiler does not know. Sums that begin at a constant otherwise become part of the products, which then
 * run one after the other (ptxas C7515).
 */
export function HOLD({ dtype, shape }: Buffer): DeviceFunction {
  const count = shape.reduce((n, e) => n * (isConst(e) ? e.value : 0), 1), [type, register] = dtype === 'f32' ? ['float', 'f'] : [dtype === 'u32' ? 'u32' : 'int', 'r'];
  return {
    name: `hold_${dtype}_${count}`, signature: `void hold_${dtype}_${count}(${type} (&c)[${count}])`,
    body: ['#pragma unroll', `for (int i = 0; i < ${count}; i++) asm volatile("" : "+${register}"(c[i]));`],
  };
}

/** Gives registers of a warpgroup up, or asks for more. */
export const REGISTERS = (n: number, more: boolean): DeviceFunction => ({ name: `registers_${more ? 'grow' : 'shrink'}_${n}`, signature: `void registers_${more ? 'grow' : 'shrink'}_${n}()`, body: [`asm volatile("setmaxnreg.${more ? 'inc' : 'dec'}.sync.aligned.u32 ${n};");`] });

/** Orders the products of a warpgroup with its registers, closes a group of them, and waits for all groups but the last `n`. */
export const WGMMA: Readonly<Record<'fence' | 'commit' | 'wait0' | 'wait1', DeviceFunction>> = {
  fence: { name: 'wgmma_fence', signature: 'void wgmma_fence()', body: ['asm volatile("wgmma.fence.sync.aligned;" ::: "memory");'] },
  commit: { name: 'wgmma_commit', signature: 'void wgmma_commit()', body: ['asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");'] },
  wait0: { name: 'wgmma_wait_0', signature: 'void wgmma_wait_0()', body: ['asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");'] },
  wait1: { name: 'wgmma_wait_1', signature: 'void wgmma_wait_1()', body: ['asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");'] },
};

/**
 * A float32 as matrix instructions of type tf32 read it: its lower 13 bits are zero (rounded toward zero to 11 significant bits, relative error below 2^-10).
 * A kernel that says so of its factors computes what such an instruction computes, on every target.
 */
export const tf32 = (x: Val<'f32'>): Val<'f32'> => x.bits('u32').and(0xffffe000).bits('f32');

/** `as`: what the tensors are called in the instruction's name, where that is not their dtype. `reads`: what the machine makes of an element of theirs. */
interface Form { readonly k: number; readonly in: DType; readonly as?: string; readonly reads?: (x: Val<'f32'>) => Val<'f32'>; readonly out: DType; readonly type: string; readonly ctype: 'float' | 'int' }

/** Products of a warpgroup: c += a bᵀ (without `more`, c = a bᵀ) with a [64][K] and b [N][K] in shared memory, rows of 128 bytes swizzled, c in registers. */
function wgmma(n: number, f: Form): Instruction {
  const name = `wgmma_m64n${n}k${f.k}_${f.as ?? f.in}`, reads = f.reads ?? ((x: Val<'f32'>): Val<'f32'> => x), count = n / 2, list = Array.from({ length: count }, (_, i) => `%${i}`).join(', '), con = f.ctype === 'float' ? '+f' : '+r';
  const scales = f.ctype === 'float' ? (f.in === 'f16' || f.in === 'bf16' ? ', p, 1, 1, 0, 0' : ', p, 1, 1') : ', p';
  const fn: DeviceFunction = {
    name, signature: `void ${name}(${f.ctype} (&c)[${count}], const void *a, const void *b, int more)`,
    body: [
      'const u64 swizzled = (u64)1 << 62 | (u64)64 << 32 | (u64)1 << 16;   // 128-byte rows, 8 of them 1024 bytes apart',
      `const u64 da = swizzled | (u64)(${shared('a')} >> 4 & 0x3fff), db = swizzled | (u64)(${shared('b')} >> 4 & 0x3fff);`,
      `asm volatile("{\\n.reg .pred p;\\nsetp.ne.b32 p, %${count + 2}, 0;\\n"`,
      `  "wgmma.mma_async.sync.aligned.m64n${n}k${f.k}.${f.type} {${list}}, %${count}, %${count + 1}${scales};\\n}"`,
      `  : ${Array.from({ length: count }, (_, i) => `"${con}"(c[${i}])`).join(', ')}`,
      '  : "l"(da), "l"(db), "r"(more));',
    ],
  };
  return instr({
    name, needs: ['wgmma'], operands: { a: 'pointer', b: 'pointer', c: 'fragment' }, exact: f.ctype === 'int',
    meaning: () => kernel(name, { a: tensor(f.in as 'bf16', 64, f.k), b: tensor(f.in as 'bf16', n, f.k), c: tensor(f.out as 'f32', 64, n).inout() }, ({ a, b, c }) => {
      const ax = axes({ i: 64, j: n, k: f.k });
      for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) c.at(i, j).addAssign(reads(a.at(i, k).to(f.out as 'f32')).mul(reads(b.at(j, k).to(f.out as 'f32'))));
      return ax;
    }),
    emit: { team: { team: 'warpgroup', fn, fragment: 'wgmma' } },
  });
}

const SIZES = [64, 80, 96, 112, 128, 144, 160, 176, 192, 256] as const;
const FORMS: readonly Form[] = [
  { k: 16, in: 'bf16', out: 'f32', type: 'f32.bf16.bf16', ctype: 'float' },
  { k: 16, in: 'f16', out: 'f32', type: 'f32.f16.f16', ctype: 'float' },
  { k: 8, in: 'f32', as: 'tf32', reads: tf32, out: 'f32', type: 'f32.tf32.tf32', ctype: 'float' },
  { k: 32, in: 'i8', out: 'i32', type: 's32.s8.s8', ctype: 'int' },
];

/** The warpgroup products of compute capability 9.0: `wgmma_m64n256k16_bf16`, `wgmma_m64n256k8_tf32`, `wgmma_m64n128k32_i8`, … */
export const WGMMAS: readonly Instruction[] = FORMS.flatMap((f) => SIZES.map((n) => wgmma(n, f)));
/** One of them by its name. @throws Error naming those that there are */
export function wgmmaNamed(name: string): Instruction {
  const found = WGMMAS.find((i) => i.name === name);
  if (!found) throw new Error(`no instruction ${name}: there are ${WGMMAS.map((i) => i.name).join(', ')}`);
  return found;
}
