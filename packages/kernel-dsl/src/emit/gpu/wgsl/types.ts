import type { DType } from '../../../ir/index.ts';
import { bytesOf, DTYPES } from '../../../ir/index.ts';

/** The type that holds a value: integers of less than 32 bits in the 32-bit type of their sign, f16 and bf16 as their bits in the low half of a u32. */
export function typeOf(t: DType): 'f32' | 'i32' | 'u32' | 'bool' {
  if (t === 'f32' || t === 'bool') return t;
  return DTYPES[t].kind === 'int' ? 'i32' : 'u32';
}
/** The type of a cell of memory that holds one element. */
export const cellOf = (t: DType): 'f32' | 'i32' | 'u32' => { const T = typeOf(t); return T === 'bool' ? 'u32' : T; };
/** The unsigned or signed integer that f16 and bf16 count as when bits are looked at. */
export const bitsOf = (t: DType): DType => (t === 'f16' || t === 'bf16' ? 'u16' : t);
/** Is it smaller than a word of memory? */
export const isSmall = (t: DType): boolean => bytesOf(t) < 4;

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;
export const component = (i: number): string => COMPONENTS[i]!;

/** Words that WGSL keeps for itself, and the functions that emitted kernels call. */
export const RESERVED: readonly string[] = (
  'alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop override requires return struct switch true var while '
  + 'NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast '
  + 'consteval constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern external fallthrough filter final finally friend from fxgroup get goto '
  + 'groupshared highp impl implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept noinline nointerpolation '
  + 'non_coherent noncoherent noperspective null nullptr of operator package packoffset partial pass patch pixelfragment precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast '
  + 'require resource restrict self set shared sizeof smooth snorm static static_assert static_cast std subroutine super target template this thread_local throw trait try type typedef typeid typename typeof union '
  + 'unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield '
  + 'array atomic bool f16 f32 i32 u32 mat2x2 mat2x3 mat2x4 mat3x2 mat3x3 mat3x4 mat4x2 mat4x3 mat4x4 ptr sampler vec2 vec3 vec4 vec2f vec2i vec2u vec3f vec3i vec3u vec4f vec4i vec4u '
  + 'bitcast select arrayLength abs ceil floor round trunc fma sqrt exp exp2 log log2 sin cos tanh pow min max countOneBits countLeadingZeros countTrailingZeros extractBits '
  + 'dot4U8Packed dot4I8Packed atomicLoad atomicStore atomicAdd atomicMin atomicMax atomicAnd atomicOr atomicXor atomicExchange atomicCompareExchangeWeak workgroupBarrier storageBarrier '
  + 'all any dot cross distance length mix sign step clamp degrees radians fract infinity_f32 nan_f32 infinity_bits nan_bits is_nan_f32'
).split(' ');
