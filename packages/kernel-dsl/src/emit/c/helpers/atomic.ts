import type { AtomicFn, DType } from '../../../ir/index.ts';
import { isFloat } from '../../../ir/index.ts';
import { cType } from '../types.ts';
import { minMaxHelper } from './arith.ts';
import { helper } from './helper.ts';
import type { Helper } from './helper.ts';

/** Updates a cell in one step and returns what it held. No order with other memory is asked for: the end of a parallel loop brings that. */
export function atomicHelper(fn: AtomicFn, t: DType): Helper {
  const T = cType(t), name = `atomic_${fn}_${t}`, sig = `${T} ${name}(${T} *p, ${T} x)`, order = '__ATOMIC_RELAXED';
  if (fn === 'exchange') return helper(name, sig, { body: [`${T} old;`, `__atomic_exchange(p, &x, &old, ${order});`, 'return old;'] });
  if (!isFloat(t) && fn !== 'min' && fn !== 'max') return helper(name, sig, { body: `return __atomic_fetch_${fn}(p, x, ${order});` });
  // No instruction: try until nobody came between.
  const one = fn === 'min' || fn === 'max' ? minMaxHelper(fn, t, 1) : undefined;
  return helper(name, sig, {
    body: [
      `${T} old, next;`, `__atomic_load(p, &old, ${order});`,
      `do next = ${one ? `${one.name}(old, x)` : 'old + x'}; while (!__atomic_compare_exchange(p, &old, &next, 1, ${order}, ${order}));`, 'return old;',
    ],
    uses: one ? [one] : [],
  });
}

/** A float for printf: of NaN, C libraries show the sign or not. */
export const printableHelper = (): Helper => helper('printable', 'double printable(double x)', { body: 'return x == x ? x : __builtin_nan("");' });
