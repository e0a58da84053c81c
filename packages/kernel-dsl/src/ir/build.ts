import { DTYPES, isFloat } from './dtype.ts';
import type { DType } from './dtype.ts';
import type { Binary, BinaryFn, Broadcast, Buffer, Cmp, CmpFn, Const, Expr, Join, Load, ReduceFn, Select, Shuffle, Size, Space, Unary, UnaryFn, Var } from './expr.ts';
import type { Loc } from './loc.ts';
import type { Block, Stmt } from './stmt.ts';

let nextId = 1;
/** Identities are unique in the process; nothing that is emitted or cached may depend on them. */
const freshId = (): number => nextId++;

/** A variable with an identity of its own, whatever its name. */
export const newVar = (name: string, dtype: DType = 'i64', lanes = 1, loc?: Loc): Var => ({ kind: 'var', id: freshId(), name, dtype, lanes, loc });
/** A buffer with an identity of its own; `inout` and not strided unless told. */
export const newBuffer = (b: { name: string; dtype: DType; space: Space; shape: readonly Expr[]; access?: Buffer['access']; strided?: boolean; packed?: Buffer['packed']; loc?: Loc }): Buffer =>
  ({ access: 'inout', strided: false, ...b, id: freshId() }); // last: a copy of a buffer is another buffer

/** A constant as the dtype holds it: f32 constants are rounded to f32, integers have no -0, so that IR text and every target agree. */
export const constant = (value: number, dtype: DType = 'i64', loc?: Loc): Const =>
  ({ kind: 'const', dtype, lanes: 1, value: dtype === 'f32' ? Math.fround(value) : isFloat(dtype) ? value : value + 0, loc });
/** A named dimension, as i64. */
export const size = (name: string): Size => ({ kind: 'size', dtype: 'i64', lanes: 1, name });
/** Is it a constant (in all, or of this value)? -0 counts as 0. */
export const isConst = (e: Expr, value?: number): e is Const => e.kind === 'const' && (value === undefined || e.value === value);

/** x in every lane; x itself where it has as many lanes already. */
export const broadcast = (x: Expr, lanes: number): Expr =>
  lanes === 1 || x.lanes === lanes ? x : ({ kind: 'broadcast', dtype: x.dtype, lanes, x, loc: x.loc } satisfies Broadcast);

const floorMod = (a: number, b: number): number => a - Math.floor(a / b) * b;

/** Folds constants of index arithmetic (i64) exactly; floats only where the result is the same on every machine. */
function foldBinary(fn: BinaryFn, t: DType, a: number, b: number): number | undefined {
  if (t === 'i64') {
    switch (fn) {
      case 'add': return a + b;
      case 'sub': return a - b;
      case 'mul': return a * b;
      case 'div': return b === 0 ? undefined : Math.floor(a / b);
      case 'mod': return b === 0 ? undefined : floorMod(a, b);
      case 'min': return Math.min(a, b);
      case 'max': return Math.max(a, b);
      default: return undefined;
    }
  }
  if (t === 'f32' || t === 'f64') {
    const r = (x: number): number => (t === 'f32' ? Math.fround(x) : x);
    switch (fn) {
      case 'add': return r(a + b);
      case 'sub': return r(a - b);
      case 'mul': return r(a * b);
      case 'div': return r(a / b);
      default: return undefined;
    }
  }
  return undefined;
}

