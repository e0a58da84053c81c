/**
 * The names that Intel gave its instructions, for those that emitted C uses, by the builtins that compilers have for them: to read all of immintrin.h takes a
 * compiler longer than to compile most kernels.
 */

/** Builtins of gcc, and of clang where its own differ: what stands behind `#define name`. `undef` is a register of any contents. */
type Meaning = string | readonly [gcc: string, clang: string];

const each = <T>(list: readonly T[], f: (x: T) => readonly (readonly [string, Meaning])[]): [string, Meaning][] => list.flatMap(f).map(([n, m]) => [n, m]);
const both = ['ps', 'pd'] as const, lanes = { ps: 4, pd: 2 } as const;
const zero = (bits: number, p: 'ps' | 'pd'): string => `(__m${bits}${p === 'pd' ? 'd' : ''}){0}`, ones = (bits: number, p: 'ps' | 'pd'): string => `(unsigned ${(lanes[p] * bits) / 128 > 8 ? 'short' : 'char'})-1`;
const low = (n: number): string => Array.from({ length: n }, (_, i) => i).join(', ');
/** Bytes to 32-bit integers. */
const widened = (bits: number, sign: 'z' | 's'): Meaning => [`(a) (__m${bits}i)__builtin_ia32_pmov${sign}xbd${bits}((__v16qi)(a))`,
  `(a) (__m${bits}i)__builtin_convertvector(__builtin_shufflevector((__v16q${sign === 'z' ? 'u' : 's'})(a), (__v16q${sign === 'z' ? 'u' : 's'})(a), ${low(bits / 32)}), __v${bits / 32}si)`];

