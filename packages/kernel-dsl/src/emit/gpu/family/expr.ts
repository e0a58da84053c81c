import type { Binary, Cast, Cmp, DType, Expr, Join, Unary, Var } from '../../../ir/index.ts';
import { DTYPES, bytesOf, isFloat, isInt } from '../../../ir/index.ts';
import { EmitError } from '../../error.ts';
import { call, castTo, heldAs, infix, literal as cLiteral, nonNegative, PREC, prefix, primary, ternary, wrap } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { nameOf, need, scalarKey, varKey } from './frame.ts';
import type { Frame } from './frame.ts';
import { absHelper, approximateHelper, bf16FromF32Helper, bitsHelper, countHelper, dot4Helper, f16FromF32Helper, f32FromBf16Helper, f32FromF16Helper, floorDivHelper, isReal, joinHelper, ldexpHelper, libmHelper, minMaxHelper, pairHelper, splitHelper, wrapHelper } from './helpers.ts';
import { indexText, isNarrow, wideText } from './index-text.ts';
import { loadText } from './memory.ts';
import { rangeOfType, unwrapped } from './ranges.ts';
import { typeOf } from './types.ts';

const OPS: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', div: '/', and: '&', or: '|', xor: '^', shl: '<<', shr: '>>' };
const CMPS = { lt: '<', le: '<=', gt: '>', ge: '>=', eq: '==', ne: '!=' } as const;

const half = (t: DType): t is 'f16' | 'bf16' => t === 'f16' || t === 'bf16';
const small = (t: DType): boolean => isInt(t) && bytesOf(t) < 4;

/** A scalar expression. i64 values are 64 bits wide; index arithmetic is printed by index-text. */
export function exprText(f: Frame, e: Expr): Text {
  return e.dtype === 'i64' && e.lanes === 1 ? wideText(f, e, exprText, (x) => scalarText(f, x)) : scalarText(f, e);
}

