import type { Binary, Cmp, DType, Expr, Load, Reduce, Select, Unary } from '../../ir/index.ts';
import { DTYPES, bytesOf, isConst, isFloat, newVar } from '../../ir/index.ts';
import { EmitError } from '../error.ts';
import { addressOf } from './address.ts';
import { convert, cut, maskBit, reinterpret } from './casts.ts';
import { call, castTo, flatIndex, infix, literal, nonNegative, PREC, prefix, primary, rampOf, strideOf, ternary, wrap } from '../text/index.ts';
import type { Text } from '../text/index.ts';
import type { Frame } from './frame.ts';
import { bufKey, nameOf, need, scalarKey, sizeKey, strideKey, varKey } from './frame.ts';
import {
  absHelper, anyByHelper, anyHelper, copysignHelper, countHelper, dot4Helper, floorDivHelper, fmaHelper, gatherBytesHelper, gatherHelper, ldexpHelper, libmHelper, loadHelper, minMaxHelper, packedHelper, powerHelper, reduceHelper, roundHelper, selectByHelper, selectHelper, shuffleHelper, splatHelper, splitHelper, sqrtHelper,
} from './helpers/index.ts';
import { laneOf } from './lane.ts';
import { cType, heldAs, maskOf } from './types.ts';

const OPS: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', div: '/', and: '&', or: '|', xor: '^', shl: '<<', shr: '>>' };
const CMPS = { lt: '<', le: '<=', gt: '>', ge: '>=', eq: '==', ne: '!=' } as const;

/** An expression as C. Vector bools are masks: use `maskText` for them. */
export function exprText(f: Frame, e: Expr): Text {
  if (e.lanes > 1 && e.dtype === 'bool') return maskText(f, e, naturalMask(f, e));
  switch (e.kind) {
    case 'const': return constText(f, e.value, e.dtype, e.lanes);
    case 'size': return primary(nameOf(f, sizeKey(e.name), e.name));
    case 'stride': return primary(nameOf(f, strideKey(e.buf, e.dim), `the stride of ${e.buf.name}`));
    case 'scalar': return primary(nameOf(f, scalarKey(e.name), e.name));
    case 'var': return primary(nameOf(f, varKey(e), e.name));
    case 'load': return loadText(f, e);
    case 'cast': return castText(f, e.x, e.dtype);
    case 'bitcast': return e.lanes !== e.x.lanes ? castTo(cType(e.dtype, e.lanes), exprText(f, e.x)) : reinterpret(f, exprText(f, e.x), e.x.dtype, e.dtype, e.lanes);
    case 'unary': return unaryText(f, e);
    case 'binary': return binaryText(f, e);
    case 'cmp': return infix(CMPS[e.fn], exprText(f, e.a), exprText(f, e.b));
    case 'fma': return call(need(f, fmaHelper(e.dtype, e.lanes)), exprText(f, e.a), exprText(f, e.b), exprText(f, e.c));
    case 'select': return selectText(f, e);
    case 'dot4': return call(need(f, dot4Helper(e.lanes)), exprText(f, e.acc), exprText(f, e.a), exprText(f, e.b));
    case 'broadcast': return e.x.lanes > 1 ? exprText(f, e.x) : call(need(f, splatHelper(e.dtype, e.lanes)), exprText(f, e.x));
    case 'shuffle': if (e.lanes === 1) return primary(`${wrap(exprText(f, e.pick[0]! < e.a.lanes ? e.a : e.b), PREC.primary)}[${e.pick[0]! % e.a.lanes}]`);
      return call(need(f, shuffleHelper(e.dtype, e.a.lanes, e.pick)), exprText(f, e.a), exprText(f, e.b));
    case 'join': return primary(`(${cType(e.dtype, e.lanes)}){${e.parts.map((x) => exprText(f, x).t).join(', ')}}`);
    case 'ramp': return rampText(f, e.base, e.stride, e.dtype, e.lanes);
    case 'subgroup': throw new EmitError(`subgroup_${e.fn} in C`, e.loc);
    case 'reduce': if (e.dtype === 'bool') return anyText(f, e);
      return call(need(f, reduceHelper(e.fn, e.dtype, e.x.lanes)), exprText(f, e.x));
  }
}

