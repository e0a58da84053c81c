/** The intrinsics that emitted C names, made of builtins: the same machine code as with immintrin.h, by each compiler, and that header where a name is not known. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { x86Text } from '../../src/emit/c/x86.ts';
import { target } from '../../src/targets/index.ts';
import { COMPILERS, compile, includeDir } from './harness.ts';

const widths = ['_mm', '_mm256', '_mm512'] as const, bitsOf = (mm: string): number => Number(mm.slice(3) || 128);
/** Operands by kind: `v` a vector of the function's own type, `i` one of integers, `h` half of one, `n` a constant, `m` a mask. */
const CALLS: readonly (readonly [names: RegExp, result: string, args: string])[] = [
  [/fmadd/, 'v', 'vvv'], [/max|min|scalef/, 'v', 'vv'], [/sqrt|getexp/, 'v', 'v'], [/round/, 'v', 'v8'], [/getmant/, 'v', 'v31'], [/cmp/, 'unsigned', 'vv17'], [/mask_blend/, 'v', 'mvv'],
  [/blendv/, 'i', 'iii'], [/madd_epi16|shuffle_epi8|and_si/, 'i', 'ii'], [/dpbusd/, 'i', 'iii'], [/s[rl][al]i_epi16/, 'i', 'i4'], [/cvtep[ui]8_epi32/, 'i', 'x'], [/cvtepi32_epi8/, '__m128i', 'i'], [/movemask/, 'int', 'i'], [/testz/, 'int', 'ii'],
  [/cvtph_ps/, 'f', 'h'], [/cvtps_ph/, 'h', 'f0'], [/unpacklo/, 'i', 'ii'], [/broadcastsi128/, 'i', 'x'], [/extracti128/, '__m128i', 'i1'], [/castsi256/, '__m128i', 'i'], [/castsi128/, 'f', 'i'],
  [/cvtsi32_si128|set1_epi/, 'i', 's'], [/cvtsi64_si128/, 'i', 'l'], [/cvtsi128_si32/, 'int', 'i'], [/cvtsi128_si64/, 'long long', 'i'],
];
const NAMES: readonly string[] = [
  ...widths.flatMap((mm) => ['ps', 'pd'].flatMap((p) => ['fmadd', 'max', 'min', 'sqrt'].map((f) => `${mm}_${f}_${p}`).concat(`${mm}_cmp_${p}_mask`, `${mm}_mask_blend_${p}`, mm === '_mm512' ? `${mm}_roundscale_${p}` : `${mm}_round_${p}`))),
  ...['ps', 'pd'].flatMap((p) => ['scalef', 'getexp', 'getmant'].map((f) => `_mm512_${f}_${p}`)),
  ...widths.flatMap((mm) => ['madd_epi16', 'srai_epi16', 'srli_epi16', 'slli_epi16', 'set1_epi16', 'cvtepu8_epi32', 'cvtepi8_epi32', 'dpbusd_epi32', `and_si${bitsOf(mm)}`, 'cvtph_ps', 'cvtps_ph'].map((f) => `${mm}_${f}`)),
  ...['_mm', '_mm256'].flatMap((mm) => ['blendv_epi8', 'shuffle_epi8'].map((f) => `${mm}_${f}`)),
  '_mm512_set1_epi32', '_mm512_cvtepi32_epi8', '_mm_movemask_epi8', '_mm256_testz_si256', '_mm_cvtsi32_si128', '_mm_cvtsi64_si128', '_mm_cvtsi128_si32', '_mm_cvtsi128_si64', '_mm_castsi128_ps', '_mm256_castsi256_si128',
  '_mm256_extracti128_si256', '_mm_unpacklo_epi32', '_mm256_broadcastsi128_si256',
];

