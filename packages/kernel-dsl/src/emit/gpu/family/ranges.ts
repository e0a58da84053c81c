import type { DType, Expr } from '../../../ir/index.ts';
import { DTYPES } from '../../../ir/index.ts';

/** The whole numbers from lo to hi, both included. */
export interface Range { readonly lo: number; readonly hi: number }

/** Every value of an integer dtype of up to 32 bits, or of bool. */
export function rangeOfType(t: DType): Range {
  const { kind, bytes } = DTYPES[t];
  return kind === 'bool' ? { lo: 0, hi: 1 } : kind === 'uint' ? { lo: 0, hi: 2 ** (8 * bytes) - 1 } : { lo: -(2 ** (8 * bytes - 1)), hi: 2 ** (8 * bytes - 1) - 1 };
}

/** Bounds of an integer value of up to 32 bits before it wraps: where they fit its type, plain operators do. */
export function rangeOf(e: Expr, known: ReadonlyMap<number, Range>): Range {
  const all = rangeOfType(e.dtype), r = (x: Expr): Range => rangeOf(x, known);
  const held = (x: Range): Range => (x.lo >= all.lo && x.hi <= all.hi ? x : all);
  switch (e.kind) {
    case 'const': return { lo: e.value, hi: e.value };
    case 'var': return known.get(e.id) ?? all;
    case 'cast': return DTYPES[e.x.dtype].kind !== 'float' && DTYPES[e.x.dtype].bytes <= 4 ? held(r(e.x)) : all;
    case 'select': { const a = r(e.a), b = r(e.b); return held({ lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) }); }
    case 'binary': { const x = unwrapped(e, known); return held(x); }
    default: return all;
  }
}


/** Bounds of a sum, difference or product as if it never wrapped; of other operations, those of the result. */
export function unwrapped(e: Expr, known: ReadonlyMap<number, Range>): Range {
  const all = rangeOfType(e.dtype);
  if (e.kind !== 'binary') return rangeOf(e, known);
  const a = rangeOf(e.a, known), b = rangeOf(e.b, known);
  switch (e.fn) {
    case 'add': return { lo: a.lo + b.lo, hi: a.hi + b.hi };
    case 'sub': return { lo: a.lo - b.hi, hi: a.hi - b.lo };
    case 'mul': { const p = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi]; return { lo: Math.min(...p), hi: Math.max(...p) }; }
    case 'and': return b.lo >= 0 ? { lo: 0, hi: b.hi } : a.lo >= 0 ? { lo: 0, hi: a.hi } : all;
    case 'shr': return a.lo >= 0 && b.lo === b.hi ? { lo: Math.floor(a.lo / 2 ** b.lo), hi: Math.floor(a.hi / 2 ** b.lo) } : all;
    case 'min': return { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
    case 'max': return { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
    default: return all;
  }
}
