import type { DType } from '../../ir/index.ts';
import { bytesOf, isFloat, isInt } from '../../ir/index.ts';
import type { Frame } from './frame.ts';
import { need } from './frame.ts';
import { bf16FromF32Helper, bitsHelper, convertHelper, f16FromF32Helper, f32FromBf16Helper, f32FromF16Helper } from './helpers/index.ts';
import { call, castTo, infix, PREC, primary, wrap } from '../text/index.ts';
import type { Text } from '../text/index.ts';
import { cType, heldAs } from './types.ts';

const half = (t: DType): t is 'f16' | 'bf16' => t === 'f16' || t === 'bf16';
const small = (t: DType): boolean => isInt(t) && bytesOf(t) < 4;

/** A cast of numbers, scalar or vector. Bools are the caller's. */
export function convert(f: Frame, x: Text, from: DType, to: DType, lanes: number): Text {
  if (from === to) return x;
  if (half(from)) return convert(f, call(need(f, from === 'f16' ? f32FromF16Helper(lanes) : f32FromBf16Helper(lanes)), x), 'f32', to, lanes);
  if (half(to)) return call(need(f, to === 'f16' ? f16FromF32Helper(lanes) : bf16FromF32Helper(lanes)), convert(f, x, from, 'f32', lanes));
  const T = cType(to, lanes);
  if (lanes === 1) return castTo(T, x);
  if (isInt(from) && isInt(to) && bytesOf(from) === bytesOf(to)) return castTo(T, x);
  // Between small integers and floats by way of i32: compilers know how, and it is exact.
  if ((small(from) && isFloat(to)) || (isFloat(from) && small(to))) return convert(f, convert(f, x, from, 'i32', lanes), 'i32', to, lanes);
  // Wider than any register: no function takes it.
  if (Math.max(bytesOf(from), bytesOf(to)) * lanes > 64) return primary(`__builtin_convertvector(${x.t}, ${T})`);
  return call(need(f, convertHelper(from, to, lanes)), x);
}

/** The same bits as another type of the same size. */
export function reinterpret(f: Frame, x: Text, from: DType, to: DType, lanes: number): Text {
  if (heldAs(from) === heldAs(to)) return x;
  if (lanes > 1 || (isInt(heldAs(from)) && isInt(heldAs(to)))) return castTo(cType(to, lanes), x);
  return call(need(f, bitsHelper(from, to)), x);
}

/** The arithmetic of small integers happens in int: cut the result back to its type. */
export const cut = (t: DType, x: Text): Text => (small(t) ? castTo(cType(t), { t: wrap(x, PREC.unary), p: PREC.unary }) : x);

/** 0 or 1 of a mask vector. */
export const maskBit = (m: Text): Text => infix('&', m, primary('1'));