const INTRINSICS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...each([['_mm', ''], ['_mm256', '256']] as const, ([mm, w]) => both.flatMap((p) => [
    [`${mm}_fmadd_${p}`, `(a, b, c) __builtin_ia32_vfmadd${p}${w}(a, b, c)`], [`${mm}_max_${p}`, `(a, b) __builtin_ia32_max${p}${w}(a, b)`], [`${mm}_min_${p}`, `(a, b) __builtin_ia32_min${p}${w}(a, b)`],
    [`${mm}_sqrt_${p}`, `(a) __builtin_ia32_sqrt${p}${w}(a)`], [`${mm}_round_${p}`, `(a, how) __builtin_ia32_round${p}${w}(a, how)`],
    [`${mm}_cmp_${p}_mask`, `(a, b, how) (unsigned char)__builtin_ia32_cmp${p}${w || '128'}_mask(a, b, how, (unsigned char)-1)`],
    [`${mm}_mask_blend_${p}`, [`(m, a, b) __builtin_ia32_blendm${p}_${w || '128'}_mask(a, b, m)`, `(m, a, b) __builtin_ia32_select${p}_${w || '128'}(m, b, a)`]],
  ])),
  ...each(both, (p) => {
    const u = zero(512, p), m = ones(512, p);
    return [
      [`_mm512_fmadd_${p}`, `(a, b, c) __builtin_ia32_vfmadd${p}512_mask(a, b, c, ${m}, 4)`], [`_mm512_max_${p}`, [`(a, b) __builtin_ia32_max${p}512_mask(a, b, ${u}, ${m}, 4)`, `(a, b) __builtin_ia32_max${p}512(a, b, 4)`]],
      [`_mm512_min_${p}`, [`(a, b) __builtin_ia32_min${p}512_mask(a, b, ${u}, ${m}, 4)`, `(a, b) __builtin_ia32_min${p}512(a, b, 4)`]], [`_mm512_sqrt_${p}`, [`(a) __builtin_ia32_sqrt${p}512_mask(a, ${u}, ${m}, 4)`, `(a) __builtin_ia32_sqrt${p}512(a, 4)`]],
      [`_mm512_cmp_${p}_mask`, `(a, b, how) (${m.slice(1, -3)})__builtin_ia32_cmp${p}512_mask(a, b, how, ${m}, 4)`], [`_mm512_mask_blend_${p}`, [`(m, a, b) __builtin_ia32_blendm${p}_512_mask(a, b, m)`, `(m, a, b) __builtin_ia32_select${p}_512(m, b, a)`]],
      [`_mm512_scalef_${p}`, `(a, b) __builtin_ia32_scalef${p}512_mask(a, b, ${u}, ${m}, 4)`], [`_mm512_getexp_${p}`, `(a) __builtin_ia32_getexp${p}512_mask(a, ${u}, ${m}, 4)`],
      [`_mm512_getmant_${p}`, `(a, b, c) __builtin_ia32_getmant${p}512_mask(a, (c) << 2 | (b), ${u}, ${m}, 4)`], [`_mm512_roundscale_${p}`, `(a, how) __builtin_ia32_rndscale${p}_mask(a, how, ${u}, ${m}, 4)`],
    ];
  }),
  ...each([128, 256] as const, (bits) => {
    const mm = bits === 128 ? '_mm' : '_mm256', hi = `__v${bits / 16}hi`, qi = `__v${bits / 8}qi`, I = `__m${bits}i`;
    return [
      [`${mm}_blendv_epi8`, `(a, b, m) (${I})__builtin_ia32_pblendvb${bits}((${qi})(a), (${qi})(b), (${qi})(m))`], [`${mm}_madd_epi16`, `(a, b) (${I})__builtin_ia32_pmaddwd${bits}((${hi})(a), (${hi})(b))`],
      ...(['srai', 'srli', 'slli'] as const).map((f) => [`${mm}_${f}_epi16`, `(a, n) (${I})__builtin_ia32_p${{ srai: 'sra', srli: 'srl', slli: 'sll' }[f]}wi${bits}((${hi})(a), n)`] as const),
      [`${mm}_set1_epi16`, `(x) (${I})(${hi}){${Array(bits / 16).fill('x').join(', ')}}`], [`${mm}_and_si${bits}`, '(a, b) ((a) & (b))'],
      [`${mm}_cvtepu8_epi32`, widened(bits, 'z')], [`${mm}_cvtepi8_epi32`, widened(bits, 's')], [`${mm}_shuffle_epi8`, `(a, b) (${I})__builtin_ia32_pshufb${bits}((${qi})(a), (${qi})(b))`],
      [`${mm}_setr_epi8`, `(...) (${I})(${qi}){__VA_ARGS__}`],
      [`${mm}_dpbusd_epi32`, [`(c, a, b) (${I})__builtin_ia32_vpdpbusd_v${bits / 32}si((__v${bits / 32}si)(c), (__v${bits / 32}si)(a), (__v${bits / 32}si)(b))`, `(c, a, b) (${I})__builtin_ia32_vpdpbusd${bits}((__v${bits / 32}si)(c), (__v${bits / 32}si)(a), (__v${bits / 32}si)(b))`]],
    ];
  }),
  ['_mm512_madd_epi16', ['(a, b) (__m512i)__builtin_ia32_pmaddwd512_mask((__v32hi)(a), (__v32hi)(b), (__v16si){0}, (unsigned short)-1)', '(a, b) (__m512i)__builtin_ia32_pmaddwd512((__v32hi)(a), (__v32hi)(b))']],
  ...each(['sra', 'srl', 'sll'], (f) => [[`_mm512_${f}i_epi16`, [`(a, n) (__m512i)__builtin_ia32_p${f}wi512_mask((__v32hi)(a), n, (__v32hi){0}, -1u)`, `(a, n) (__m512i)__builtin_ia32_p${f}wi512((__v32hi)(a), n)`]]]),
  ['_mm512_set1_epi16', `(x) (__m512i)(__v32hi){${Array(32).fill('x').join(', ')}}`], ['_mm512_set1_epi32', `(x) (__m512i)(__v16si){${Array(16).fill('x').join(', ')}}`], ['_mm512_and_si512', '(a, b) (__m512i)((__v16si)(a) & (__v16si)(b))'],
  ['_mm512_cvtepu8_epi32', ['(a) (__m512i)__builtin_ia32_pmovzxbd512_mask((__v16qi)(a), (__v16si){0}, (unsigned short)-1)', '(a) (__m512i)__builtin_convertvector((__v16qu)(a), __v16si)']],
  ['_mm512_cvtepi8_epi32', ['(a) (__m512i)__builtin_ia32_pmovsxbd512_mask((__v16qi)(a), (__v16si){0}, (unsigned short)-1)', '(a) (__m512i)__builtin_convertvector((__v16qs)(a), __v16si)']],
  ['_mm512_cvtepi32_epi8', '(a) (__m128i)__builtin_ia32_pmovdb512_mask((__v16si)(a), (__v16qi){0}, (unsigned short)-1)'],
  ['_mm512_dpbusd_epi32', ['(c, a, b) (__m512i)__builtin_ia32_vpdpbusd_v16si((__v16si)(c), (__v16si)(a), (__v16si)(b))', '(c, a, b) (__m512i)__builtin_ia32_vpdpbusd512((__v16si)(c), (__v16si)(a), (__v16si)(b))']],
  ['_mm512_maskz_loadu_ps', '(m, p) __builtin_ia32_loadups512_mask((const float *)(p), (__m512){0}, m)'], ['_mm512_mask_storeu_ps', '(p, m, a) __builtin_ia32_storeups512_mask((float *)(p), a, m)'],
  ['_mm_movemask_epi8', '(a) __builtin_ia32_pmovmskb128((__v16qi)(a))'], ['_mm256_testz_si256', '(a, b) __builtin_ia32_ptestz256(a, b)'],
  ['_mm_cvtsi32_si128', '(x) (__m128i)(__v4si){x, 0, 0, 0}'], ['_mm_cvtsi64_si128', '(x) (__m128i){x, 0}'], ['_mm_cvtsi128_si32', '(a) ((__v4si)(a))[0]'], ['_mm_cvtsi128_si64', '(a) (a)[0]'],
  ['_mm_castsi128_ps', '(a) (__m128)(a)'], ['_mm256_castsi256_si128', ['(a) (__m128i)__builtin_ia32_si_si256((__v8si)(a))', '(a) __builtin_shufflevector(a, a, 0, 1)']], ['_mm256_extracti128_si256', '(a, i) __builtin_ia32_extract128i256(a, i)'],
  ['_mm_unpacklo_epi32', ['(a, b) (__m128i)__builtin_ia32_punpckldq128((__v4si)(a), (__v4si)(b))', '(a, b) (__m128i)__builtin_shufflevector((__v4si)(a), (__v4si)(b), 0, 4, 1, 5)']],
  ['_mm256_broadcastsi128_si256', ['(a) __builtin_ia32_vbroadcastsi256(a)', '(a) __builtin_shufflevector(a, a, 0, 1, 0, 1)']],
  ['_mm_cvtph_ps', '(a) __builtin_ia32_vcvtph2ps((__v8hi)(a))'], ['_mm256_cvtph_ps', '(a) __builtin_ia32_vcvtph2ps256((__v8hi)(a))'], ['_mm512_cvtph_ps', `(a) __builtin_ia32_vcvtph2ps512_mask((__v16hi)(a), (__m512){0}, (unsigned short)-1, 4)`],
  ['_mm_cvtps_ph', '(a, how) (__m128i)__builtin_ia32_vcvtps2ph(a, how)'], ['_mm256_cvtps_ph', '(a, how) (__m128i)__builtin_ia32_vcvtps2ph256(a, how)'], ['_mm512_cvtps_ph', '(a, how) (__m256i)__builtin_ia32_vcvtps2ph512_mask(a, how, (__v16hi){0}, (unsigned short)-1)'],
  ['_cvtsh_ss', '(h) __builtin_ia32_vcvtph2ps((__v8hi){(short)(h), 0, 0, 0, 0, 0, 0, 0})[0]'], ['_cvtss_sh', '(x, how) (uint16_t)__builtin_ia32_vcvtps2ph((__m128){x, 0, 0, 0}, how)[0]'],
  ['_MM_FROUND_TO_NEAREST_INT', '0'], ['_MM_MANT_NORM_p75_1p5', '3'],
  ['_CMP_EQ_OQ', '0'], ['_CMP_NEQ_UQ', '4'], ['_CMP_LT_OQ', '17'], ['_CMP_LE_OQ', '18'], ['_CMP_GE_OQ', '29'], ['_CMP_GT_OQ', '30'],
]);

