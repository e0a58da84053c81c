import type { CmpFn, DType } from '../../../ir/index.ts';
import { bytesOf, DTYPES, isFloat } from '../../../ir/index.ts';
import { cType, maskOf } from '../types.ts';
import { floatMacro, has, helper, lanewise, mm, mmType, x86Bits } from './helper.ts';
import type { Helper, Variant } from './helper.ts';
import { bitsHelper } from './memory.ts';

const ps = (t: DType): string => (t === 'f32' ? 'ps' : 'pd');
const suffix = (t: DType): string => (t === 'f32' ? 'f' : '');
const isFloatVec = (t: DType): t is 'f32' | 'f64' => t === 'f32' || t === 'f64';

/** An Intel intrinsic of float vectors, where the width has one. */
function intel(t: DType, lanes: number, fn: string, args: readonly string[], o: { macro?: (bits: number) => string; last?: string } = {}): Variant | undefined {
  const bits = x86Bits(t, lanes);
  if (!bits || !isFloatVec(t)) return undefined;
  const M = mmType(t, bits), as = args.map((a) => `(${M})${a}`).join(', ');
  return { when: has((o.macro ?? floatMacro)(bits)), body: `return (${cType(t, lanes)})${mm(bits)}_${fn}_${ps(t)}(${as}${o.last ?? ''});` };
}
/** An intrinsic of 64-bit ARM, for vectors of 16 bytes. */
function arm(t: DType, lanes: number, fn: string, args: readonly string[]): Variant | undefined {
  if (!isFloatVec(t) || bytesOf(t) * lanes !== 16) return undefined;
  const as = args.map((a) => `(float${bytesOf(t) * 8}x${lanes}_t)${a}`).join(', ');
  return { when: has('aarch64'), body: `return (${cType(t, lanes)})${fn}q_${t}(${as});` };
}

/** a * b + c rounded once, for one lane. Without an instruction for it, f32 goes through doubles exactly. */
function fmaScalar(t: DType): Helper {
  const T = cType(t), name = `fma_${t}`, sig = `${T} ${name}(${T} a, ${T} b, ${T} c)`;
  if (t !== 'f32') return helper(name, sig, { body: 'return __builtin_fma(a, b, c);' });
  return helper(name, sig, {
    variants: ['FMA', 'aarch64', 'FP_FAST_FMAF'].map((m) => ({ when: m === 'FP_FAST_FMAF' ? `defined(${m})` : has(m), body: 'return __builtin_fmaf(a, b, c);' })),
    body: [
      'const double p = (double)a * b, q = c, s = p + q;          // p is exact',
      'const double t = s - p, e = (p - (s - t)) + (q - t);       // what s lacks, exactly',
      'int64_t u;',
      '__builtin_memcpy(&u, &s, sizeof u);',
      'if ((e > 0 || e < 0) && u % 2 == 0) u += (e > 0) == (s > 0) ? 1 : -1;   // to odd: then rounding to float is as if it were the only one',
      'double odd;',
      '__builtin_memcpy(&odd, &u, sizeof odd);',
      'return (float)odd;',
    ],
  });
}

/** a * b + c, rounded once. */
export function fmaHelper(t: DType, lanes: number): Helper {
  const one = fmaScalar(t);
  if (lanes === 1) return one;
  const T = cType(t, lanes), name = `fma_${T}`;
  return helper(name, `${T} ${name}(${T} a, ${T} b, ${T} c)`, {
    variants: [intel(t, lanes, 'fmadd', ['a', 'b', 'c'], { macro: (bits) => (bits === 512 ? 'AVX512F' : 'FMA') }), arm(t, lanes, 'vfma', ['c', 'a', 'b'])],
    body: `return ${lanewise(t, lanes, (i) => `${one.name}(a[${i}], b[${i}], c[${i}])`)};`,
    uses: [one],
  });
}

/** Lanes of a where the mask is set, of b elsewhere. */
export function selectHelper(t: DType, lanes: number): Helper {
  const T = cType(t, lanes), m = maskOf(t), M = cType(m, lanes), name = `select_${T}`, bits = x86Bits(t, lanes);
  return helper(name, `${T} ${name}(${M} mask, ${T} a, ${T} b)`, {
    variants: [bits === 256 || bits === 128 ? { when: has(bits === 256 ? 'AVX2' : 'SSE4_1'), body: `return (${T})${mm(bits)}_blendv_epi8((__m${bits}i)b, (__m${bits}i)a, (__m${bits}i)mask);` } : undefined],
    body: `return (${T})((mask & (${M})a) | (~mask & (${M})b));`,
  });
}

