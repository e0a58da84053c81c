import { cType } from '../types.ts';
import { has, helper, lanewise, mm, x86Bits } from './helper.ts';
import type { Helper } from './helper.ts';

/** acc + the four products of unsigned bytes of a with signed bytes of b. Exact everywhere: vpmaddubsw, which saturates, is not used. */
export function dot4Helper(lanes: number): Helper {
  const I = cType('i32', lanes), U = cType('u32', lanes);
  if (lanes === 1) {
    const term = (i: number): string => (i === 0 ? '(int32_t)(a & 255) * (int8_t)b' : `(int32_t)(a >> ${8 * i} & 255) * (int8_t)(b >> ${8 * i})`);
    return helper('dot4_i32', 'int32_t dot4_i32(int32_t acc, uint32_t a, int32_t b)', { body: `return acc + ${[0, 1, 2, 3].map(term).join(' + ')};` });
  }
  const name = `dot4_${I}`, bits = x86Bits('i32', lanes), one = dot4Helper(1);
  const p = bits ? mm(bits) : '', M = `__m${bits}i`, si = bits === 128 ? 'si128' : `si${bits}`;
  return helper(name, `${I} ${name}(${I} acc, ${U} a, ${I} b)`, {
    variants: bits ? [
      lanes === 4 ? { when: 'defined(__ARM_FEATURE_MATMUL_INT8) && defined(__aarch64__)', body: `return (${I})vusdotq_s32((int32x4_t)acc, (uint8x16_t)a, (int8x16_t)b);` } : undefined,
      { when: has('AVX512VNNI', ...(bits === 512 ? [] : ['AVX512VL'])), body: `return (${I})${p}_dpbusd_epi32((${M})acc, (${M})a, (${M})b);` },
      {
        when: has(bits === 512 ? 'AVX512BW' : bits === 256 ? 'AVX2' : 'SSE2'),
        body: [
          '// Even and odd bytes apart, as 16-bit lanes: a product fits 17 bits, vpmaddwd adds two of them in 32.',
          `const ${M} low = ${p}_set1_epi16(255), x = (${M})a, y = (${M})b;`,
          `const ${M} even = ${p}_madd_epi16(${p}_and_${si}(x, low), ${p}_srai_epi16(${p}_slli_epi16(y, 8), 8));`,
          `const ${M} odd = ${p}_madd_epi16(${p}_srli_epi16(x, 8), ${p}_srai_epi16(y, 8));`,
          `return acc + (${I})even + (${I})odd;`,
        ],
      },
    ] : [],
    body: `return ${lanewise('i32', lanes, (i) => `${one.name}(acc[${i}], a[${i}], b[${i}])`)};`,
    uses: [one],
  });
}