function constText(f: Frame, value: number, t: DType, lanes: number): Text {
  const text = literal(value, t), x: Text = { t: text, p: /^[-(]/.test(text) ? PREC.unary : PREC.primary };
  return lanes === 1 ? x : call(need(f, splatHelper(t, lanes)), x);
}

/** `A[i]`. */
export function elementText(f: Frame, buf: Load['buf'], index: readonly Expr[]): string {
  const { pointer, offset } = addressOf(f, buf, index);
  return `${pointer}[${exprText(f, offset).t}]`;
}

/** `&A[i]`, or the bare name at offset 0. */
export function addressText(f: Frame, buf: Load['buf'], index: readonly Expr[]): string {
  const { pointer, offset } = addressOf(f, buf, index);
  return isConst(offset, 0) ? pointer : `&${pointer}[${exprText(f, offset).t}]`;
}

/** A name for one lane of a vector held in a register. */
export function pickLane(f: Frame): (held: Expr, i: number) => Expr {
  return (held, i) => {
    const v = newVar('lane', held.dtype), name = `${wrap(exprText(f, held), PREC.primary)}[${i}]`;
    f.symbols.set(varKey(v), { name: held.dtype === 'bool' ? `(${name} != 0)` : name, type: cType(held.dtype), declaration: '', rank: 0 });
    return v;
  };
}
/** Each lane of a vector expression as scalar text. */
export const laneTexts = (f: Frame, e: Expr): string[] => Array.from({ length: e.lanes }, (_, i) => exprText(f, laneOf(e, i, pickLane(f))).t);

function loadText(f: Frame, e: Load): Text {
  const { buf, index, lanes } = e;
  if (buf.space === 'reg') return primary(nameOf(f, bufKey(buf), buf.name));
  if (buf.packed && index.every((x) => x.lanes === 1)) return call(need(f, packedHelper(buf.packed, lanes)), primary(nameOf(f, bufKey(buf), buf.name)), exprText(f, flatIndex(buf, index)));
  if (index.some((x) => x.lanes > 1)) {
    const ramp = rampOf(buf, index);
    if (buf.packed && ramp && isConst(ramp.step, 2)) return call(need(f, packedHelper(buf.packed, lanes, 2)), primary(nameOf(f, bufKey(buf), buf.name)), exprText(f, flatIndex(buf, ramp.first)));
    if (buf.packed) return primary(`(${cType(e.dtype, lanes)}){${laneTexts(f, e).join(', ')}}`);
    if (!ramp) return primary(`(${cType(e.dtype, lanes)}){${laneTexts(f, e).join(', ')}}`);
    const h = e.as ? gatherBytesHelper(e.dtype, lanes) : gatherHelper(e.dtype, lanes);
    return call(need(f, h), primary(addressText(f, buf, ramp.first)), exprText(f, ramp.step));
  }
  if (lanes === 1 && !e.as) return primary(elementText(f, buf, index));
  const at = primary(addressText(f, buf, index)), step = buf.shape.length ? strideOf(buf, buf.shape.length - 1) : undefined;
  if (!e.as && step && !isConst(step, 1)) return call(need(f, gatherHelper(e.dtype, lanes)), at, exprText(f, step));
  return call(need(f, loadHelper(e.dtype, lanes)), at);
}

function castText(f: Frame, x: Expr, to: DType): Text {
  const lanes = x.lanes;
  if (to === 'bool') return infix('!=', exprText(f, x), primary('0'));
  if (x.dtype === 'bool') {
    const held = to === 'f16' || to === 'bf16' ? 'f32' : to, m = maskOf(held);
    if (lanes === 1) return convert(f, castTo(cType(held), exprText(f, x)), held, to, 1);
    return convert(f, maskBit(maskText(f, x, m)), m, to, lanes);
  }
  // Loop positions as lanes: the low 32 bits suffice, and i64 vectors of that many lanes do not fit a register.
  if (x.kind === 'ramp' && (to === 'i32' || to === 'u32')) return rampText(f, x.base, x.stride, to, lanes);
  if (x.kind === 'ramp' && isFloat(to)) return primary(`(${cType(to, lanes)}){${laneTexts(f, { kind: 'cast', dtype: to, lanes, x }).join(', ')}}`);
  return convert(f, exprText(f, x), x.dtype, to, lanes);
}

function rampText(f: Frame, base: Expr, stride: Expr, t: DType, lanes: number): Text {
  const narrow = (x: Expr): Text => (x.kind === 'const' ? constText(f, x.value, t, 1) : convert(f, exprText(f, x), x.dtype, t, 1));
  if (lanes === 1) return narrow(base);
  const times = stride.kind === 'const' ? stride.value : 1;
  const steps = primary(`(${cType(t, lanes)}){${Array.from({ length: lanes }, (_, i) => literal(i * times, t)).join(', ')}}`);
  const scaled = stride.kind === 'const' ? steps : infix('*', call(need(f, splatHelper(t, lanes)), narrow(stride)), steps);
  return isConst(base, 0) ? scaled : infix('+', call(need(f, splatHelper(t, lanes)), narrow(base)), scaled);
}

function unaryText(f: Frame, e: Unary): Text {
  const x = (): Text => exprText(f, e.x), one: Text = { t: e.dtype === 'f32' ? '1.0f' : '1.0', p: PREC.primary };
  switch (e.fn) {
    case 'neg': return e.lanes === 1 ? cut(e.dtype, prefix('-', x())) : prefix('-', x());
    case 'not': return e.dtype === 'bool' ? prefix('!', x()) : e.lanes === 1 ? cut(e.dtype, prefix('~', x())) : prefix('~', x());
    case 'popcount': case 'clz': case 'ctz': return call(need(f, countHelper(e.fn, e.dtype, e.lanes)), x());
    case 'abs': return DTYPES[e.dtype].kind === 'uint' ? x() : call(need(f, absHelper(e.dtype, e.lanes)), x());
    case 'floor': case 'ceil': case 'round': case 'trunc': return isFloat(e.dtype) ? call(need(f, roundHelper(e.fn, e.dtype, e.lanes)), x()) : x();
    case 'sqrt': return call(need(f, sqrtHelper(e.dtype, e.lanes)), x());
    case 'rsqrt': return infix('/', e.lanes === 1 ? one : call(need(f, splatHelper(e.dtype, e.lanes)), one), call(need(f, sqrtHelper(e.dtype, e.lanes)), x()));
    case 'exponent': case 'mantissa': return call(need(f, splitHelper(e.fn, e.dtype as 'f32' | 'f64', e.lanes)), x());
    default: return call(need(f, libmHelper(e.fn, e.dtype, e.lanes)), x());
  }
}

/** Is a condition true in any lane, or (min) in all of them? */
function anyText(f: Frame, e: Reduce): Text {
  if (e.fn !== 'max' && e.fn !== 'min') throw new EmitError(`reduce ${e.fn} of bool`, e.loc);
  const { x } = e;
  if (e.fn === 'max' && x.kind === 'cmp' && isFloat(x.a.dtype) && bytesOf(x.a.dtype) > 2) return call(need(f, anyByHelper(x.fn, x.a.dtype, x.lanes)), exprText(f, x.a), exprText(f, x.b));
  const m = naturalMask(f, e.x), any = (x: Text): Text => call(need(f, anyHelper(m, e.x.lanes)), x);
  return e.fn === 'max' ? any(maskText(f, e.x, m)) : prefix('!', any(prefix('~', maskText(f, e.x, m))));
}

/** Scalars that both compilers spread over a vector by themselves in an operator. */
const spreads = (t: DType): boolean => t === 'f32' || t === 'f64' || t === 'i32' || t === 'u32';

function binaryText(f: Frame, e: Binary): Text {
  const { a, b, dtype: t, lanes } = e;
  if (t === 'bool') return infix(e.fn === 'and' || e.fn === 'min' ? '&&' : e.fn === 'or' || e.fn === 'max' ? '||' : '!=', exprText(f, a), exprText(f, b));
  if (e.fn === 'min' || e.fn === 'max') return call(need(f, minMaxHelper(e.fn, t, lanes)), exprText(f, a), exprText(f, b));
  // The formulas scale ones by small powers of two.
  const one = a.kind === 'broadcast' ? a.x : a, sign = isConst(one, 1) ? 1 : isConst(one, -1) ? -1 : undefined;
  if ((t === 'f32' || t === 'f64') && e.fn === 'ldexp' && sign) return call(need(f, powerHelper(t, lanes, sign)), exprText(f, b));
  if ((t === 'f32' || t === 'f64') && (e.fn === 'ldexp' || e.fn === 'copysign')) return call(need(f, (e.fn === 'ldexp' ? ldexpHelper : copysignHelper)(t, lanes)), exprText(f, a), exprText(f, b));
  if (isFloat(t) && (OPS[e.fn] === undefined || bytesOf(t) < 4)) throw new EmitError(`${e.fn} of ${t}`, e.loc);
  if (!isFloat(t) && (e.fn === 'div' || e.fn === 'mod')) {
    const known = f.kernel.nonNegative, plain = nonNegative(a, known) && nonNegative(b, known);
    const divisor = b.kind === 'broadcast' ? b.x : b, safe = divisor.kind === 'const' && divisor.value > 0;
    if (plain && safe && lanes === 1) return infix(e.fn === 'div' ? '/' : '%', exprText(f, a), exprText(f, b));
    return call(need(f, floorDivHelper(e.fn, t, lanes, plain)), exprText(f, a), exprText(f, b));
  }
  const op = OPS[e.fn];
  if (op === undefined) throw new EmitError(`${e.fn} of ${t}`, e.loc);
  if (lanes > 1) {
    const bare = (x: Expr, other: Expr): Text => (spreads(t) && x.kind === 'broadcast' && x.x.lanes === 1 && other.kind !== 'broadcast' ? exprText(f, x.x) : exprText(f, x));
    return infix(op, bare(a, b), bare(b, a));
  }
  // A constant i64 is an int in C as long as it fits one.
  const left = t === 'i64' && a.kind === 'const' && e.fn === 'shl' ? castTo('int64_t', exprText(f, a)) : exprText(f, a);
  const wraps = e.fn === 'add' || e.fn === 'sub' || e.fn === 'mul' || e.fn === 'shl';
  return wraps ? cut(t, infix(op, left, exprText(f, b))) : infix(op, left, exprText(f, b));
}

function selectText(f: Frame, e: Select): Text {
  if (e.lanes === 1) return ternary(exprText(f, e.cond), exprText(f, e.a), exprText(f, e.b));
  // One condition for all lanes needs no mask.
  if (e.cond.kind === 'broadcast' && e.cond.x.lanes === 1) return ternary(exprText(f, e.cond.x), exprText(f, e.a), exprText(f, e.b));
  const { cond, dtype: t } = e;
  if (cond.kind === 'cmp' && (t === 'f32' || t === 'f64') && cond.a.dtype === t) return call(need(f, selectByHelper(cond.fn, t, e.lanes)), exprText(f, cond.a), exprText(f, cond.b), exprText(f, e.a), exprText(f, e.b));
  return call(need(f, selectHelper(heldAs(e.dtype), e.lanes)), maskText(f, e.cond, maskOf(e.dtype)), exprText(f, e.a), exprText(f, e.b));
}

/** The mask width that costs no conversion. */
export function naturalMask(f: Frame, e: Expr): DType {
  switch (e.kind) {
    case 'cmp': return e.a.dtype === 'bool' ? naturalMask(f, e.a) : maskOf(e.a.dtype);
    case 'cast': return maskOf(e.x.dtype);
    case 'binary': return naturalMask(f, e.a.kind === 'broadcast' ? e.b : e.a);
    case 'unary': return naturalMask(f, e.x);
    case 'select': return naturalMask(f, e.a);
    case 'var': return f.kernel.masks.get(e.id) ?? 'i32';
    case 'load': return 'i8';
    default: return 'i32';
  }
}

/** A vector of bools as a mask: all bits of a lane set or none, lanes as wide as `want`. */
export function maskText(f: Frame, e: Expr, want: DType): Text {
  const lanes = e.lanes, M = cType(want, lanes);
  const widen = (x: Text, from: DType): Text => convert(f, x, from, want, lanes);
  switch (e.kind) {
    case 'const': return call(need(f, splatHelper(want, lanes)), primary(e.value ? '-1' : '0'));
    case 'broadcast': return call(need(f, splatHelper(want, lanes)), prefix('-', exprText(f, e.x)));
    case 'cmp': {
      if (e.a.dtype === 'bool') return maskCompare(f, e, want);
      const own = maskOf(e.a.dtype);
      return widen(castTo(cType(own, lanes), infix(CMPS[e.fn], exprText(f, e.a), exprText(f, e.b))), own);
    }
    case 'binary': return infix(e.fn === 'max' ? '|' : OPS[e.fn] ?? '&', maskText(f, e.a, want), maskText(f, e.b, want));
    case 'unary': return prefix('~', maskText(f, e.x, want));
    case 'select': return call(need(f, selectHelper(want, lanes)), maskText(f, e.cond, want), maskText(f, e.a, want), maskText(f, e.b, want));
    case 'var': return widen(primary(nameOf(f, varKey(e), e.name)), f.kernel.masks.get(e.id) ?? 'i32');
    case 'load': return widen(castTo(cType('i8', lanes), infix('!=', loadText(f, e), primary('0'))), 'i8');
    case 'cast': {
      const own = maskOf(e.x.dtype), zero = isFloat(e.x.dtype) && bytesOf(e.x.dtype) > 2 ? `(${cType(e.x.dtype, lanes)}){0}` : '0';
      return widen(castTo(cType(own, lanes), infix('!=', exprText(f, e.x), primary(zero))), own);
    }
    default: throw new EmitError(`${e.kind} of ${M}`, e.loc);
  }
}

/** Bools compared with bools. */
function maskCompare(f: Frame, e: Cmp, want: DType): Text {
  const a = maskText(f, e.a, want), b = maskText(f, e.b, want), differ = infix('^', a, b);
  if (e.fn === 'ne') return differ;
  if (e.fn === 'eq') return prefix('~', differ);
  throw new EmitError(`${e.fn} of bools`, e.loc);
}