/** Intel's names of comparisons that hold for no NaN, but `ne`. */
const INTEL_CMP = { lt: '_CMP_LT_OQ', le: '_CMP_LE_OQ', gt: '_CMP_GT_OQ', ge: '_CMP_GE_OQ', eq: '_CMP_EQ_OQ', ne: '_CMP_NEQ_UQ' } as const;
const C_CMP = { lt: '<', le: '<=', gt: '>', ge: '>=', eq: '==', ne: '!=' } as const;
/** Comparison of x and y as a mask register, where vectors of floats have those. */
function kMask(fn: CmpFn, t: DType, lanes: number): { readonly when: readonly string[]; readonly text: string } | undefined {
  const bits = x86Bits(t, lanes);
  if (!bits || !isFloatVec(t)) return undefined;
  const M = mmType(t, bits);
  return { when: has(bits === 512 ? 'AVX512F' : 'AVX512VL'), text: `${mm(bits)}_cmp_${ps(t)}_mask((${M})x, (${M})y, ${INTEL_CMP[fn]})` };
}

/** a where x fn y, else b; all of one float type. (Compilers do not bring masks of vectors back into mask registers.) */
export function selectByHelper(fn: CmpFn, t: 'f32' | 'f64', lanes: number): Helper {
  const T = cType(t, lanes), name = `select_${fn}_${T}`, k = kMask(fn, t, lanes), bits = x86Bits(t, lanes), pick = selectHelper(t, lanes);
  return helper(name, `${T} ${name}(${T} x, ${T} y, ${T} a, ${T} b)`, {
    variants: [k && bits ? { when: k.when, body: `return (${T})${mm(bits)}_mask_blend_${ps(t)}(${k.text}, (${mmType(t, bits)})b, (${mmType(t, bits)})a);` } : undefined],
    body: `return ${pick.name}((${cType(maskOf(t), lanes)})(x ${C_CMP[fn]} y), a, b);`, uses: [pick],
  });
}

/** Does x fn y hold in any lane? */
export function anyByHelper(fn: CmpFn, t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `any_${fn}_${T}`, k = kMask(fn, t, lanes), any = anyHelper(maskOf(t), lanes);
  return helper(name, `int ${name}(${T} x, ${T} y)`, {
    variants: [k ? { when: k.when, body: `return ${k.text} != 0;` } : undefined], body: `return ${any.name}((${cType(maskOf(t), lanes)})(x ${C_CMP[fn]} y));`, uses: [any],
  });
}

/** `a < b ? a : b` or `a > b ? a : b`, lane by lane: b where either is NaN, which is what x86 does too. */
export function minMaxHelper(fn: 'min' | 'max', t: DType, lanes: number): Helper {
  const op = fn === 'min' ? '<' : '>', T = cType(t, lanes);
  if (lanes === 1) return helper(`${fn}_${t}`, `${T} ${fn}_${t}(${T} a, ${T} b)`, { body: `return a ${op} b ? a : b;` });
  const name = `${fn}_${T}`, pick = selectHelper(t, lanes), bits = x86Bits(t, lanes);
  const int: Variant | undefined = bits && !isFloat(t) ? {
    when: t === 'i64' ? has('AVX512F', ...(bits === 512 ? [] : ['AVX512VL'])) : has(bits === 512 ? (bytesOf(t) < 4 ? 'AVX512BW' : 'AVX512F') : bits === 256 ? 'AVX2' : 'SSE4_1'),
    body: `return (${T})${mm(bits)}_${fn}_ep${DTYPES[t].kind === 'int' ? 'i' : 'u'}${bytesOf(t) * 8}((__m${bits}i)a, (__m${bits}i)b);`,
  } : undefined;
  return helper(name, `${T} ${name}(${T} a, ${T} b)`, {
    variants: [intel(t, lanes, fn, ['a', 'b']), int],
    body: `return ${pick.name}((${cType(maskOf(t), lanes)})(a ${op} b), a, b);`, uses: [pick],
  });
}

