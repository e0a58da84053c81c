import type { DType, ReduceFn } from '../../../ir/index.ts';
import { cType } from '../types.ts';
import { minMaxHelper } from './arith.ts';
import { helper } from './helper.ts';
import type { Helper } from './helper.ts';

/** The lower or upper half of a vector. */
function halfHelper(part: 'low' | 'high', t: DType, lanes: number): Helper {
  const T = cType(t, lanes), H = cType(t, lanes / 2), name = `${part}_half_${T}`, from = part === 'low' ? 0 : lanes / 2;
  return helper(name, `${H} ${name}(${T} x)`, {
    variants: [{ when: 'defined(__clang__) || __GNUC__ >= 12', body: `return __builtin_shufflevector(x, x, ${Array.from({ length: lanes / 2 }, (_, i) => from + i).join(', ')});` }],
    body: [`${H} h;`, `__builtin_memcpy(&h, (const char *)&x${from ? ' + sizeof h' : ''}, sizeof h);`, 'return h;'],
  });
}

/** All lanes combined by halving: lane i with lane i + n/2, until one is left. */
export function reduceHelper(fn: ReduceFn, t: DType, lanes: number): Helper {
  const name = `reduce_${fn}_${cType(t, lanes)}`, uses: Helper[] = [], body: string[] = [];
  const op = (a: string, b: string, n: number): string => {
    if (fn === 'add' || fn === 'mul') return n === 1 ? `(${a} ${fn === 'add' ? '+' : '*'} ${b})` : `${a} ${fn === 'add' ? '+' : '*'} ${b}`;
    const h = minMaxHelper(fn, t, n);
    uses.push(h);
    return `${h.name}(${a}, ${b})`;
  };
  let x = 'x', n = lanes;
  for (; n > 4; n /= 2) {
    const low = halfHelper('low', t, n), high = halfHelper('high', t, n);
    uses.push(low, high);
    body.push(`const ${cType(t, n / 2)} x${n / 2} = ${op(`${low.name}(${x})`, `${high.name}(${x})`, n / 2)};`);
    x = `x${n / 2}`;
  }
  const lane = (i: number): string => `${x}[${i}]`;
  const sum = n === 4 ? op(op(lane(0), lane(2), 1), op(lane(1), lane(3), 1), 1) : op(lane(0), lane(1), 1);
  body.push(`return ${sum.startsWith('(') ? sum.slice(1, -1) : sum};`);
  return helper(name, `${cType(t)} ${name}(${cType(t, lanes)} x)`, { body, uses });
}
