import type { Binary, Cmp, DType, Expr, Unary } from '../../../ir/index.ts';
import { DTYPES, bytesOf, exprKey, isConst, isFloat, isInt, printExpr } from '../../../ir/index.ts';
import { EmitError } from '../../error.ts';
import { infix, nonNegative, prefix, primary } from '../../text/index.ts';
import type { Text } from '../../text/index.ts';
import { isNarrow, rangeOfType, scalarKey, unwrapped, varKey } from '../family/index.ts';
import { addressText, indexText } from './address.ts';
import { call, lacks, nameOf, need, symbolOf } from './frame.ts';
import type { Frame } from './frame.ts';
import { bf16FromF32Helper, copysignHelper, countHelper, dot4Helper, f16FromF32Helper, f32FromBf16Helper, f32FromF16Helper, f32FromIntHelper, floorDivHelper, intFromF32Helper, isNanHelper, ldexpHelper, minMaxHelper, splitHelper } from './helpers.ts';
import { literalText } from './literal.ts';
import { laneText, loadText } from './memory.ts';
import { waveHelper } from './trig.ts';
import { bitsOf, typeOf } from './types.ts';

const OPS: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', div: '/', and: '&', or: '|', xor: '^' };
const CMPS = { lt: '<', le: '<=', gt: '>', ge: '>=', eq: '==', ne: '!=' } as const;
const half = (t: DType): t is 'f16' | 'bf16' => t === 'f16' || t === 'bf16';

/** A scalar expression. An i64 is an index, and an i32 here. */
export function exprText(f: Frame, e: Expr): Text {
  if (e.dtype === 'i64' && e.kind !== 'shuffle') return e.kind === 'const' ? literalText(f.m, e.value, 'i64') : indexText(f, e, exprText);
  const x = (y: Expr): Text => exprText(f, y);
  switch (e.kind) {
    case 'const': return literalText(f.m, e.value, e.dtype);
    case 'scalar': return scalarText(nameOf(f, scalarKey(e.name), e.name), e.dtype);
    case 'var': return primary(nameOf(f, varKey(e), e.name));
    case 'load': return loadText(f, e, exprText);
    case 'cast': return castText(f, e.x, e.dtype);
    case 'bitcast': return e.x.lanes === 1 ? reinterpret(f, x(e.x), e.x.dtype, e.dtype) : unprinted(e);
    case 'unary': return unaryText(f, e);
    case 'binary': return binaryText(f, e);
    case 'cmp': return compareText(f, e);
    case 'fma': return call('fma', x(e.a), x(e.b), x(e.c));
    case 'select': return call('select', x(e.b), x(e.a), x(e.cond));
    case 'dot4': return call(need(f.m, dot4Helper(f.m.target.features.includes('dot4'))), x(e.acc), x(e.a), x(e.b));
    case 'shuffle': {
      const from = e.pick[0]! < e.a.lanes ? e.a : e.b;
      if (e.lanes !== 1 || from.kind !== 'var') return unprinted(e);
      const s = symbolOf(f, varKey(from), from.name);
      return s.held ? laneText(s.name, s.held, from.dtype, e.pick[0]! % e.a.lanes) : unprinted(e);
    }
    default: return unprinted(e);
  }
}
const unprinted = (e: Expr): never => { throw new EmitError(`${e.kind} to ${e.dtype}x${e.lanes} in WGSL`, e.loc); };

/** 1.5 * 2^23: added to a small number and taken off again, it rounds that to a whole one. */
const MAGIC = 12582912;
export const addsMagic = (e: Expr): boolean => e.kind === 'binary' && e.fn === 'add' && e.dtype === 'f32' && (isConst(e.b, MAGIC) || isConst(e.a, MAGIC));
const isRounder = (f: Frame, a: Expr, b: Expr): boolean => isConst(b, MAGIC) && (addsMagic(a) || (a.kind === 'var' && f.shifted.has(a.id)));

/** A scalar argument comes as a word with its bytes in the low end. */
function scalarText(name: string, t: DType): Text {
  if (t === 'bool') return infix('!=', primary(name), primary('0u'));
  return bytesOf(t) < 4 && DTYPES[t].kind === 'int' ? call('extractBits', primary(name), primary('0u'), primary(`${8 * bytesOf(t)}u`)) : primary(name);
}

