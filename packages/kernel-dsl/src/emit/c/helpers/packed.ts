import type { PackedDType } from '../../../ir/index.ts';
import { HELD } from '../../../ir/index.ts';
import { cType } from '../types.ts';
import { helper, lanewise } from './helper.ts';
import type { Helper } from './helper.ts';

/** Reads elements of four bits from element `i` on, each or every second one; the lower half of a byte comes first. */
export function packedHelper(t: PackedDType, lanes: number, step: 1 | 2 = 1): Helper {
  const held = HELD[t], T = cType(held, lanes), name = `${step === 1 ? 'load' : 'load_half'}_${t}${lanes === 1 ? '' : `x${lanes}`}`, sig = `${T} ${name}(const uint8_t *p, int64_t i)`;
  if (lanes === 1) {
    const half = 'p[i >> 1] >> (i & 1) * 4';
    return helper(name, sig, { body: t === 'u4' ? `return ${half} & 15;` : `return (int8_t)(((${half} & 15) ^ 8) - 8);` });
  }
  const one = packedHelper(t, 1), H = cType('u8', lanes / 2), pick = Array.from({ length: lanes }, (_, l) => (l % 2) * (lanes / 2) + Math.floor(l / 2));
  const U = cType('u8', lanes), sign = t === 'u4' ? `return (${T})v;` : `return (${T})((v ^ 8) - 8);`;
  if (step === 2) return helper(name, sig, { body: [`${U} b;`, '__builtin_memcpy(&b, p + (i >> 1), sizeof b);', `const ${U} v = i & 1 ? b >> 4 : b & 15;`, sign] });
  if (lanes < 4) return helper(name, sig, { body: `return ${lanewise(held, lanes, (l) => `${one.name}(p, i + ${l})`)};`, uses: [one] });
  return helper(name, sig, {
    body: [
      `if (i & 1) return ${lanewise(held, lanes, (l) => `${one.name}(p, i + ${l})`)};`,
      `${H} b;`, '__builtin_memcpy(&b, p + (i >> 1), sizeof b);', `const ${H} low = b & 15, high = b >> 4;`,
      '#if defined(__clang__) || __GNUC__ >= 12', `const ${U} v = __builtin_shufflevector(low, high, ${pick.join(', ')});`,
      '#else', `const ${U} v = {${pick.map((x) => (x < lanes / 2 ? `low[${x}]` : `high[${x - lanes / 2}]`)).join(', ')}};`, '#endif', sign,
    ],
    uses: [one],
  });
}