/** The vector types that these texts and their callers name. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ...[128, 256, 512].flatMap((bits): [string, string][] => [
    [`__m${bits}`, `float __m${bits} __attribute__((vector_size(${bits / 8}), may_alias))`], [`__m${bits}d`, `double __m${bits}d __attribute__((vector_size(${bits / 8}), may_alias))`], [`__m${bits}i`, `long long __m${bits}i __attribute__((vector_size(${bits / 8}), may_alias))`],
    [`__v${bits / 8}qi`, `char __v${bits / 8}qi __attribute__((vector_size(${bits / 8})))`], [`__v${bits / 16}hi`, `short __v${bits / 16}hi __attribute__((vector_size(${bits / 8})))`], [`__v${bits / 32}si`, `int __v${bits / 32}si __attribute__((vector_size(${bits / 8})))`],
  ]),
  ['__v16qu', 'unsigned char __v16qu __attribute__((vector_size(16)))'], ['__v16qs', 'signed char __v16qs __attribute__((vector_size(16)))'], ['__mmask16', 'unsigned short __mmask16'], ['__mmask8', 'unsigned char __mmask8'],
]);

/** The macro of the instruction set that an intrinsic belongs to: where a compiler does not define it, no text uses the intrinsic. */
function setOf(name: string): string | undefined {
  if (/^_mm512/.test(name)) return 'AVX512F';
  if (/fmadd/.test(name)) return 'FMA';
  if (/cvtph|cvtps_ph|^_cvts/.test(name)) return 'F16C';
  if (/dpbusd/.test(name)) return 'AVX512VNNI';
  if (/_mask/.test(name)) return 'AVX512VL';
  if (/^_mm256/.test(name)) return /_p[sd]$|testz|cast/.test(name) ? 'AVX' : 'AVX2';
  return /round|blendv|cvtep/.test(name) ? 'SSE4_1' : undefined;
}

