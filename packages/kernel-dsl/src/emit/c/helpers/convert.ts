import type { DType } from '../../../ir/index.ts';
import { bytesOf, DTYPES, isInt } from '../../../ir/index.ts';
import { cType } from '../types.ts';
import { floatMacro, has, helper, lanewise, mm, mmType } from './helper.ts';
import type { Helper, Variant } from './helper.ts';
import { bitsHelper } from './memory.ts';

const bitsOf = (t: DType, lanes: number): number => bytesOf(t) * lanes * 8;
const isReg = (bits: number): boolean => bits === 128 || bits === 256 || bits === 512;

/** A vector of 4 to 16 bytes as an __m128i, the rest of it undefined or zero. */
function xmmHelper(t: DType, lanes: number): Helper | undefined {
  const bits = bitsOf(t, lanes), T = cType(t, lanes), name = `xmm_of_${T}`;
  if (bits !== 32 && bits !== 64) return undefined;
  return helper(name, `__m128i ${name}(${T} x)`, {
    body: [`int${bits}_t u;`, '__builtin_memcpy(&u, &x, sizeof u);', `return _mm_cvtsi${bits}_si128(u);`], only: 'x86_64',
  });
}

/** The lowest bytes of an __m128i as a small vector. */
function ofXmm(t: DType, lanes: number, expr: string): readonly string[] {
  const bits = bitsOf(t, lanes), T = cType(t, lanes);
  if (isReg(bits)) return [`return (${T})${expr};`];
  return [`const int${bits}_t u = _mm_cvtsi128_si${bits}(${expr});`, `${T} v;`, '__builtin_memcpy(&v, &u, sizeof v);', 'return v;'];
}

const epi = (t: DType, signed: boolean): string => `ep${signed ? 'i' : 'u'}${bytesOf(t) * 8}`;

/** Vector integer to vector integer, or between integers and floats; f16, bf16 and bool have helpers of their own. */
export function convertHelper(from: DType, to: DType, lanes: number): Helper {
  const F = cType(from, lanes), T = cType(to, lanes), name = `${T}_from_${F}`, s = bitsOf(from, lanes), d = bitsOf(to, lanes);
  const variants: (Variant | undefined)[] = [], uses: Helper[] = [];
  const source = (): string => {
    const x = xmmHelper(from, lanes);
    if (!x) return `(${mmType(from, s)})x`;
    uses.push(x);
    return from === 'f32' ? `_mm_castsi128_ps(${x.name}(x))` : `${x.name}(x)`;
  };
  if (isReg(d) && s >= 32 && s < d && isInt(from) && isInt(to)) {
    const fn = `cvt${epi(from, DTYPES[from].kind === 'int')}_epi${bytesOf(to) * 8}`;
    variants.push({ when: has(d === 512 ? (bytesOf(to) === 2 ? 'AVX512BW' : 'AVX512F') : d === 256 ? 'AVX2' : 'SSE4_1'), body: `return (${T})${mm(d)}_${fn}(${source()});`, uses });
  } else if (isReg(d) && to === 'f64' && s * 2 === d && (from === 'f32' || from === 'i32')) {
    variants.push({ when: has(floatMacro(d)), body: `return (${T})${mm(d)}_cvt${from === 'f32' ? 'ps' : 'epi32'}_pd(${source()});`, uses });
  } else if (isReg(s) && d < s && d >= 32 && isInt(from) && isInt(to)) {
    const fn = `${mm(s)}_cvtepi${bytesOf(from) * 8}_epi${bytesOf(to) * 8}((__m${s}i)x)`;
    const feature = bytesOf(from) === 2 ? 'AVX512BW' : 'AVX512F';
    variants.push({ when: has(feature, ...(s === 512 ? [] : ['AVX512VL'])), body: d <= 128 ? ofXmm(to, lanes, fn) : `return (${T})${fn};` });
    if (s === 256 && d === 64 && bytesOf(from) === 4) {
      variants.push({
        when: has('AVX2'),
        body: [
          'const __m256i pick = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);',
          'const __m256i y = _mm256_shuffle_epi8((__m256i)x, pick);   // the low bytes of each half, in front',
          ...ofXmm(to, lanes, '_mm_unpacklo_epi32(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1))'),
        ],
      });
    }
  }
  return helper(name, `${T} ${name}(${F} x)`, { variants, body: `return __builtin_convertvector(x, ${T});` });
}