/** A function that is one intrinsic. */
function functionOf(name: string): string {
  const bits = bitsOf(/^_mm\d*/.exec(name)![0]), [, result, args] = CALLS.find(([r]) => r.test(name))!, half = Math.max(128, bits / 2);
  const type = (c: string): string => ({ v: `__m${bits}${/_p?d_?|_pd/.test(name) && name.includes('_pd') ? 'd' : ''}`, i: `__m${bits}i`, f: `__m${bits}`, h: `__m${half}i`, x: '__m128i', m: '__mmask16', s: 'int', l: 'long long' })[c] ?? c;
  const parameters = [...args].filter((c) => !/\d/.test(c)).map((c, i) => `${type(c)} x${i}`), numbers = /\d+$/.exec(args)?.[0], constants = numbers === undefined ? [] : name.includes('getmant') ? [...numbers] : [numbers];
  return `${type(result)} f${name}(${parameters.join(', ')}) { return (${type(result)})${name}(${[...parameters.map((_, i) => `x${i}`), ...constants].join(', ')}); }`;
}
const HALVES = 'float f_cvtsh_ss(unsigned short h) { return _cvtsh_ss(h); }\nunsigned short f_cvtss_sh(float x) { return (unsigned short)_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT); }';
/** Bytes in order, and the constants that callers name: each a number in the machine code. */
const NUMBERS = ['__m256i f_setr(void) { return _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24); }',
  ...['_MM_MANT_NORM_p75_1p5', '_CMP_EQ_OQ', '_CMP_NEQ_UQ', '_CMP_LT_OQ', '_CMP_LE_OQ', '_CMP_GE_OQ', '_CMP_GT_OQ'].map((n) => `int f${n}(void) { return ${n}; }`)].join('\n');
const LOADS = '__m512 f_maskz_loadu(__mmask16 m, const float *p) { return _mm512_maskz_loadu_ps(m, p); }\nvoid f_mask_storeu(float *p, __mmask16 m, __m512 x) { _mm512_mask_storeu_ps(p, m, x); }';

describe.skipIf(process.arch !== 'x64')('intrinsics made of builtins', () => {
  const code = [...NAMES.map(functionOf), HALVES, NUMBERS, LOADS].join('\n'), flags = [...target('x86-64-v4-vnni').cflags, '-Wno-psabi', '-fvisibility=default'];
  const made = (compiler: string, head: string): Map<string, string> => {
    const object = compile(`#include <stdint.h>\n${head}\n${code}\n`, flags, { compiler, object: true }), text = execFileSync('objdump', ['-d', '--no-show-raw-insn', object], { encoding: 'utf8' });
    return new Map(text.split(/\n(?=[0-9a-f]{16} <)/).slice(1).map((f) => { const [head_, ...lines] = f.split('\n'); return [/<(.*)>/.exec(head_!)![1]!, lines.map((l) => l.replace(/^[^\t]*\t/, '').replace(/\s+/g, ' ').trim()).filter((l) => l && !/^(nop|data16|cs nop|xchg %ax,%ax)/.test(l)).join('\n')]; }));
  };
  it.each(COMPILERS)('give the machine code of immintrin.h: %s', (compiler) => {
    const [text] = x86Text(code, true) as [string], mine = made(compiler, text), theirs = made(compiler, '#include <immintrin.h>');
    expect(mine.size).toBe(NAMES.length + 12);
    expect([...mine]).toEqual([...theirs]);
    // The header is not even opened.
    const read = execFileSync(compiler, [...flags, `-I${includeDir}`, '-E', '-x', 'c', '-'], { input: `${text}\n`, encoding: 'utf8' });
    expect(read).not.toContain('immintrin.h');
    expect(read).toContain('__m512');
  });
  it('are left to the header where one of them is not known', () => {
    expect(x86Text('_mm256_fmadd_ps(a, b, c) + _mm256_hadd_ps(a, b)', true)).toEqual(['#if defined(__x86_64__)\n#include <immintrin.h>\n#endif']);
    expect(x86Text('f(x)', true)).toEqual([]);
  });
  it('are asked for only where the instruction set has them, in text for any', () => {
    const [text] = x86Text('#if defined(__FMA__)\n_mm256_fmadd_ps(a, b, c)\n#endif', false);
    for (const compiler of COMPILERS) for (const set of [[], ['-mfma']]) expect(execFileSync(compiler, [...set, '-E', '-x', 'c', '-'], { input: text, encoding: 'utf8' })).not.toContain('immintrin.h');
  });
});