/** Arithmetic of small integers happens in 32 bits: cut the result back to its type. */
function cut(t: DType, x: Text): Text {
  if (!isInt(t) || bytesOf(t) >= 4) return x;
  return DTYPES[t].kind === 'int' ? call('extractBits', x, primary('0u'), primary(`${8 * bytesOf(t)}u`)) : infix('&', x, primary(bytesOf(t) === 1 ? '0xffu' : '0xffffu'));
}

/** A number as another dtype. */
export function convert(f: Frame, x: Text, from: DType, to: DType): Text {
  if (from === to) return x;
  if (half(from)) return convert(f, call(need(f.m, from === 'f16' ? f32FromF16Helper(f.m.target.features.includes('f16')) : f32FromBf16Helper()), x), 'f32', to);
  if (half(to)) return call(need(f.m, to === 'f16' ? f16FromF32Helper() : bf16FromF32Helper()), convert(f, x, from, 'f32'));
  if (to === 'bool') return infix('!=', x, primary(from === 'f32' ? '0.0' : typeOf(from) === 'u32' ? '0u' : '0'));
  const T = typeOf(to);
  if (from === 'f32') {
    // By way of i32: what is beyond the smaller type wraps.
    const by: 'i32' | 'u32' = to === 'u32' ? 'u32' : 'i32', whole = call(need(f.m, intFromF32Helper(by)), x);
    return by === T ? cut(to, whole) : cut(to, call(T, whole));
  }
  if (to === 'f32') return from === 'i32' || from === 'u32' ? call(need(f.m, f32FromIntHelper(from)), x) : call('f32', x);
  const same = typeOf(from) === T ? x : call(T, x), a = from === 'bool' ? { lo: 0, hi: 1 } : rangeOfType(from), b = rangeOfType(to);
  return a.lo >= b.lo && a.hi <= b.hi ? same : cut(to, same);
}

function castText(f: Frame, x: Expr, to: DType): Text {
  if (x.dtype !== 'i64') return convert(f, exprText(f, x), x.dtype, to);
  // An integer wraps: modulo 2^32 is enough of it.
  if (isInt(to) && !isNarrow(f, x)) return to === 'i32' ? addressText(f, x, exprText) : convert(f, addressText(f, x, exprText), 'i32', to);
  return convert(f, indexText(f, x, exprText), 'i32', to);
}

/** The same bits as another type of the same size. */
function reinterpret(f: Frame, x: Text, from: DType, to: DType): Text {
  const a = bitsOf(from), b = bitsOf(to);
  if (a === b) return x;
  if (bytesOf(a) < 4) return from === 'bool' ? call('select', primary('0'), primary('1'), x) : to === 'bool' ? infix('!=', x, primary('0')) : convert(f, x, a, b);
  return primary(`bitcast<${typeOf(b)}>(${x.t})`);
}

function unaryText(f: Frame, e: Unary): Text {
  const t = e.dtype, x = (): Text => exprText(f, e.x), real = t === 'f32';
  switch (e.fn) {
    case 'neg': return real || typeOf(t) === 'i32' ? cut(t, prefix('-', x())) : cut(t, infix('-', primary('0u'), x()));
    case 'not': return t === 'bool' ? prefix('!', x()) : DTYPES[t].kind === 'int' ? prefix('~', x()) : cut(t, prefix('~', x()));
    case 'popcount': case 'clz': case 'ctz': return call(need(f.m, countHelper(e.fn, t)), x());
    case 'abs': return real ? call('abs', x()) : DTYPES[t].kind === 'uint' ? x() : cut(t, call('abs', x()));
    case 'floor': case 'ceil': case 'round': case 'trunc': return real ? call(e.fn, x()) : x();
    case 'sqrt': if (real) return call('sqrt', x()); break;
    case 'rsqrt': if (real) return infix('/', primary('1.0'), call('sqrt', x())); break;
    case 'exponent': case 'mantissa': if (real) return call(need(f.m, splitHelper(e.fn)), x()); break;
    case 'erf': break;
    case 'sin': case 'cos': if (real) return call(need(f.m, waveHelper(e.fn)), x()); break;
    default: if (real) return call(e.fn, x()); // of what is left of them: conditions of loops
  }
  return lacks(f, `${e.fn} of ${t} in the condition of a loop`, printExpr(e), 'compute it before the loop, or in its body', e);
}

