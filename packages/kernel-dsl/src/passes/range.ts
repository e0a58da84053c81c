import { DTYPES } from '../ir/index.ts';
import type { Expr } from '../ir/index.ts';

/** The integers from lo to hi, both included; either may be infinite. */
export interface Range { readonly lo: number; readonly hi: number }

const ANY: Range = { lo: -Infinity, hi: Infinity };
const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);

export const addRange = (a: Range, b: Range): Range => ({ lo: a.lo + b.lo, hi: a.hi + b.hi });
export const scaleRange = (a: Range, c: number): Range => {
  const x = times(a.lo, c), y = times(a.hi, c);
  return { lo: Math.min(x, y), hi: Math.max(x, y) };
};
const mulRange = (a: Range, b: Range): Range => {
  const all = [times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi)];
  return { lo: Math.min(...all), hi: Math.max(...all) };
};

/** Every value of an integer dtype (what an index can be read from). */
function ofDtype(e: Expr): Range {
  const { kind, bytes } = DTYPES[e.dtype];
  if (kind === 'float' || bytes === 8) return ANY;
  return kind === 'int' ? { lo: -(2 ** (8 * bytes - 1)), hi: 2 ** (8 * bytes - 1) - 1 } : { lo: 0, hi: kind === 'bool' ? 1 : 2 ** (8 * bytes) - 1 };
}

/** Bounds of a scalar integer expression; `ofVar` knows those of variables. Sizes are not negative. */
export function rangeOf(e: Expr, ofVar: (id: number) => Range | undefined): Range {
  const r = (x: Expr): Range => rangeOf(x, ofVar);
  switch (e.kind) {
    case 'const': return { lo: e.value, hi: e.value };
    case 'size': return { lo: 0, hi: Infinity };
    case 'var': return ofVar(e.id) ?? ofDtype(e);
    case 'cast': return e.dtype === 'i64' && DTYPES[e.x.dtype].kind !== 'float' ? r(e.x) : ofDtype(e);
    case 'select': { const a = r(e.a), b = r(e.b); return { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) }; }
    case 'binary': {
      if (e.dtype !== 'i64') return ofDtype(e);
      const a = r(e.a), b = r(e.b), n = e.b.kind === 'const' && e.b.value > 0 ? e.b.value : undefined;
      switch (e.fn) {
        case 'add': return addRange(a, b);
        case 'sub': return addRange(a, scaleRange(b, -1));
        case 'mul': return mulRange(a, b);
        case 'min': return { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
        case 'max': return { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
        case 'div': return n ? { lo: Math.floor(a.lo / n), hi: Math.floor(a.hi / n) } : ANY;
        case 'mod': return n ? { lo: 0, hi: n - 1 } : ANY;
        default: return ANY;
      }
    }
    default: return ofDtype(e);
  }
}
