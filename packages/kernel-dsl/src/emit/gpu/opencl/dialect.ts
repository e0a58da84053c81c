import { bytesOf } from '../../../ir/index.ts';
import type { DType } from '../../../ir/index.ts';
import { typedefs, vectorName } from '../family/index.ts';
import { openclSubgroup } from './subgroup.ts';
import type { Dialect, Memory } from '../family/index.ts';

const SPACE: Readonly<Record<Memory, string>> = { global: '__global ', shared: '__local ', own: '' };
const VECTOR = /^(f64|f32|i64|i32|u32|i16|u16|i8|u8)x(\d+)$/;
const ELEMENT: Readonly<Record<string, string>> = { f64: 'double', f32: 'float', i64: 'long', i32: 'int', u32: 'uint', i16: 'short', u16: 'ushort', i8: 'char', u8: 'uchar' };

/** Updates of 32 bits belong to the language, those of 64 to an extension; floats have an exchange alone. */
function atomic(fn: string, t: DType): string | undefined {
  const name = fn === 'exchange' ? 'xchg' : fn;
  if (t === 'i32' || t === 'u32' || (t === 'f32' && fn === 'exchange')) return `atomic_${name}(p, x)`;
  return t === 'i64' ? `atom_${name}(p, x)` : undefined;
}

/** OpenCL C 1.2. */
export const OPENCL: Dialect = {
  language: 'opencl', starts: true,
  reserved: ('global local constant private kernel __global __local __constant __private __kernel half uchar ushort uint ulong size_t ptrdiff_t read_only write_only read_write image2d_t image3d_t sampler_t event_t vec_step '
    + 'select clamp dot cross length distance normalize mix step sign degrees radians any all isnan isinf convert as barrier mem_fence prefetch fma mad fabs floor ceil rint trunc round pow popcount clz rotate hypot mod fract ldexp printf').split(' '),
  prologue: (text, features) => [
    '#pragma OPENCL FP_CONTRACT OFF',
    ...(/\bdouble\b/.test(text) ? ['#pragma OPENCL EXTENSION cl_khr_fp64 : enable'] : []),
    ...(/\bhalf\b|as_half|convert_half/.test(text) ? ['#pragma OPENCL EXTENSION cl_khr_fp16 : enable'] : []),
    ...(features.has('subgroups') && /\bsub_group_/.test(text) ? ['#pragma OPENCL EXTENSION cl_khr_subgroups : enable'] : []),
    ...(/\batom_/.test(text) ? ['#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable', '#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable'] : []),
    ...typedefs('opencl', text),
  ],
  inline: 'static inline',
  pointer: (m, T, { readonly, restrict }) => `${SPACE[m]}${readonly ? 'const ' : ''}${T} *${restrict ? 'restrict ' : ''}`,
  shared: (T, name, n) => `__local ${T} ${name}[${n}] __attribute__((aligned(16)));`,
  dynamicShared: undefined,
  entry: (name, block) => `__kernel __attribute__((reqd_work_group_size(${block.join(', ')}))) void ${name}`,
  blockIndex: (d) => `get_group_id(${d})`,
  laneIndex: (d) => `get_local_id(${d})`,
  vector: { type: vectorName, lane: (v, i) => `${v}.s${i.toString(16)}`, join: (T, parts) => `(${T})(${parts.join(', ')})` },
  defineVector: (name) => { const m = VECTOR.exec(name); return m ? `typedef ${ELEMENT[m[1]!]}${m[2]} ${name};` : undefined; },
  // NVIDIA's compiler (driver 580) takes lane 1 of a short8 that is read through a pointer for 0, where all lanes are used one by one. vload8 it reads right.
  load: (t, dtype, lanes, place) => (t.features.includes('ptx') && lanes === 8 && bytesOf(dtype) === 2 ? `vload8(0, ${place})` : undefined),
  fn: (name) => (name === 'round' ? 'rint' : name),
  popcount: (x) => `popcount(${x})`,
  clz: (x) => `clz(${x})`,
  bits: (_, to, x) => `as_${ELEMENT[to]!}(${x})`,
  halves: (t) => (t.features.includes('ptx') ? { toF32: ['float x;', '__asm__("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(h));', 'return x;'], fromF32: ['u16 h;', '__asm__("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x));', 'return h;'] }
    : t.features.includes('f16') ? { toF32: ['return convert_float(as_half(h));'], fromF32: ['return as_ushort(convert_half_rte(x));'] } : {}),
  dot4: (t) => (t.features.includes('ptx') ? ['int d;', '__asm__("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(acc));', 'return d;']
    : t.features.includes('dot4') ? ['return acc + dot_4x8packed_us_int(a, as_uint(b));'] : undefined),
  barrier: 'barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);', sharedBarrier: 'barrier(CLK_LOCAL_MEM_FENCE);',
  atomic,
  compareExchange: (n, p, expected, next) => (n === 64 ? `atom_cmpxchg(${p}, ${expected}, ${next})` : `atomic_cmpxchg(${p}, ${expected}, ${next})`),
  print: { call: (format, args) => `printf(${[format, ...args].join(', ')})`, long: '%ld' },
  subgroup: openclSubgroup,
};
