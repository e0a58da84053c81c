import type { DType } from '../../../ir/index.ts';
import { bytesOf } from '../../../ir/index.ts';
import { cType, unsignedBits } from '../types.ts';
import { helper, lanewise } from './helper.ts';
import type { Helper } from './helper.ts';

/** Set bits, zeros above the highest or below the lowest set bit of an integer; of 0, the latter two give the width of the type. */
export function countHelper(fn: 'popcount' | 'clz' | 'ctz', t: DType, lanes: number): Helper {
  const T = cType(t, lanes), name = `${fn}_${lanes === 1 ? t : T}`, sig = `${T} ${name}(${T} x)`, bits = bytesOf(t) * 8;
  if (lanes === 1) {
    const ll = bits === 64 ? 'll' : '', u = `(${unsignedBits(t)})x`, spare = Math.max(32, bits) - bits;
    const body = fn === 'popcount' ? `return (${T})__builtin_popcount${ll}(${u});`
      : `return (${T})(x ? __builtin_${fn}${ll}(${u})${fn === 'clz' && spare ? ` - ${spare}` : ''} : ${bits});`;
    return helper(name, sig, { body });
  }
  const one = countHelper(fn, t, 1);
  if (bits === 64) return helper(name, sig, { body: `return ${lanewise(t, lanes, (i) => `${one.name}(x[${i}])`)};`, uses: [one] });
  // In every lane at once: sums of neighbouring groups of bits (Warren, Hacker's Delight, chapter 5); the other two count the ones of a mask.
  const U = cType(`u${bits}` as DType, lanes), repeat = (byte: string): string => `0x${byte.repeat(bits / 8)}u`;
  if (fn === 'popcount') {
    const step = bits === 8 ? ['return (T)((v + (v >> 4)) & 0x0fu);']
      : [`v = (v + (v >> 4)) & ${repeat('0f')};`, ...(bits === 32 ? ['v += v >> 8;', 'v += v >> 16;', 'return (T)(v & 0x3fu);'] : ['return (T)((v + (v >> 8)) & 0x1fu);'])];
    return helper(name, sig, {
      body: [`${U} v = (${U})x;`, `v -= (v >> 1) & ${repeat('55')};`, `v = (v & ${repeat('33')}) + ((v >> 2) & ${repeat('33')});`, ...step.map((l) => l.replace('(T)', `(${T})`))],
    });
  }
  const count = countHelper('popcount', t, lanes);
  if (fn === 'ctz') return helper(name, sig, { body: [`const ${U} v = (${U})x;`, `return ${count.name}((${T})(~v & (v - 1u)));`], uses: [count] });
  const smear = [1, 2, 4, 8, 16].filter((s) => s < bits).map((s) => `v |= v >> ${s};`);
  return helper(name, sig, { body: [`${U} v = (${U})x;`, ...smear, `return ${count.name}((${T})~v);`], uses: [count] });
}