/** a fn b. Both operands have one dtype; a scalar operand is broadcast to the other's lanes. */
export function binary(fn: BinaryFn, a: Expr, b: Expr, loc?: Loc): Expr {
  const lanes = Math.max(a.lanes, b.lanes);
  if (a.kind === 'const' && b.kind === 'const') {
    const v = foldBinary(fn, a.dtype, a.value, b.value);
    if (v !== undefined) return constant(v, a.dtype, loc);
  }
  if (a.dtype === 'i64') {
    if (isConst(b, 0) && (fn === 'add' || fn === 'sub')) return a;
    if (isConst(a, 0) && fn === 'add') return b;
    if (isConst(b, 1) && (fn === 'mul' || fn === 'div')) return a;
    if (isConst(a, 1) && fn === 'mul') return b;
    if (fn === 'mul' && (isConst(a, 0) || isConst(b, 0))) return constant(0);
  }
  return { kind: 'binary', fn, dtype: a.dtype, lanes, a: broadcast(a, lanes), b: broadcast(b, lanes), loc } satisfies Binary;
}
/** a + b, folded as in {@link binary}. */
export const add = (a: Expr, b: Expr): Expr => binary('add', a, b);
/** a - b, folded as in {@link binary}. */
export const sub = (a: Expr, b: Expr): Expr => binary('sub', a, b);
/** a * b, folded as in {@link binary}. */
export const mul = (a: Expr, b: Expr): Expr => binary('mul', a, b);
/** The lesser of a and b; of two constants, a constant. */
export const min = (a: Expr, b: Expr): Expr => (isConst(a) && isConst(b) ? constant(Math.min(a.value, b.value), a.dtype) : binary('min', a, b));
/** ceil(a / n) for a constant n > 0 and a >= 0. */
export const ceilDiv = (a: Expr, n: number): Expr => (isConst(a) ? constant(Math.ceil(a.value / n)) : binary('div', add(a, constant(n - 1)), constant(n)));

/** a fn b as bool; of two constants, a constant. A scalar operand is broadcast to the lanes of the other. */
export function compare(fn: CmpFn, a: Expr, b: Expr, loc?: Loc): Expr {
  const lanes = Math.max(a.lanes, b.lanes);
  if (a.kind === 'const' && b.kind === 'const') {
    const { value: x } = a, { value: y } = b;
    const r = fn === 'lt' ? x < y : fn === 'le' ? x <= y : fn === 'gt' ? x > y : fn === 'ge' ? x >= y : fn === 'eq' ? x === y : x !== y;
    return constant(r ? 1 : 0, 'bool', loc);
  }
  return { kind: 'cmp', fn, dtype: 'bool', lanes, a: broadcast(a, lanes), b: broadcast(b, lanes), loc } satisfies Cmp;
}
/** a < b, folded as in {@link compare}. */
export const lt = (a: Expr, b: Expr): Expr => compare('lt', a, b);
/** Logical and of bools; true folds away. */
export const and = (a: Expr, b: Expr): Expr =>
  isConst(a, 1) ? b : isConst(b, 1) ? a : isConst(a, 0) ? a : isConst(b, 0) ? b : binary('and', a, b);

/** fn(x) in the dtype of x; the negative of a float constant is a constant. */
export const unary = (fn: UnaryFn, x: Expr, loc?: Loc): Expr =>
  fn === 'neg' && x.kind === 'const' && isFloat(x.dtype) ? constant(-x.value, x.dtype, loc) : ({ kind: 'unary', fn, dtype: x.dtype, lanes: x.lanes, x, loc } satisfies Unary);