function compareText(f: Frame, e: Cmp): Text {
  const { a, b, fn } = e;
  if (fn === 'ne' && a.dtype === 'f32' && exprKey(a) === exprKey(b)) return call(need(f.m, isNanHelper()), exprText(f, a));
  if (a.dtype === 'bool' && fn !== 'eq' && fn !== 'ne') return infix(CMPS[fn], call('u32', exprText(f, a)), call('u32', exprText(f, b)));
  if (half(a.dtype)) return infix(CMPS[fn], convert(f, exprText(f, a), a.dtype, 'f32'), convert(f, exprText(f, b), b.dtype, 'f32'));
  const unsigned = (x: Expr): boolean => x.kind === 'cast' && x.x.dtype === 'u32', natural = (x: Expr): boolean => isNarrow(f, x) && nonNegative(x, f.nonNegative);
  if (a.dtype === 'i64' && (unsigned(a) || unsigned(b)) && [a, b].every((x) => unsigned(x) || natural(x))) {
    const u = (x: Expr): Text => (unsigned(x) && x.kind === 'cast' ? exprText(f, x.x) : call('u32', indexText(f, x, exprText)));
    return infix(CMPS[fn], u(a), u(b));
  }
  return infix(CMPS[fn], exprText(f, a), exprText(f, b));
}

function binaryText(f: Frame, e: Binary): Text {
  const { a, b, dtype: t, fn } = e, x = (): Text => exprText(f, a), y = (): Text => exprText(f, b);
  if (t === 'bool') return infix(fn === 'and' || fn === 'min' ? '&&' : fn === 'or' || fn === 'max' ? '||' : '!=', x(), y());
  if (fn === 'min' || fn === 'max') return call(t === 'f32' ? need(f.m, minMaxHelper(fn)) : fn, x(), y());
  if (t === 'f32') {
    if (fn === 'copysign') return call(need(f.m, copysignHelper()), x(), y());
    if (fn === 'ldexp') return call(need(f.m, ldexpHelper()), x(), y());
    if (fn === 'pow') return call('pow', x(), y());
  }
  if (isFloat(t) && t !== 'f32') throw new EmitError(`${fn} of ${t}`, e.loc);
  if (fn === 'div' || fn === 'mod') {
    if (t === 'f32') return infix('/', x(), y());
    const plain = nonNegative(a, f.nonNegative) && nonNegative(b, f.nonNegative);
    if (plain && b.kind === 'const' && b.value > 0) return infix(fn === 'div' ? '/' : '%', x(), y());
    return cut(t, call(need(f.m, floorDivHelper(fn, typeOf(t) as 'i32' | 'u32', plain)), x(), y()));
  }
  if (fn === 'shl' || fn === 'shr') {
    const count = b.kind === 'const' ? primary(`${b.value}u`) : typeOf(t) === 'u32' ? y() : call('u32', y()), shifted = infix(fn === 'shl' ? '<<' : '>>', x(), count);
    return fn === 'shl' ? cut(t, shifted) : shifted;
  }
  const op = OPS[fn];
  if (op === undefined) throw new EmitError(`${fn} of ${t}`, e.loc);
  // Compilers may take (a + c) - c for a: what rounds to a whole number that way says so.
  if (t === 'f32' && fn === 'sub' && isRounder(f, a, b)) return call('round', infix('-', x(), y()));
  const text = infix(op, x(), y());
  if (t === 'f32' || bytesOf(t) >= 4 || fn === 'and' || fn === 'or' || fn === 'xor') return text;
  const r = unwrapped(e, f.ranges), own = rangeOfType(t);
  return r.lo >= own.lo && r.hi <= own.hi ? text : cut(t, text);
}

