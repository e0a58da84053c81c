import type { DType } from '../../../ir/index.ts';
import { bytesOf } from '../../../ir/index.ts';
import type { Helper } from './frame.ts';
import { infinityHelper, nanHelper } from './literal.ts';
import { typeOf } from './types.ts';

/** A function with a name, a signature and lines. */
export const helper = (name: string, signature: string, body: string | readonly string[], uses: readonly Helper[] = [], features: readonly string[] = []): Helper =>
  ({ name, text: `fn ${name}${signature} {\n${(typeof body === 'string' ? [body] : body).map((l) => `  ${l}\n`).join('')}}`, uses, features });

/** `a < b ? a : b` or `a > b ? a : b`: b where either is NaN. */
export const minMaxHelper = (fn: 'min' | 'max'): Helper => helper(`${fn}_f32`, '(a: f32, b: f32) -> f32', `return select(b, a, a ${fn === 'min' ? '<' : '>'} b);`);

/** Is it NaN? By its bits: compilers may take comparisons for granted. */
export const isNanHelper = (): Helper => helper('is_nan_f32', '(x: f32) -> bool', 'return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;');

/** Integer quotient or remainder, rounded towards minus infinity. A divisor of 0 gives 0. */
export function floorDivHelper(fn: 'div' | 'mod', T: 'i32' | 'u32', plain: boolean): Helper {
  const simple = plain || T === 'u32', name = `${simple ? '' : 'floor'}${fn}_${T}`, sig = `(a: ${T}, b: ${T}) -> ${T}`, zero = T === 'u32' ? '0u' : '0';
  if (simple) return helper(name, sig, [`if (b == ${zero}) { return ${zero}; }`, `return a ${fn === 'div' ? '/' : '%'} b;`]);
  if (fn === 'div') return helper(name, sig, ['if (b == 0) { return 0; }', 'if (b == -1) { return -a; }', 'return a / b - select(0, 1, (a % b != 0) && ((a < 0) != (b < 0)));']);
  return helper(name, sig, ['if (b == 0 || b == -1) { return 0; }', 'let r = a % b;', 'return select(r, r + b, (r != 0) && ((r < 0) != (b < 0)));']);
}

/** Set bits, or zeros above the highest or below the lowest set bit of an integer; of 0, the latter two give the width of the type. */
export function countHelper(fn: 'popcount' | 'clz' | 'ctz', t: DType): Helper {
  const T = typeOf(t), bits = bytesOf(t) * 8, name = `${fn}_${t}`, u = bits === 32 ? (T === 'u32' ? 'x' : 'bitcast<u32>(x)') : `(${T === 'u32' ? 'x' : 'bitcast<u32>(x)'} & ${bits === 8 ? '0xffu' : '0xffffu'})`;
  const body = fn === 'popcount' ? `countOneBits(${u})` : fn === 'clz' ? `countLeadingZeros(${u})${bits < 32 ? ` - ${32 - bits}u` : ''}` : `countTrailingZeros(${bits < 32 ? `${u} | ${2 ** bits}u` : u})`;
  return helper(name, `(x: ${T}) -> ${T}`, `return ${T === 'u32' ? body : `i32(${body})`};`);
}

/** A float without its fraction as an integer; out of range the least i32 or the greatest u32. */
export const intFromF32Helper = (T: 'i32' | 'u32'): Helper => helper(`${T}_from_f32`, `(x: f32) -> ${T}`, T === 'i32'
  ? ['if ((x >= -2147483648.0) && (x < 2147483648.0)) { return i32(x); }', 'return i32(-2147483648);']
  : ['if ((x > -1.0) && (x < 4294967296.0)) { return u32(x); }', 'return 0xffffffffu;']);

/** The f32 nearest to an integer of 32 bits: conversions may round to either side, this sum of two exact numbers is rounded once. */
export const f32FromIntHelper = (T: 'i32' | 'u32'): Helper => helper(`f32_from_${T}`, `(x: ${T}) -> f32`, `return f32(x >> 16u) * 65536.0 + f32(x & 0xffff${T === 'u32' ? 'u' : ''});`);

/** a 2^b for whole b, rounded once: by two powers of two, the first of which is exact to multiply with. */
export const ldexpHelper = (): Helper => helper('ldexp_f32', '(a: f32, b: f32) -> f32', ['let e = i32(b);', 'let h = e >> 1u;', 'let first = a * bitcast<f32>((h + 127) << 23u);', 'return first * bitcast<f32>((e - h + 127) << 23u);']);

/** The magnitude of a with the sign of b. */
export const copysignHelper = (): Helper => helper('copysign_f32', '(a: f32, b: f32) -> f32', 'return bitcast<f32>((bitcast<u32>(a) & 0x7fffffffu) | (bitcast<u32>(b) & 0x80000000u));');

