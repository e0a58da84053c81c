/** What each operation does to numbers of each dtype. Values: bool is 0 or 1, i64 a number, f16 and bf16 their 16 bits. */
import { bytesOf, isFloat, isInt } from '../ir/index.ts';
import type { BinaryFn, CmpFn, DType, UnaryFn } from '../ir/index.ts';
import { erf } from './erf.ts';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './half.ts';

export type Op1 = (x: number) => number;
export type Op2 = (a: number, b: number) => number;

/** Brings an integer into a dtype's range by wrapping; i64 stays as it is. */
const WRAP: Readonly<Partial<Record<DType, Op1>>> = {
  i64: (x) => x + 0, // turns -0 into 0
  i32: (x) => x | 0, u32: (x) => x >>> 0, i16: (x) => (x << 16) >> 16, u16: (x) => x & 0xffff, i8: (x) => (x << 24) >> 24, u8: (x) => x & 0xff,
};

const fits32 = (x: number): boolean => (x | 0) === x;
/** Bitwise operations on i64: 32-bit where both fit, else by BigInt. */
const wide = (narrow: Op2, big: (a: bigint, b: bigint) => bigint): Op2 => (a, b) => (fits32(a) && fits32(b) ? narrow(a, b) : Number(big(BigInt(a), BigInt(b))));

/** Integer division towards minus infinity; exact for all numbers below 2^53, which floor(a / b) is not. */
function floorDiv(a: number, b: number): number {
  const m = a % b, q = (a - m) / b;
  return (m !== 0 && m < 0 !== b < 0 ? q - 1 : q) + 0;
}
function floorMod(a: number, b: number): number {
  const m = a % b;
  return (m !== 0 && m < 0 !== b < 0 ? m + b : m) + 0;
}

const min: Op2 = (a, b) => (a < b ? a : b);
const max: Op2 = (a, b) => (a > b ? a : b);

/** Operators on integers before wrapping. The product of two 32-bit integers may not be exact, so `mul` is replaced for these. */
const INT: Readonly<Record<Exclude<BinaryFn, 'pow' | 'copysign' | 'ldexp'>, Op2>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: Math.imul, div: floorDiv, mod: floorMod, min, max,
  and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b, shl: (a, b) => a << b, shr: (a, b) => a >> b,
};
const I64: Readonly<Partial<Record<BinaryFn, Op2>>> = {
  mul: (a, b) => a * b, shl: (a, b) => a * 2 ** b, shr: (a, b) => Math.floor(a / 2 ** b),
  and: wide((a, b) => a & b, (a, b) => a & b), or: wide((a, b) => a | b, (a, b) => a | b), xor: wide((a, b) => a ^ b, (a, b) => a ^ b),
};
/** x^y as C has it (Annex F): ECMAScript leaves out that 1^y is 1 for every y, and (-1)^y for infinite y. */
const pow: Op2 = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);
const copysign: Op2 = (a, b) => (Object.is(Math.sign(b), -0) || b < 0 ? -Math.abs(a) : Math.abs(a));
/** In two steps, of which the first is exact: 2^b may be out of range where a 2^b is not. */
const ldexp: Op2 = (a, b) => { const h = Math.floor(b / 2); return a * 2 ** h * 2 ** (b - h); };

const FLOAT: Readonly<Partial<Record<BinaryFn, Op2>>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b, min, max, pow, copysign, ldexp,
};
// Rounding a double result of one f32 operation to f32 is the same as rounding once: 53 >= 2 * 24 + 2.
const F32: Readonly<Partial<Record<BinaryFn, Op2>>> = {
  add: (a, b) => Math.fround(a + b), sub: (a, b) => Math.fround(a - b), mul: (a, b) => Math.fround(a * b), div: (a, b) => Math.fround(a / b), min, max,
  pow: (a, b) => Math.fround(pow(a, b)), copysign, ldexp: (a, b) => Math.fround(ldexp(a, b)),
};

const isFloatOnly = (fn: BinaryFn): fn is 'pow' | 'copysign' | 'ldexp' => fn === 'pow' || fn === 'copysign' || fn === 'ldexp';

