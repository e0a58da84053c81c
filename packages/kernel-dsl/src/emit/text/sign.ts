import type { Expr } from '../../ir/index.ts';
import { isInt } from '../../ir/index.ts';

/** Is an integer certainly not negative? Then C's `/` and `%` are the floor of the language. `known` holds variables that are not. */
export function nonNegative(e: Expr, known: ReadonlySet<number>): boolean {
  if (e.dtype === 'u32' || e.dtype === 'u8' || e.dtype === 'u16' || e.dtype === 'bool') return true;
  if (!isInt(e.dtype)) return false;
  const is = (x: Expr): boolean => nonNegative(x, known);
  switch (e.kind) {
    case 'const': return e.value >= 0;
    case 'size': return true;
    case 'var': return known.has(e.id);
    case 'broadcast': return is(e.x);
    case 'ramp': return is(e.base) && is(e.stride);
    // i64 holds indices, which do not overflow; the narrower types wrap.
    case 'cast': return e.dtype === 'i64' && isInt(e.x.dtype) && is(e.x);
    case 'select': return is(e.a) && is(e.b);
    case 'binary':
      switch (e.fn) {
        case 'add': case 'mul': return e.dtype === 'i64' && is(e.a) && is(e.b);
        case 'div': case 'min': return is(e.a) && is(e.b);
        case 'mod': return is(e.b);
        case 'max': case 'and': return is(e.a) || is(e.b);
        case 'shr': return is(e.a);
        default: return false;
      }
    default: return false;
  }
}
