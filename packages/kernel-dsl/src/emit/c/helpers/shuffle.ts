import { bytesOf } from '../../../ir/index.ts';
import type { DType } from '../../../ir/index.ts';
import { cType } from '../types.ts';
import { has, helper } from './helper.ts';
import type { Helper, Variant } from './helper.ts';

/** Lanes of two vectors of `lanes` lanes each, chosen when the code is written. Compilers turn it into the shuffles of the machine. */
export function shuffleHelper(t: DType, lanes: number, pick: readonly number[]): Helper {
  const T = cType(t, lanes), R = cType(t, pick.length), name = `${patternName(lanes, pick)}_${T}`, list = pick.join(', ');
  const bits = cType(`i${t.slice(1)}` as DType, pick.length);
  return helper(name, `${R} ${name}(${T} a, ${T} b)`, {
    variants: [repeated(t, lanes, pick), { when: 'defined(__clang__) || __GNUC__ >= 12', body: `return __builtin_shufflevector(a, b, ${list});` }],
    body: pick.length === lanes ? `return __builtin_shuffle(a, b, (${bits}){${list}});` : `return (${R}){${pick.map((i) => (i < lanes ? `a[${i}]` : `b[${i - lanes}]`)).join(', ')}};`,
  });
}

/** 16 bytes over and over: a broadcast, which costs nothing beyond a load. Compilers do not find it by themselves. */
function repeated(t: DType, lanes: number, pick: readonly number[]): Variant | undefined {
  const bits = bytesOf(t) * pick.length * 8;
  if (bytesOf(t) * lanes !== 16 || (bits !== 256 && bits !== 512) || !pick.every((x, i) => x === i % lanes)) return undefined;
  const body = bits === 256 ? '_mm256_broadcastsi128_si256' : '_mm512_broadcast_i32x4';
  return { when: has(bits === 256 ? 'AVX2' : 'AVX512F'), body: ['(void)b;', `return (${cType(t, pick.length)})${body}((__m128i)a);`] };
}

/** What people call a pattern, or its numbers. */
function patternName(lanes: number, pick: readonly number[]): string {
  const is = (f: (i: number) => number): boolean => pick.length === lanes && pick.every((x, i) => x === f(i));
  if (pick.length > lanes && pick.every((x, i) => x === i % lanes)) return `repeat${pick.length / lanes}`;
  if (is((i) => 2 * i)) return 'even';
  if (is((i) => 2 * i + 1)) return 'odd';
  for (const [name, from] of [['zip_low', 0], ['zip_high', lanes / 2]] as const) if (is((i) => from + Math.floor(i / 2) + (i % 2) * lanes)) return name;
  for (let d = 1; d < lanes; d *= 2) {
    if (is((i) => (i & d ? i - d + lanes : i))) return `swap${d}_first`;
    if (is((i) => (i & d ? i + lanes : i + d))) return `swap${d}_second`;
  }
  return `pick_${pick.join('_')}`;
}
