import type { DType } from '../../../ir/index.ts';
import { cType } from '../types.ts';
import { helper } from './helper.ts';
import type { Helper } from './helper.ts';

/** Lanes of two vectors of `lanes` lanes each, chosen when the code is written. Compilers turn it into the shuffles of the machine. */
export function shuffleHelper(t: DType, lanes: number, pick: readonly number[]): Helper {
  const T = cType(t, lanes), R = cType(t, pick.length), name = `${patternName(lanes, pick)}_${T}`, list = pick.join(', ');
  const bits = cType(`i${t.slice(1)}` as DType, pick.length);
  return helper(name, `${R} ${name}(${T} a, ${T} b)`, {
    variants: [{ when: 'defined(__clang__) || __GNUC__ >= 12', body: `return __builtin_shufflevector(a, b, ${list});` }],
    body: pick.length === lanes ? `return __builtin_shuffle(a, b, (${bits}){${list}});` : `return (${R}){${pick.map((i) => (i < lanes ? `a[${i}]` : `b[${i - lanes}]`)).join(', ')}};`,
  });
}

/** What people call a pattern, or its numbers. */
function patternName(lanes: number, pick: readonly number[]): string {
  const is = (f: (i: number) => number): boolean => pick.length === lanes && pick.every((x, i) => x === f(i));
  if (is((i) => 2 * i)) return 'even';
  if (is((i) => 2 * i + 1)) return 'odd';
  for (const [name, from] of [['zip_low', 0], ['zip_high', lanes / 2]] as const) if (is((i) => from + Math.floor(i / 2) + (i % 2) * lanes)) return name;
  for (let d = 1; d < lanes; d *= 2) {
    if (is((i) => (i & d ? i - d + lanes : i))) return `swap${d}_first`;
    if (is((i) => (i & d ? i + lanes : i + d))) return `swap${d}_second`;
  }
  return `pick_${pick.join('_')}`;
}