/** A constant, as text that reads back as the same value. */
function literal(value: number, t: DType): Text {
  const bits = t === 'i32' ? 31 : 63;
  if ((t === 'i32' || t === 'i64') && value <= -(2 ** bits)) return primary(t === 'i32' ? '(-2147483647 - 1)' : '(-9223372036854775807 - 1)');
  const text = t === 'i64' && value >= 2 ** 63 ? '9223372036854775807' : cLiteral(value, t);
  return { t: text, p: /^[-(]/.test(text) ? PREC.unary : PREC.primary };
}

function scalarText(f: Frame, e: Expr): Text {
  const x = (y: Expr): Text => exprText(f, y);
  switch (e.kind) {
    case 'const': return literal(e.value, e.dtype);
    case 'scalar': return primary(nameOf(f, scalarKey(e.name), e.name));
    case 'var': return primary(nameOf(f, varKey(e), e.name));
    case 'load': return loadText(f, e, exprText);
    case 'cast': return castText(f, e.x, e.dtype);
    case 'bitcast': return e.x.lanes === 1 ? reinterpret(f, x(e.x), e.x.dtype, e.dtype) : unprinted(e);
    case 'unary': return unaryText(f, e);
    case 'binary': return binaryText(f, e);
    case 'cmp': return compareText(f, e);
    case 'fma': return call(f.m.dialect.fn('fma', e.dtype as 'f32' | 'f64'), x(e.a), x(e.b), x(e.c));
    case 'select': return ternary(x(e.cond), x(e.a), x(e.b));
    case 'dot4': return call(need(f, dot4Helper()), x(e.acc), x(e.a), x(e.b));
    case 'shuffle': {
      const from = e.pick[0]! < e.a.lanes ? e.a : e.b;
      return e.lanes === 1 && from.kind === 'var' ? primary(f.m.dialect.vector.lane(nameOf(f, varKey(from), from.name), e.pick[0]! % e.a.lanes)) : unprinted(e);
    }
    case 'join': { const whole = wholeVector(e); return whole ? primary(nameOf(f, varKey(whole), whole.name)) : call(need(f, joinHelper(e.dtype, e.lanes)), ...e.parts.map(x)); }
    default: return unprinted(e);
  }
}
/** The vector whose lanes, all of them and in order, are joined. */
function wholeVector(e: Join): Var | undefined {
  const first = e.parts[0], v = first?.kind === 'shuffle' && first.a.kind === 'var' ? first.a : undefined;
  return v?.lanes === e.lanes && e.parts.every((x, i) => x.kind === 'shuffle' && x.a.kind === 'var' && x.a.id === v.id && x.pick[0] === i) ? v : undefined;
}
const unprinted = (e: Expr): never => { throw new EmitError(`${e.kind} to ${e.dtype}x${e.lanes} in a text for a GPU`, e.loc); };

/** The arithmetic of small integers happens in int: cut the result back to its type. */
const cut = (t: DType, x: Text): Text => (small(t) ? castTo(typeOf(t), { t: wrap(x, PREC.unary), p: PREC.unary }) : x);

/** A number as another dtype. */
export function convert(f: Frame, x: Text, from: DType, to: DType): Text {
  if (from === to) return x;
  if (half(from)) return convert(f, call(need(f, from === 'f16' ? f32FromF16Helper() : f32FromBf16Helper()), x), 'f32', to);
  if (half(to)) return call(need(f, to === 'f16' ? f16FromF32Helper() : bf16FromF32Helper()), convert(f, x, from, 'f32'));
  // By way of int: what is beyond the smaller type wraps.
  if (isFloat(from) && small(to)) return castTo(typeOf(to), castTo('int', x));
  return castTo(typeOf(to), x);
}

function castText(f: Frame, x: Expr, to: DType): Text {
  if (to === 'bool') return infix('!=', exprText(f, x), primary('0'));
  if (x.dtype === 'bool') { const one = to === 'f16' || to === 'bf16' ? 'f32' : to; return convert(f, castTo(typeOf(one), exprText(f, x)), one, to); }
  if (x.dtype !== 'i64' || x.lanes > 1) return convert(f, exprText(f, x), x.dtype, to);
  const { text, bits } = indexText(f, x, exprText);
  return bits === 32 ? (to === 'i32' ? text : convert(f, text, 'i32', to)) : convert(f, text, 'i64', to);
}

/** The same bits as another type of the same size. */
function reinterpret(f: Frame, x: Text, from: DType, to: DType): Text {
  if (heldAs(from) === heldAs(to)) return x;
  if (isInt(heldAs(from)) && isInt(heldAs(to))) return castTo(typeOf(to), x);
  return call(need(f, bitsHelper(from, to)), x);
}

function unaryText(f: Frame, e: Unary): Text {
  const t = e.dtype, x = (): Text => exprText(f, e.x), real = isReal(t), { dialect } = f.m;
  switch (e.fn) {
    case 'neg': return real ? prefix('-', x()) : DTYPES[t].kind === 'int' && bytesOf(t) === 4 ? call(need(f, wrapHelper('neg', t)), x()) : cut(t, prefix('-', x()));
    case 'not': return t === 'bool' ? prefix('!', x()) : cut(t, prefix('~', x()));
    case 'popcount': case 'clz': case 'ctz': return call(need(f, countHelper(e.fn, t)), x());
    case 'abs': return real ? call(dialect.fn('fabs', t), x()) : DTYPES[t].kind === 'uint' ? x() : call(need(f, absHelper(t)), x());
    case 'floor': case 'ceil': case 'round': case 'trunc': return real ? call(dialect.fn(e.fn, t), x()) : x();
    case 'sqrt': if (real) return call(dialect.fn('sqrt', t), x()); break;
    case 'rsqrt': if (real) return infix('/', primary(t === 'f32' ? '1.0f' : '1.0'), call(dialect.fn('sqrt', t), x())); break;
    case 'exponent': case 'mantissa': if (real) return call(need(f, splitHelper(e.fn, t)), x()); break;
    default: if (real) return call(need(f, approximateHelper(e.fn, t, f.m) ?? libmHelper(e.fn, t)), x());
  }
  throw new EmitError(`${e.fn} of ${t}`, e.loc);
}

function compareText(f: Frame, e: Cmp): Text {
  if (e.a.dtype === 'i64' && isNarrow(f, e.a) && isNarrow(f, e.b)) return infix(CMPS[e.fn], indexText(f, e.a, exprText).text, indexText(f, e.b, exprText).text);
  return infix(CMPS[e.fn], exprText(f, e.a), exprText(f, e.b));
}

function binaryText(f: Frame, e: Binary): Text {
  const { a, b, dtype: t, fn } = e, x = (): Text => exprText(f, a), y = (): Text => exprText(f, b);
  if (t === 'bool') return infix(fn === 'and' || fn === 'min' ? '&&' : fn === 'or' || fn === 'max' ? '||' : '!=', x(), y());
  if (fn === 'min' || fn === 'max') return call(need(f, approximateHelper(fn, t, f.m) ?? minMaxHelper(fn, t)), x(), y());
  if (isReal(t)) {
    if (fn === 'copysign') return call(f.m.dialect.fn('copysign', t), x(), y());
    if (fn === 'ldexp') return call(need(f, ldexpHelper(t)), x(), y());
    if (fn === 'pow') return t === 'f32' ? castTo('float', call('pow', castTo('double', x()), castTo('double', y()))) : call('pow', x(), y());
  }
  const op = OPS[fn];
  if (isFloat(t)) { if (!isReal(t) || op === undefined) throw new EmitError(`${fn} of ${t}`, e.loc); return infix(op, x(), y()); }
  if (fn === 'div' || fn === 'mod') {
    const plain = nonNegative(a, f.nonNegative) && nonNegative(b, f.nonNegative);
    if (plain && b.kind === 'const' && b.value > 0) return infix(fn === 'div' ? '/' : '%', x(), y());
    return call(need(f, floorDivHelper(fn, t, plain)), x(), y());
  }
  const both = fn === 'or' ? pairText(f, e) : undefined;
  if (both) return both;
  if (op === undefined) throw new EmitError(`${fn} of ${t}`, e.loc);
  return cutWhole(f, e, t, op, x(), y());
}

/** Two floats as 16-bit ones in a word, `u32(bits(x)) | u32(bits(y)) << 16`, where one instruction does it. */
function pairText(f: Frame, { a, b }: Binary): Text | undefined {
  const rounded = (e: Expr): Cast | undefined => { const x = e.kind === 'cast' && e.dtype === 'u32' && e.x.kind === 'bitcast' && e.x.dtype === 'u16' ? e.x.x : undefined; return x?.kind === 'cast' && half(x.dtype) && x.x.dtype === 'f32' ? x : undefined; };
  const low = rounded(a), high = b.kind === 'binary' && b.fn === 'shl' && b.b.kind === 'const' && b.b.value === 16 ? rounded(b.a) : undefined, t = low?.dtype;
  const h = t && half(t) && high?.dtype === t ? pairHelper(t, f.m.dialect, f.m.target) : undefined;
  return h && call(need(f, h), exprText(f, low!.x), exprText(f, high!.x));
}

/** Whole numbers of up to 32 bits: plain where nothing overflows, else so that it wraps. */
function cutWhole(f: Frame, e: Binary, t: DType, op: string, x: Text, y: Text): Text {
  const { fn } = e, wraps = fn === 'add' || fn === 'sub' || fn === 'mul' || fn === 'shl';
  if (!wraps || t === 'u32') return infix(op, x, y);
  if (fn !== 'shl') {
    const r = unwrapped(e, f.ranges), own = rangeOfType(t), int = rangeOfType('i32');
    if (r.lo >= own.lo && r.hi <= own.hi && t === 'i32') return infix(op, x, y);
    if (t !== 'i32' && r.lo >= int.lo && r.hi <= int.hi) return cut(t, infix(op, x, y));
  }
  if (t === 'i32') return call(need(f, wrapHelper(fn as 'add' | 'sub' | 'mul' | 'shl', t)), x, y);
  return castTo(typeOf(t), { t: `(${infix(op, castTo('u32', x), y).t})`, p: PREC.primary });
}