/** Clears the sign. */
export function absHelper(t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `abs_${lanes === 1 ? t : T}`, sig = `${T} ${name}(${T} x)`;
  if (!isFloat(t)) {
    if (lanes === 1) return helper(name, sig, { body: 'return x < 0 ? -x : x;' });
    const max = minMaxHelper('max', t, lanes);
    return helper(name, sig, { body: `return ${max.name}(x, -x);`, uses: [max] });
  }
  if (lanes === 1) return helper(name, sig, { body: `return __builtin_fabs${suffix(t)}(x);` });
  const M = cType(maskOf(t), lanes);
  return helper(name, sig, { body: `return (${T})((${M})x & ${t === 'f32' ? 'INT32_MAX' : 'INT64_MAX'});` });
}

/** Square root, lane by lane. */
export function sqrtHelper(t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `sqrt_${lanes === 1 ? t : T}`, sig = `${T} ${name}(${T} x)`;
  if (lanes === 1) return helper(name, sig, { body: `return __builtin_sqrt${suffix(t)}(x);` });
  return helper(name, sig, {
    variants: [intel(t, lanes, 'sqrt', ['x']), arm(t, lanes, 'vsqrt', ['x'])],
    body: `return ${lanewise(t, lanes, (i) => `__builtin_sqrt${suffix(t)}(x[${i}])`)};`,
  });
}

const MODES = { round: { imm: 0, arm: 'vrndn', c: 'rint' }, floor: { imm: 1, arm: 'vrndm', c: 'floor' }, ceil: { imm: 2, arm: 'vrndp', c: 'ceil' }, trunc: { imm: 3, arm: 'vrnd', c: 'trunc' } } as const;

/** floor, ceil, trunc, or round (to nearest, ties to even). */
export function roundHelper(fn: keyof typeof MODES, t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `${fn}_${lanes === 1 ? t : T}`, sig = `${T} ${name}(${T} x)`, mode = MODES[fn];
  if (lanes === 1) return helper(name, sig, { body: `return __builtin_${mode.c}${suffix(t)}(x);` });
  const bits = x86Bits(t, lanes), abs = absHelper(t, lanes), pick = selectHelper(t, lanes), splat = `(${T}){0} +`;
  const M = cType(maskOf(t), lanes), big = t === 'f32' ? '0x1p23f' : '0x1p52', sign = t === 'f32' ? 'INT32_MIN' : 'INT64_MIN', one = t === 'f32' ? '1.0f' : '1.0';
  const fix = {
    round: [], trunc: [`r -= (${T})((${M})(r > a) & (${M})(${splat} ${one}));`],
    floor: [`r -= (${T})((${M})(r > x) & (${M})(${splat} ${one}));`], ceil: [`r += (${T})((${M})(r < x) & (${M})(${splat} ${one}));`],
  }[fn];
  const signed = fn === 'floor' || fn === 'ceil';
  return helper(name, sig, {
    variants: [
      bits ? intel(t, lanes, bits === 512 ? 'roundscale' : 'round', ['x'], { macro: (b) => (b === 128 ? 'SSE4_1' : floatMacro(b)), last: `, ${8 + mode.imm}` }) : undefined,
      arm(t, lanes, mode.arm, ['x']),
    ],
    body: [
      `const ${T} a = ${abs.name}(x);`,
      `const ${M} sign = (${M})x & ${sign};`,
      `${T} r = (a + ${big}) - ${big};                // to nearest, ties to even`,
      ...(signed ? [`r = (${T})((${M})r | sign);`] : []),
      ...fix,
      `return ${pick.name}((${M})(a < ${big}), (${T})((${M})r | sign), x);`,
    ],
    uses: [abs, pick],
  });
}

/**
 * Integer quotient or remainder, rounded towards minus infinity; `plain` when neither operand is negative.
 * A divisor of 0 gives 0: kernels do not abort the process.
 */
export function floorDivHelper(fn: 'div' | 'mod', t: DType, lanes: number, plain: boolean): Helper {
  const T = cType(t, lanes), simple = plain || DTYPES[t].kind !== 'int', name = `${simple ? '' : 'floor'}${fn}_${lanes === 1 ? t : T}`, sig = `${T} ${name}(${T} a, ${T} b)`;
  if (lanes > 1) {
    const one = floorDivHelper(fn, t, 1, plain);
    return helper(name, sig, { body: `return ${lanewise(t, lanes, (i) => `${one.name}(a[${i}], b[${i}])`)};`, uses: [one] });
  }
  if (simple) return helper(name, sig, { body: `return b ? a ${fn === 'div' ? '/' : '%'} b : 0;` });
  return helper(name, sig, {
    body: fn === 'div' ? ['if (b == 0 || b == -1) return b ? -a : 0;', 'return a / b - (a % b != 0 && (a < 0) != (b < 0));']
      : ['if (b == 0 || b == -1) return 0;', `const ${T} r = a % b;`, 'return r != 0 && (r < 0) != (b < 0) ? r + b : r;'],
  });
}