/** f16 bits to f32, exactly. */
export function f32FromF16Helper(lanes: number): Helper {
  const F = cType('f32', lanes), H = cType('f16', lanes), name = lanes === 1 ? 'f32_from_f16' : `${F}_from_f16`;
  if (lanes === 1) {
    const toBits = bitsHelper('f32', 'u32'), toFloat = bitsHelper('u32', 'f32');
    return helper(name, `float ${name}(uint16_t h)`, {
      variants: [{ when: has('F16C'), body: 'return _cvtsh_ss(h);' }],
      body: [
        'const uint32_t m = h & 0x7fffu;',
        `uint32_t u = ${toBits.name}(${toFloat.name}(m << 13) * 0x1p112f);   // the exponent moves from bias 15 to 127, subnormals too`,
        'if (m >= 0x7c00u) u |= 0x7f800000u;                    // infinity and NaN',
        `return ${toFloat.name}(u | (uint32_t)(h & 0x8000u) << 16);`,
      ],
      uses: [toBits, toFloat],
    });
  }
  const one = f32FromF16Helper(1), x = xmmHelper('u16', lanes), d = bitsOf('f32', lanes), s = bitsOf('u16', lanes);
  const source = x ? `${x.name}(h)` : `(__m${s}i)h`;
  return helper(name, `${F} ${name}(${H} h)`, {
    variants: isReg(d) ? [
      { when: has(d === 512 ? 'AVX512F' : 'F16C'), body: `return (${F})${mm(d)}_cvtph_ps(${source});`, uses: x ? [x] : [] },
      d === 128 ? { when: has('aarch64'), body: `return (${F})vcvt_f32_f16((float16x4_t)h);` } : undefined,
    ] : [],
    body: `return ${lanewise('f32', lanes, (i) => `${one.name}(h[${i}])`)};`,
    uses: [one],
  });
}

/** f32 to f16 bits, to nearest, ties to even. */
export function f16FromF32Helper(lanes: number): Helper {
  const F = cType('f32', lanes), H = cType('f16', lanes), name = lanes === 1 ? 'f16_from_f32' : `f16x${lanes}_from_f32`;
  if (lanes === 1) {
    const toBits = bitsHelper('f32', 'u32'), toFloat = bitsHelper('u32', 'f32');
    return helper(name, `uint16_t ${name}(float x)`, {
      variants: [{ when: has('F16C'), body: 'return _cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT);' }],
      body: [
        `const uint32_t u = ${toBits.name}(x), m = u & 0x7fffffffu, sign = u >> 16 & 0x8000u;`,
        'if (m > 0x7f800000u) return (uint16_t)(sign | 0x7e00u | (m >> 13 & 0x3ffu));               // NaN',
        'if (m >= 0x47800000u) return (uint16_t)(sign | 0x7c00u);                                   // beyond 65504',
        `if (m < 0x38800000u) return (uint16_t)(sign | (${toBits.name}(${toFloat.name}(m) + 0.5f) - 0x3f000000u));   // subnormal: 0.5 has the unit of the result`,
        'return (uint16_t)(sign | (m - 0x38000000u + 0xfffu + (m >> 13 & 1)) >> 13);',
      ],
      uses: [toBits, toFloat],
    });
  }
  const one = f16FromF32Helper(1), s = bitsOf('f32', lanes), d = bitsOf('u16', lanes);
  const call = isReg(s) ? `${mm(s)}_cvtps_ph((__m${s})x, _MM_FROUND_TO_NEAREST_INT)` : '';
  return helper(name, `${H} ${name}(${F} x)`, {
    variants: isReg(s) ? [
      { when: has(s === 512 ? 'AVX512F' : 'F16C'), body: d <= 128 ? ofXmm('u16', lanes, call) : `return (${H})${call};` },
      s === 128 ? { when: has('aarch64'), body: `return (${H})vcvt_f16_f32((float32x4_t)x);` } : undefined,
    ] : [],
    body: `return ${lanewise('f16', lanes, (i) => `${one.name}(x[${i}])`)};`,
    uses: [one],
  });
}

/** bf16 bits to f32: they are its upper half. */
export function f32FromBf16Helper(lanes: number): Helper {
  const F = cType('f32', lanes), H = cType('bf16', lanes), name = lanes === 1 ? 'f32_from_bf16' : `${F}_from_bf16`;
  if (lanes === 1) {
    const toFloat = bitsHelper('u32', 'f32');
    return helper(name, `float ${name}(uint16_t h)`, { body: `return ${toFloat.name}((uint32_t)h << 16);`, uses: [toFloat] });
  }
  const widen = convertHelper('u16', 'u32', lanes);
  return helper(name, `${F} ${name}(${H} h)`, { body: `return (${F})(${widen.name}(h) << 16);`, uses: [widen] });
}

/** f32 to bf16 bits, to nearest, ties to even; a NaN stays one. */
export function bf16FromF32Helper(lanes: number): Helper {
  const F = cType('f32', lanes), H = cType('bf16', lanes), name = lanes === 1 ? 'bf16_from_f32' : `bf16x${lanes}_from_f32`;
  if (lanes === 1) {
    const toBits = bitsHelper('f32', 'u32');
    return helper(name, `uint16_t ${name}(float x)`, {
      body: [
        `const uint32_t u = ${toBits.name}(x);`,
        'if (x != x) return (uint16_t)(u >> 16 | 0x40u);',
        'return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);',
      ],
      uses: [toBits],
    });
  }
  const U = cType('u32', lanes), narrow = convertHelper('u32', 'u16', lanes);
  return helper(name, `${H} ${name}(${F} x)`, {
    body: [
      `const ${U} u = (${U})x, nan = (${U})(x != x), rounded = u + 0x7fffu + (u >> 16 & 1);`,
      `return ${narrow.name}(((nan & (u | 0x400000u)) | (~nan & rounded)) >> 16);`,
    ],
    uses: [narrow],
  });
}