/** exponent or mantissa, by bits: subnormal numbers count though arithmetic may take them for 0. */
export const splitHelper = (fn: 'exponent' | 'mantissa'): Helper => (fn === 'exponent'
  ? helper('exponent_f32', '(x: f32) -> f32', [
    'let u = bitcast<u32>(x) & 0x7fffffffu;', 'if (u == 0u) { return -infinity_f32(); }', 'if (u >= 0x7f800000u) { return x; }',
    'return f32(select(i32(u >> 23u) - 127, -118 - i32(countLeadingZeros(u)), u < 0x800000u));',
  ], [infinityHelper()])
  : helper('mantissa_f32', '(x: f32) -> f32', [
    'let u = bitcast<u32>(x);', 'let m = u & 0x7fffffffu;', 'if (m == 0u || u == 0x7f800000u) { return 1.0; }', 'if (u > 0x7f800000u) { return nan_f32(); }',
    'let digits = select(m, m << (countLeadingZeros(m) - 8u), m < 0x800000u) & 0x7fffffu;', 'return bitcast<f32>(digits | select(0x3f800000u, 0x3f000000u, digits >= 0x400000u));',
  ], [nanHelper()]));

/** f16 bits to f32, exactly; by the device's own f16 where it has one, which may take subnormal numbers for 0. */
export const f32FromF16Helper = (native: boolean): Helper => (native
  ? helper('f32_from_f16', '(h: u32) -> f32', 'return f32(bitcast<vec2<f16>>(h).x);', [], ['f16'])
  : helper('f32_from_f16', '(h: u32) -> f32', [
    'let m = h & 0x7fffu;', 'let sign = (h & 0x8000u) << 16u;', 'if (m < 0x400u) { return bitcast<f32>(bitcast<u32>(f32(m) * 5.9604644775390625e-8) | sign); }   // subnormal',
    'return bitcast<f32>((m << 13u) + select(0x38000000u, 0x70000000u, m >= 0x7c00u) | sign);',
  ].map((l) => l.replace('(m << 13u) + select(0x38000000u, 0x70000000u, m >= 0x7c00u) | sign', '((m << 13u) + select(0x38000000u, 0x70000000u, m >= 0x7c00u)) | sign'))));

/** f32 to f16 bits, to nearest, ties to even: by integers, since rounding of floats is not promised. */
export const f16FromF32Helper = (): Helper => helper('f16_from_f32', '(x: f32) -> u32', [
  'let u = bitcast<u32>(x);', 'let m = u & 0x7fffffffu;', 'let sign = (u >> 16u) & 0x8000u;',
  'if (m > 0x7f800000u) { return sign | 0x7e00u; }', 'if (m >= 0x47800000u) { return sign | 0x7c00u; }   // beyond 65504',
  'if (m >= 0x38800000u) { return sign | ((m - 0x38000000u + 0xfffu + ((m >> 13u) & 1u)) >> 13u); }',
  'let shift = 126u - (m >> 23u);   // subnormal', 'if (shift > 24u) { return sign; }', 'let digits = (m & 0x7fffffu) | 0x800000u;', 'let q = digits >> shift;', 'let rest = digits & ((1u << shift) - 1u);', 'let tie = 1u << (shift - 1u);',
  'return sign | (q + select(0u, 1u, (rest > tie) || ((rest == tie) && ((q & 1u) == 1u))));',
]);

/** bf16 bits to f32: they are its upper half. */
export const f32FromBf16Helper = (): Helper => helper('f32_from_bf16', '(h: u32) -> f32', 'return bitcast<f32>(h << 16u);');
/** f32 to bf16 bits, to nearest, ties to even; a NaN stays one. */
export const bf16FromF32Helper = (): Helper => helper('bf16_from_f32', '(x: f32) -> u32', ['let u = bitcast<u32>(x);', 'if ((u & 0x7fffffffu) > 0x7f800000u) { return (u >> 16u) | 0x40u; }', 'return (u + 0x7fffu + ((u >> 16u) & 1u)) >> 16u;']);

/**
 * acc + the four products of unsigned bytes of a with signed bytes of b. The instruction multiplies bytes of one kind: a - 128 is signed, and what that took
 * away is 128 times the sum of b.
 */
export const dot4Helper = (native: boolean): Helper => (native
  ? helper('dot4_i32', '(acc: i32, a: u32, b: i32) -> i32', ['let s = bitcast<u32>(b);', 'return acc + dot4I8Packed(a ^ 0x80808080u, s) + (dot4I8Packed(s, 0x01010101u) << 7u);'], [], ['dot4'])
  : helper('dot4_i32', '(acc: i32, a: u32, b: i32) -> i32', `return acc + ${[0, 8, 16, 24].map((s) => `i32(extractBits(a, ${s}u, 8u)) * extractBits(b, ${s}u, 8u)`).join(' + ')};`));

/** Values of 8 or 16 bits side by side in a word, the first one lowest. */
export const packHelper = (bits: 8 | 16): Helper => (bits === 8
  ? helper('pack_u8', '(a: u32, b: u32, c: u32, d: u32) -> u32', 'return (a & 0xffu) | ((b & 0xffu) << 8u) | ((c & 0xffu) << 16u) | (d << 24u);')
  : helper('pack_u16', '(a: u32, b: u32) -> u32', 'return (a & 0xffffu) | (b << 16u);'));