/** An AVX-512 instruction of float vectors: 64 bytes, or less with VL. */
const avx512 = (t: DType, lanes: number, fn: string, args: readonly string[], last = ''): Variant | undefined => {
  const bits = x86Bits(t, lanes);
  return bits && intel(t, lanes, fn, args, { macro: () => (bits === 512 ? 'AVX512F' : 'AVX512VL'), last });
};

/** What formats of floats are made of, as C. `twice`, `biased` and `negative`, added to a small whole number, leave it in the low bits with twice the bias, with the bias, or with that and a sign. */
const FORMAT = {
  f32: { int: 'i32', twice: '0x1.8001fcp23f', exponent: '0x7f800000', biased: '0x1.8000fep23f', negative: '0x1.8002fep23f', digits: 23, bias: 127, least: '0x1p-126f', up: 'f', two: '0x1p23f', twoBits: '0x4b000000', unbias: '(0x1p23f + 127.0f)', threeQuarters: '0x3f400000', high: '(int32_t)0xff800000' },
  f64: { int: 'i64', twice: '0x1.80000000007fep52', exponent: '0x7ff0000000000000', biased: '0x1.80000000003ffp52', negative: '0x1.8000000000bffp52', digits: 52, bias: 1023, least: '0x1p-1022', up: '', two: '0x1p52', twoBits: '0x4330000000000000', unbias: '(0x1p52 + 1023.0)', threeQuarters: '0x3fe8000000000000', high: '(int64_t)0xfff0000000000000' },
} as const;

/**
 * a 2^b for whole b, rounded once: by two powers of two, the first of which is exact to multiply with. The exponents of both add up to b and twice the bias,
 * which a sum leaves in its low bits; half of that, and what remains, are exponents as they stand.
 */
export function ldexpHelper(t: 'f32' | 'f64', lanes: number): Helper {
  const one = lanes === 1, T = cType(t, lanes), f = FORMAT[t], I = one ? `u${cType(f.int, 1)}` : cType(f.int, lanes), name = `ldexp_${one ? t : T}`;
  const float = (x: string): string => (one ? `${bitsHelper(f.int, t).name}((${cType(f.int, 1)})(${x}))` : `(${T})(${x})`);
  return helper(name, `${T} ${name}(${T} a, ${T} b)`, {
    variants: [avx512(t, lanes, 'scalef', ['a', 'b'])],
    body: [
      `const ${I} e = (${I})${one ? bitsHelper(t, f.int).name : ''}(b + ${f.twice}), h = e << ${f.digits - 1} & ${f.exponent};`,
      `return a * ${float('h')} * ${float(`(e << ${f.digits}) - h`)};`,
    ],
    uses: one ? [bitsHelper(t, f.int), bitsHelper(f.int, t)] : [],
  });
}

/** 2^b or -2^b for whole b of which that is a normal number: sign and exponent are the low bits of a sum. */
export function powerHelper(t: 'f32' | 'f64', lanes: number, sign: 1 | -1): Helper {
  const T = cType(t, lanes), f = FORMAT[t], I = cType(f.int, lanes), name = `${sign < 0 ? 'minus_' : ''}power_${lanes === 1 ? t : T}`, sum = `(b + ${sign < 0 ? f.negative : f.biased})`;
  return helper(name, `${T} ${name}(${T} b)`, {
    body: `return ${lanes === 1 ? `${bitsHelper(f.int, t).name}((${I})((u${I})${bitsHelper(t, f.int).name}${sum} << ${f.digits}))` : `(${T})((${I})${sum} << ${f.digits})`};`,
    uses: lanes === 1 ? [bitsHelper(t, f.int), bitsHelper(f.int, t)] : [],
  });
}