/** x as another dtype; x itself where it has it, and a constant where a constant becomes f32 or f64. */
export function cast(x: Expr, dtype: DType, loc?: Loc): Expr {
  if (x.dtype === dtype) return x;
  if (x.kind === 'const' && isFloat(dtype) && DTYPES[dtype].arithmetic) return constant(x.value, dtype, loc);
  return { kind: 'cast', dtype, lanes: x.lanes, x, loc };
}
/** The bits of x as another dtype of the same size, lane by lane; x itself where it has it. */
export const bitcast = (x: Expr, dtype: DType, loc?: Loc): Expr => (x.dtype === dtype ? x : { kind: 'bitcast', dtype, lanes: x.lanes, x, loc });
/** a where the condition holds, else b; one of them where the condition is constant. Scalars are broadcast. */
export const select = (cond: Expr, a: Expr, b: Expr, loc?: Loc): Expr => {
  if (isConst(cond)) return cond.value ? a : b;
  const lanes = Math.max(cond.lanes, a.lanes, b.lanes);
  return { kind: 'select', dtype: a.dtype, lanes, cond: broadcast(cond, lanes), a: broadcast(a, lanes), b: broadcast(b, lanes), loc } satisfies Select;
};
/** a * b + c, rounded once, in the dtype of a. Scalars are broadcast. */
export const fma = (a: Expr, b: Expr, c: Expr, loc?: Loc): Expr => {
  const lanes = Math.max(a.lanes, b.lanes, c.lanes);
  return { kind: 'fma', dtype: a.dtype, lanes, a: broadcast(a, lanes), b: broadcast(b, lanes), c: broadcast(c, lanes), loc };
};
/** acc + four products of the bytes of a (unsigned) and b (signed), i32; see Dot4. Scalars are broadcast. */
export const dot4 = (acc: Expr, a: Expr, b: Expr, loc?: Loc): Expr => {
  const lanes = Math.max(a.lanes, b.lanes, acc.lanes);
  return { kind: 'dot4', dtype: 'i32', lanes, acc: broadcast(acc, lanes), a: broadcast(a, lanes), b: broadcast(b, lanes), loc };
};
/** Lanes of a and b, laid end to end, in the order of `pick`, which has one entry for each lane of the result. */
export const shuffle = (a: Expr, b: Expr, pick: readonly number[]): Shuffle => ({ kind: 'shuffle', dtype: a.dtype, lanes: pick.length, a, b, pick, loc: a.loc });
/** One lane of a vector, as a scalar. */
export const pickLane = (x: Expr, lane: number): Expr => (x.lanes === 1 ? x : shuffle(x, x, [lane]));
/** Scalars as the lanes of a vector; the one itself where there is one. */
export const join = (parts: readonly Expr[], loc?: Loc): Expr =>
  parts.length === 1 ? parts[0]! : ({ kind: 'join', dtype: parts[0]!.dtype, lanes: parts.length, parts, loc } satisfies Join);
/** Reads a buffer at one index per dimension: one element, or `lanes` neighbours; `as` reads its bytes as another dtype. */
export const load = (buf: Buffer, index: readonly Expr[], o: { lanes?: number; as?: DType; loc?: Loc } = {}): Load =>
  ({ kind: 'load', dtype: o.as ?? buf.dtype, lanes: o.lanes ?? 1, buf, index, as: o.as, loc: o.loc });
/** All lanes of x combined into one by halving; x itself where it has one lane. */
export const reduce = (fn: ReduceFn, x: Expr, loc?: Loc): Expr => (x.lanes === 1 ? x : { kind: 'reduce', fn, dtype: x.dtype, lanes: 1, x, loc });

/** The value that leaves a reduction unchanged. */
export function identity(fn: ReduceFn, dtype: DType): Const {
  if (fn === 'add') return constant(0, dtype);
  if (fn === 'mul') return constant(1, dtype);
  if (isFloat(dtype)) return constant(fn === 'max' ? -Infinity : Infinity, dtype);
  const bits = DTYPES[dtype].bytes * 8, signed = DTYPES[dtype].kind === 'int';
  const lo = signed ? -(2 ** (bits - 1)) : 0, hi = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return constant(fn === 'max' ? lo : hi, dtype);
}
/** The binary function that a reduction applies. */
export const reduceOp = (fn: ReduceFn): BinaryFn => fn;

/** One statement from several; nested blocks are flattened, so scopes of Let and Alloc never end early. */
export function block(body: readonly Stmt[], o: { loc?: Loc; step?: string } = {}): Stmt {
  const flat = body.flatMap((s) => (s.kind === 'block' ? s.body : [s]));
  return flat.length === 1 ? flat[0]! : ({ kind: 'block', body: flat, ...o } satisfies Block);
}
