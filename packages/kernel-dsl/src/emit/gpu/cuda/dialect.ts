import type { DType } from '../../../ir/index.ts';
import { bytesOf } from '../../../ir/index.ts';
import { heldAs } from '../../text/index.ts';
import { NAMES, typedefs, typeOf, vectorName } from '../family/index.ts';
import type { Dialect } from '../family/index.ts';
import { cudaSubgroup } from './subgroup.ts';

const axis = (d: 0 | 1 | 2): string => 'xyz'[d]!;
const VECTOR = /^(f64|f32|i64|i32|u32|i16|u16|i8|u8)x(\d+)$/;
const ELEMENT: Readonly<Record<string, string>> = { f64: 'double', f32: 'float', i32: 'int', ...NAMES.cuda };

/** Bits of floats as integers and back. */
function bits(from: DType, to: DType, x: string): string {
  switch (`${from} ${to}`) {
    case 'f32 u32': return `__float_as_uint(${x})`;
    case 'f32 i32': return `__float_as_int(${x})`;
    case 'u32 f32': return `__uint_as_float(${x})`;
    case 'i32 f32': return `__int_as_float(${x})`;
    case 'f64 i64': return `__double_as_longlong(${x})`;
    default: return `__longlong_as_double(${x})`;
  }
}

/** Updates that hardware does, by the type of their operand. Sums of floats flush subnormal numbers in global memory. */
function atomic(fn: string, t: DType): string | undefined {
  const name = `atomic${fn === 'exchange' ? 'Exch' : fn[0]!.toUpperCase() + fn.slice(1)}`, signed = fn === 'min' || fn === 'max';
  switch (t) {
    case 'f32': return fn === 'add' || fn === 'exchange' ? `${name}(p, x)` : undefined;
    case 'f64': return fn === 'add' ? `${name}(p, x)` : undefined;
    case 'i32': case 'u32': return `${name}(p, x)`;
    case 'i64': return signed ? `${name}(p, x)` : `(i64)${name}((u64 *)p, (u64)x)`;
    default: return undefined;
  }
}

/** CUDA C++, as NVRTC compiles it alone: no header, no library. */
export const CUDA: Dialect = {
  language: 'cuda', starts: false, unroll: '#pragma unroll', rolled: '#pragma unroll 1',
  reserved: ('blockIdx threadIdx blockDim gridDim warpSize catch class const_cast delete dynamic_cast explicit export friend mutable namespace new noexcept operator private protected public reinterpret_cast static_assert '
    + 'static_cast template this thread_local throw try typeid typename using virtual alignas alignof constexpr decltype and or not xor bitand bitor compl and_eq or_eq not_eq xor_eq wchar_t char16_t char32_t asm shared_memory printf').split(' '),
  prologue: (text) => [
    ...typedefs('cuda', text),
    ...(/\btensor_map\b/.test(text) ? ['struct __align__(64) tensor_map { unsigned char bytes[128]; };   // what the driver makes of a tensor for copies by hardware'] : []),
    ...(/\bINFINITY\b/.test(text) ? ['#ifndef INFINITY', '#define INFINITY __int_as_float(0x7f800000)', '#endif'] : []),
    ...(/\bNAN\b/.test(text) ? ['#ifndef NAN', '#define NAN __int_as_float(0x7fffffff)', '#endif'] : []),
  ],
  inline: 'static __device__ __forceinline__',
  pointer: (_, T, { readonly, restrict }) => `${readonly ? 'const ' : ''}${T} *${restrict ? '__restrict__ ' : ''}`,
  shared: (T, name, n) => `__shared__ __align__(16) ${T} ${name}[${n}];`,
  dynamicShared: {
    declaration: 'extern __shared__ __align__(1024) unsigned char shared_memory[];',
    part: (T, name, offset) => `${T} *const ${name} = (${T} *)${offset ? `(shared_memory + ${offset})` : 'shared_memory'};`,
  },
  entry: (name, block, resident) => `extern "C" __global__ void __launch_bounds__(${block[0] * block[1] * block[2]}${resident ? `, ${resident}` : ''}) ${name}`,
  blockIndex: (d) => `blockIdx.${axis(d)}`,
  laneIndex: (d) => `threadIdx.${axis(d)}`,
  vector: { type: vectorName, lane: (v, i) => `${v}.lane[${i}]`, join: (T, parts) => `${T}{{${parts.join(', ')}}}` },
  defineVector: (name) => {
    const m = VECTOR.exec(name), t = m?.[1] as DType | undefined;
    return m && t ? `struct __align__(${bytesOf(t) * Number(m[2])}) ${name} { ${ELEMENT[t] ?? typeOf(heldAs(t))} lane[${m[2]}]; };` : undefined;
  },
  fn: (name, t) => `${name === 'round' ? 'rint' : name}${t === 'f32' ? 'f' : ''}`,
  popcount: (x, n) => (n === 64 ? `__popcll(${x})` : `__popc(${x})`),
  clz: (x, n) => (n === 64 ? `__clzll(${x})` : `__clz(${x})`),
  bits,
  halves: (t) => ({
    toF32: ['float x;', 'asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(h));', 'return x;'],
    fromF32: ['u16 h;', 'asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x));', 'return h;'],
    ...(t.features.includes('mma_bf16') && {
      bf16FromF32: ['u16 h;', 'asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(h) : "f"(x));', 'return h;'],
      pair: (h: 'f16' | 'bf16') => ['u32 w;', `asm("cvt.rn.${h}x2.f32 %0, %1, %2;" : "=r"(w) : "f"(high), "f"(low));`, 'return w;'],
    }),
  }),
  approximate: { exp2: ['float y;', 'asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));', 'return y;'], max: ['return fmaxf(a, b);'], min: ['return fminf(a, b);'] },
  dot4: () => ['int d;', 'asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(acc));', 'return d;'],
  barrier: '__syncthreads();',
  atomic,
  compareExchange: (_, p, expected, next) => `atomicCAS(${p}, ${expected}, ${next})`,
  print: { call: (format, args) => `printf(${[format, ...args].join(', ')})`, long: '%lld', text: (x) => `${x} ? "true" : "false"` },
  subgroup: () => cudaSubgroup,
};