/** a fn b in a dtype, or undefined where the language has no such operation. Zero divisors and shift counts are the caller's to check. */
export function binaryOp(fn: BinaryFn, t: DType): Op2 | undefined {
  if (t === 'f64') return FLOAT[fn];
  if (t === 'f32') return F32[fn];
  if (isFloatOnly(fn)) return undefined;
  switch (t) {
    case 'i64': { const op = I64[fn] ?? INT[fn]; return (a, b) => op(a, b) + 0; }
    case 'bool': return fn === 'and' || fn === 'or' || fn === 'xor' || fn === 'min' || fn === 'max' ? INT[fn] : undefined;
    case 'u32': { const op = fn === 'shr' ? (a: number, b: number): number => a >>> b : INT[fn]; return (a, b) => op(a, b) >>> 0; }
    case 'i32': { const op = INT[fn]; return (a, b) => op(a, b) | 0; }
    case 'i16': case 'u16': case 'i8': case 'u8': { const op = INT[fn], wrap = WRAP[t]!; return (a, b) => wrap(op(a, b)); }
    default: return undefined; // storage types
  }
}

/** Nearest integer, ties to even, sign of zero kept. */
export function roundEven(x: number): number {
  const a = Math.abs(x);
  if (!(a < 2 ** 52)) return x;
  const r = a + 2 ** 52 - 2 ** 52;
  return x < 0 || Object.is(x, -0) ? -r : r;
}

/** floor(log2 x): the exponent that a double has, of all but subnormal ones. */
function exponent(x: number): number {
  if (!(x < Infinity && x > 0)) return x === 0 ? -Infinity : x;
  if (x < 2 ** -1022) return exponent(x * 2 ** 54) - 54;
  bitsOf.setFloat64(0, x);
  return (bitsOf.getUint16(0) >> 4) - 1023;
}
/** x 2^-k in [0.75, 1.5). */
function mantissa(x: number): number {
  if (!(x < Infinity && x > 0)) return x === 0 || x === Infinity ? 1 : NaN;
  const e = exponent(x), h = Math.floor(e / 2), m = x * 2 ** -h * 2 ** (h - e);
  return m >= 1.5 ? m / 2 : m;
}
const bitsOf = new DataView(new ArrayBuffer(8));

const MATH: Readonly<Partial<Record<UnaryFn, Op1>>> = {
  neg: (x) => -x, abs: Math.abs, floor: Math.floor, ceil: Math.ceil, round: roundEven, trunc: Math.trunc,
  sqrt: Math.sqrt, exp: Math.exp, exp2: (x) => 2 ** x, log: Math.log, log2: Math.log2, sin: Math.sin, cos: Math.cos, tanh: Math.tanh, erf,
  exponent, mantissa,
};

/** Counts bits of an integer as the dtype holds it: by way of 32-bit halves, the upper one 0 where the dtype has none. */
function countBits(fn: 'popcount' | 'clz' | 'ctz', t: DType): Op1 {
  const bits = bytesOf(t) * 8, mask = bits >= 32 ? 0xffffffff : 2 ** bits - 1;
  const low = (x: number): number => (x & mask) >>> 0, high = (x: number): number => (bits === 64 ? Math.floor(x / 2 ** 32) >>> 0 : 0);
  const set = (x: number): number => { let n = 0; for (let y = x; y !== 0; y = (y & (y - 1)) >>> 0) n++; return n; };
  const lowest = (x: number): number => 31 - Math.clz32(x & -x);
  switch (fn) {
    case 'popcount': return (x) => set(low(x)) + set(high(x));
    case 'clz': return (x) => (high(x) !== 0 ? Math.clz32(high(x)) : Math.clz32(low(x)) + bits - 32);
    case 'ctz': return (x) => (low(x) !== 0 ? lowest(low(x)) : high(x) !== 0 ? 32 + lowest(high(x)) : bits);
  }
}

/** fn(x) in a dtype, or undefined where the language has no such operation. Functions of f32 are computed in double and rounded. */
export function unaryOp(fn: UnaryFn, t: DType): Op1 | undefined {
  if (t === 'bool') return fn === 'not' ? (x) => x ^ 1 : undefined;
  if (t === 'f64' || t === 'f32') {
    if (fn === 'rsqrt') return t === 'f64' ? (x) => 1 / Math.sqrt(x) : (x) => Math.fround(1 / Math.fround(Math.sqrt(x)));
    const f = MATH[fn];
    return t === 'f64' || !f ? f : (x) => Math.fround(f(x));
  }
  const wrap = WRAP[t];
  if (!wrap) return undefined; // storage types
  switch (fn) {
    case 'neg': return (x) => wrap(0 - x);
    case 'abs': return (x) => wrap(Math.abs(x));
    case 'not': return (x) => wrap(t === 'i64' ? -1 - x : ~x);
    case 'popcount': case 'clz': case 'ctz': return countBits(fn, t);
    default: return undefined;
  }
}