/** exponent or mantissa; subnormals are brought up first. */
export function splitHelper(fn: 'exponent' | 'mantissa', t: 'f32' | 'f64', lanes: number): Helper {
  const T = cType(t, lanes), f = FORMAT[t], I = cType(f.int, lanes), name = `${fn}_${lanes === 1 ? t : T}`, pick = selectHelper(t, lanes);
  const bits = (x: string): string => (lanes === 1 ? `${bitsHelper(t, f.int).name}(${x})` : `(${I})${x}`), float = (x: string): string => (lanes === 1 ? `${bitsHelper(f.int, t).name}(${x})` : `(${T})(${x})`);
  const whole = (x: string): string => (lanes === 1 ? `(u${I})${bits(x)}` : bits(x)); // sums of scalars that wrap
  const choose = (c: string, a: string, b: string): string => (lanes === 1 ? `(${c} ? ${a} : ${b})` : `${pick.name}((${I})(${c}), ${a}, ${b})`);
  const zero = lanes === 1 ? (t === 'f32' ? '0.0f' : '0.0') : `(${T}){0}`, lift = `0x1p${f.digits}${f.up}`, inf = `__builtin_inf${f.up}()`, nan = `__builtin_nan${f.up}("")`;
  return helper(name, `${T} ${name}(${T} x)`, {
    variants: [fn === 'exponent' ? avx512(t, lanes, 'getexp', ['x']) : avx512(t, lanes, 'getmant', ['x'], ', _MM_MANT_NORM_p75_1p5, 3')],
    body: [
      `const ${T} y = ${choose(`x < ${f.least}`, `x * ${lift}`, 'x')};`,
      ...(fn === 'exponent'
        ? [`const ${T} k = ${float(`(${bits('y')} >> ${f.digits}) | ${f.twoBits}`)} - ${choose(`x < ${f.least}`, `${zero} + (${f.unbias} + ${f.digits})`, `${zero} + ${f.unbias}`)};`,
          `return ${choose(`x < ${inf}`, choose('x > 0', 'k', `${zero} - ${inf}`), 'x')};`]
        // The exponent of y over that of 3/4 goes off.
        : [`const ${T} m = ${float(`${whole('y')} - ((${whole('y')} - ${f.threeQuarters}) & ${f.high})`)};`, `return ${choose('x >= 0', 'm', `${zero} + ${nan}`)};`]),
    ],
    uses: lanes === 1 ? [bitsHelper(t, f.int), bitsHelper(f.int, t)] : [pick],
  });
}

/** The magnitude of a with the sign of b. */
export function copysignHelper(t: 'f32' | 'f64', lanes: number): Helper {
  const T = cType(t, lanes), name = `copysign_${lanes === 1 ? t : T}`, sig = `${T} ${name}(${T} a, ${T} b)`;
  if (lanes === 1) return helper(name, sig, { body: `return __builtin_copysign${suffix(t)}(a, b);` });
  const M = cType(maskOf(t), lanes), sign = t === 'f32' ? 'INT32_MIN' : 'INT64_MIN';
  return helper(name, sig, { body: `return (${T})(((${M})a & ~${sign}) | ((${M})b & ${sign}));` });
}

/** Is a lane of a mask set? */
export function anyHelper(mask: DType, lanes: number): Helper {
  const M = cType(mask, lanes), name = `any_${M}`, bits = x86Bits(mask, lanes), wide = bytesOf(mask) >= 4;
  return helper(name, `int ${name}(${M} m)`, {
    variants: [
      bits === 512 && wide ? { when: has('AVX512F'), body: `return _mm512_test_epi${bytesOf(mask) * 8}_mask((__m512i)m, (__m512i)m) != 0;` } : undefined,
      bits === 256 ? { when: has('AVX'), body: 'return !_mm256_testz_si256((__m256i)m, (__m256i)m);' } : undefined,
      bits === 128 ? { when: has('SSE2'), body: 'return _mm_movemask_epi8((__m128i)m) != 0;' } : undefined,
    ],
    body: `return ${Array.from({ length: lanes }, (_, i) => `(m[${i}] != 0)`).join(' | ')};`,
  });
}

/** A function of the C library, lane by lane, computed in double and rounded once. */
export function libmHelper(fn: string, t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `${fn}_${lanes === 1 ? t : T}`, sig = `${T} ${name}(${T} x)`;
  const call = (x: string): string => (t === 'f32' ? `(float)${fn}(${x})` : `${fn}(${x})`);
  return helper(name, sig, { body: `return ${lanes === 1 ? call('x') : lanewise(t, lanes, (i) => call(`x[${i}]`))};` });
}