const named = (text: string, known: RegExp): string[] => [...new Set(text.match(known) ?? [])].sort();

/**
 * What makes the intrinsics of Intel known that a C text uses: the definitions of those few where the compiler has their builtins, else immintrin.h;
 * nothing where it uses none.
 * @param fixed whether the text is compiled for one instruction set; else it may hold intrinsics between `#if defined(__FMA__)` and the like
 */
export function x86Text(code: string, fixed: boolean): readonly string[] {
  const used = named(code, /\b(_mm\d*_\w+|_cvts\w+|_(MM|CMP)_\w+)\b/g);
  if (used.length === 0) return [];
  if (!used.every((n) => INTRINSICS.has(n))) return ['#if defined(__x86_64__)\n#include <immintrin.h>\n#endif'];
  const texts = ([0, 1] as const).map((i) => used.map((n) => { const m = INTRINSICS.get(n)!; return `#define ${n}${typeof m === 'string' ? (m.startsWith('(') ? m : ` ${m}`) : m[i]}`; }));
  const block = (lines: readonly string[], ready: string): string => {
    const types = [...TYPES].filter(([n]) => new RegExp(`\\b${n}\\b`).test(`${code}\n${lines.join('\n')}`)).map(([, t]) => `typedef ${t};`);
    const needs = new Set(lines.flatMap((l) => { const set = fixed ? undefined : setOf(l.split(/[ (]/)[1]!); return named(l, /__builtin_\w+/g).map((b) => (set ? `(!defined(__${set}__) || __has_builtin(${b}))` : `__has_builtin(${b})`)); }));
    return `#if ${ready}\n#if ${[...needs].join(' && ') || '1'}\n#define QUERN_BUILTINS\n${[...types, ...lines].join('\n')}\n#endif\n`;
  };
  const [gcc, clang] = texts as [string[], string[]], same = gcc.join() === clang.join();
  return [[
    '// What is used here of immintrin.h, which takes compilers longer to read than most kernels to compile.\n#if defined(__x86_64__)\n',
    ...(same ? [block(gcc, 'defined(__clang__) || __GNUC__ >= 10'), '#endif\n'] : [block(clang, 'defined(__clang__)'), block(gcc, '__GNUC__ >= 10').replace('#if', '#elif'), '#endif\n']),
    '#ifndef QUERN_BUILTINS\n#include <immintrin.h>\n#endif\n#endif',
  ].join('')];
}