/** Comparisons; any with a NaN is false but for `ne`. */
export const CMP: Readonly<Record<CmpFn, Op2>> = {
  lt: (a, b) => +(a < b), le: (a, b) => +(a <= b), gt: (a, b) => +(a > b), ge: (a, b) => +(a >= b), eq: (a, b) => +(a === b), ne: (a, b) => +(a !== b),
};

/** A float without its fraction as an integer type. The result out of range is one that processors give; the language leaves it open. */
function floatToInt(t: DType): Op1 {
  if (t === 'i64') return (x) => (Math.abs(x) < 2 ** 63 ? Math.trunc(x) + 0 : -(2 ** 63));
  if (t === 'u32') return (x) => { const i = Math.trunc(x); return i >= 0 && i < 2 ** 32 ? i : 2 ** 32 - 1; };
  const wrap = WRAP[t]!;
  return (x) => { const i = Math.trunc(x); return wrap(i >= -(2 ** 31) && i < 2 ** 31 ? i : -(2 ** 31)); };
}

const identity: Op1 = (x) => x;
const DECODE: Readonly<Partial<Record<DType, Op1>>> = { f16: f16ToF32, bf16: bf16ToF32 };
const INTO: Readonly<Partial<Record<DType, Op1>>> = { f64: identity, f32: Math.fround, f16: f32ToF16, bf16: f32ToBf16, bool: (x) => +(x !== 0) };

/** A value of one dtype as another: floats are rounded to nearest even (to f16 and bf16 by way of f32), float to integer truncates, integers wrap. */
export function castOp(from: DType, to: DType): Op1 {
  if (from === to) return identity;
  const into = INTO[to] ?? (isFloat(from) ? floatToInt(to) : WRAP[to]!);
  const decode = DECODE[from];
  return decode ? (x) => into(decode(x)) : into;
}

/** A number that an author or a caller wrote, as a value of a dtype. */
export const valueOf = (x: number, t: DType): number => castOp(isInt(t) ? 'i64' : 'f64', t)(x);

const view = new DataView(new ArrayBuffer(8));

/** Reads a value of a dtype from bytes, little-endian. An i64 beyond 2^53 loses its last bits; the caller checks. */
export function readBytes(v: DataView, at: number, t: DType): number {
  switch (t) {
    case 'f64': return v.getFloat64(at, true);
    case 'f32': return v.getFloat32(at, true);
    case 'i64': return Number(v.getBigInt64(at, true));
    case 'i32': return v.getInt32(at, true);
    case 'u32': return v.getUint32(at, true);
    case 'i16': return v.getInt16(at, true);
    case 'f16': case 'bf16': case 'u16': return v.getUint16(at, true);
    case 'i8': return v.getInt8(at);
    case 'u8': return v.getUint8(at);
    case 'bool': return +(v.getUint8(at) !== 0);
  }
}
/** Writes a value of a dtype as bytes, little-endian. */
export function writeBytes(v: DataView, at: number, t: DType, x: number): void {
  switch (t) {
    case 'f64': return v.setFloat64(at, x, true);
    case 'f32': return v.setFloat32(at, x, true);
    case 'i64': return v.setBigInt64(at, BigInt(x), true);
    case 'i32': return v.setInt32(at, x, true);
    case 'u32': return v.setUint32(at, x, true);
    case 'i16': return v.setInt16(at, x, true);
    case 'f16': case 'bf16': case 'u16': return v.setUint16(at, x, true);
    case 'i8': return v.setInt8(at, x);
    case 'u8': case 'bool': return v.setUint8(at, x);
  }
}

/** The bits of a value as another dtype of the same size. */
export function bitcastOp(from: DType, to: DType): Op1 | undefined {
  if (bytesOf(from) !== bytesOf(to)) return undefined;
  return (x) => { writeBytes(view, 0, from, x); return readBytes(view, 0, to); };
}

/** The sum of `acc` and four products of unsigned bytes of `a` and signed bytes of `b`, wrapped to i32. */
export const dot4 = (acc: number, a: number, b: number): number =>
  (acc + (a & 0xff) * ((b << 24) >> 24) + ((a >>> 8) & 0xff) * ((b << 16) >> 24) + ((a >>> 16) & 0xff) * ((b << 8) >> 24) + (a >>> 24) * (b >> 24)) | 0;
