import type { Binary, Expr } from '../../../ir/index.ts';
import { bytesOf, isInt } from '../../../ir/index.ts';
import { EmitError } from '../../error.ts';
import { call, castTo, infix, literal, nonNegative, PREC, primary, ternary } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { demand, need, scalarKey, sizeKey, strideKey, symbolOf, varKey } from './frame.ts';
import type { Frame, Indexing, Symbol } from './frame.ts';
import { floorDivHelper, minMaxHelper } from './helpers.ts';
import { intervalOf, tooWide } from './interval.ts';
import { typeOf } from './types.ts';

/** Prints an expression of any dtype; of i64, as a 64-bit value. Handed in by expr.ts. */
export type Print = (f: Frame, e: Expr) => Text;

/** Bounds of an index in this launch. */
export const interval = (f: Indexing, e: Expr): ReturnType<typeof intervalOf> => intervalOf(e, (id) => f.intervals.get(id), f.memo);
const OPS = { add: '+', sub: '-', mul: '*' } as const;
const isPoly = (e: Expr): e is Binary & { readonly fn: keyof typeof OPS } => e.kind === 'binary' && e.fn in OPS;

/** Can an i64 value be computed in 32 bits, given what the module demands of its caller? */
export function isNarrow(f: Indexing, e: Expr): boolean {
  if (f.m.options.indexBits === 64 || e.dtype !== 'i64' || e.lanes !== 1) return false;
  const bounds = interval(f, e);
  if (!bounds || tooWide(bounds)) return false;
  switch (e.kind) {
    case 'const': case 'size': case 'stride': case 'scalar': return true;
    case 'var': return f.symbols.get(varKey(e))?.bits === 32;
    case 'cast': return isInt(e.x.dtype) && e.x.dtype !== 'i64' ? true : e.x.dtype === 'bool';
    case 'select': return isNarrow(f, e.a) && isNarrow(f, e.b);
    case 'binary': return isNarrow(f, e.a) && isNarrow(f, e.b);
    default: return false;
  }
}

/** Demands that all values of e fit. */
export function demandAll(f: Indexing, e: Expr): void {
  const b = interval(f, e);
  if (!b) return;
  demand(f, b.hi);
  if (b.lo !== b.hi && b.lo.kind !== 'const' && !nonNegative(b.lo, new Set())) demand(f, b.lo);
}

function leaf(f: Frame, e: Expr): Symbol | undefined {
  switch (e.kind) {
    case 'size': return symbolOf(f, sizeKey(e.name), e.name);
    case 'stride': return symbolOf(f, strideKey(e.buf, e.dim), `the stride of ${e.buf.name}`);
    case 'scalar': return symbolOf(f, scalarKey(e.name), e.name);
    case 'var': return symbolOf(f, varKey(e), e.name);
    default: return undefined;
  }
}

/** An index in the width of index arithmetic: an address, whose value fits since it lies in a tensor. Sums and products may be taken modulo 2^32. */
export const addressText = (f: Frame, e: Expr, print: Print): Text => (f.m.options.indexBits === 64 ? print(f, e) : narrowText(f, e, print));

/** An i64 value for a loop, a guard or a name: in 32 bits where it is known to fit. */
export function indexText(f: Frame, e: Expr, print: Print): { readonly text: Text; readonly bits: 32 | 64 } {
  if (!isNarrow(f, e)) return { text: print(f, e), bits: 64 };
  demandAll(f, e);
  return { text: narrowText(f, e, print), bits: 32 };
}

/** A 32-bit int with the value of e, or that modulo 2^32 where e is made of sums and products. */
function narrowText(f: Frame, e: Expr, print: Print): Text {
  const n = (x: Expr): Text => narrowText(f, x, print), fits = (x: Expr): Text => { demandAll(f, x); return n(x); };
  if (e.kind === 'const') return { t: literal(e.value, 'i64'), p: e.value < 0 ? PREC.unary : PREC.primary };
  const own = leaf(f, e);
  if (own) {
    if (e.kind !== 'var') demand(f, e);
    return own.bits === 64 || (e.kind === 'scalar' && e.dtype === 'i64') ? castTo('int', primary(own.name)) : primary(own.name);
  }
  if (isPoly(e)) return infix(OPS[e.fn], e.fn === 'sub' && isNarrow(f, e.a) ? fits(e.a) : n(e.a), e.fn === 'sub' && isNarrow(f, e.b) ? fits(e.b) : n(e.b));
  if (!isNarrow(f, e)) return castTo('int', print(f, e));
  if (e.kind === 'cast') { const x = print(f, e.x); return e.x.dtype === 'i32' || bytesOf(e.x.dtype) < 4 ? x : castTo('int', x); }
  if (e.kind === 'select') return ternary(print(f, e.cond), n(e.a), n(e.b));
  if (e.kind !== 'binary') throw new EmitError(`${e.kind} as an index`, e.loc);
  return indexOperation(f, e, fits(e.a), fits(e.b), 'i32');
}

/** Operations on whole numbers that do not overflow, in i32 or i64. */
export function indexOperation(f: Frame, e: Binary, a: Text, b: Text, t: 'i32' | 'i64'): Text {
  switch (e.fn) {
    case 'add': return infix('+', a, b);
    case 'sub': return infix('-', a, b);
    case 'mul': return infix('*', a, b);
    case 'min': case 'max': return call(need(f, minMaxHelper(e.fn, t)), a, b);
    case 'and': return infix('&', a, b);
    case 'or': return infix('|', a, b);
    case 'xor': return infix('^', a, b);
    case 'shr': return infix('>>', a, b);
    case 'shl': return castTo(typeOf(t), { t: `(${t === 'i32' ? `(u32)${a.p >= PREC.unary ? a.t : `(${a.t})`}` : `(u64)${a.p >= PREC.unary ? a.t : `(${a.t})`}`} << ${b.p > PREC.shift ? b.t : `(${b.t})`})`, p: PREC.primary });
    case 'div': case 'mod': {
      const plain = nonNegative(e.a, f.nonNegative) && nonNegative(e.b, f.nonNegative);
      if (plain && e.b.kind === 'const' && e.b.value > 0) return infix(e.fn === 'div' ? '/' : '%', a, b);
      return call(need(f, floorDivHelper(e.fn, t, plain)), a, b);
    }
    default: throw new EmitError(`${e.fn} of an index`, e.loc);
  }
}

/** An i64 value in 64 bits. */
export function wideText(f: Frame, e: Expr, print: Print, other: (e: Expr) => Text): Text {
  if (e.kind !== 'const' && isNarrow(f, e)) { demandAll(f, e); return castTo('i64', narrowText(f, e, print)); }
  const own = leaf(f, e);
  if (own) {
    const bits = e.kind === 'scalar' ? 64 : own.bits ?? f.m.options.indexBits;
    return bits === 32 ? castTo('i64', primary(own.name)) : primary(own.name);
  }
  if (e.kind === 'binary') return indexOperation(f, e, print(f, e.a), print(f, e.b), 'i64');
  return other(e);
}
