import { DslError } from '../errors/index.ts';
import { DTYPES, binary, bitcast, cast, compare, constant, isFloat, isInt, load, unary } from '../ir/index.ts';
import type { BinaryFn, Buffer, CmpFn, DType, Expr, Loc, ReduceFn } from '../ir/index.ts';
import { needDType } from './check.ts';
import { here } from './here.ts';
import { emit, recordRead, recordWrite, use } from './trace.ts';

/** A value or a number that becomes a constant of the other side's dtype. */
export type Operand<D extends DType> = Val<D> | number;
/** What may index a tensor or bound a loop. */
export type Index = Val<'i64'> | Val<'i32'> | Val<'u32'> | Val<'i16'> | Val<'u16'> | Val<'i8'> | Val<'u8'> | number;

/** The IR of an operand, as dtype D. */
export function exprOf(x: Operand<DType>, dtype: DType, what: string): Expr {
  if (x instanceof Val) {
    if (x.dtype !== dtype) throw new DslError('KD-DTYPE', { what, a: dtype, b: x.dtype }, { loc: here() });
    return x.expr;
  }
  if (typeof x !== 'number') throw new DslError('KD-OPERAND', { what, given: String(x) }, { loc: here() });
  const info = DTYPES[dtype];
  if (info.kind === 'int' || info.kind === 'uint') {
    const bits = info.bytes * 8, lo = info.kind === 'int' ? -(2 ** (bits - 1)) : 0, hi = info.kind === 'int' ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
    if (!Number.isInteger(x) || x < lo || x > hi) throw new DslError('KD-CONST', { value: x, dtype }, { loc: here() });
  }
  return constant(x, dtype, here());
}

/** The IR of an index: integers are widened to i64. */
export function indexOf(x: Index, name: string): Expr {
  if (typeof x === 'number') {
    if (!Number.isInteger(x)) throw new DslError('KD-INDEX', { name, dtype: `${x}` }, { loc: here() });
    return constant(x, 'i64');
  }
  if (!(x instanceof Val)) throw new DslError('KD-OPERAND', { what: `an index into ${name}`, given: String(x) }, { loc: here() });
  if (!isInt(x.dtype)) throw new DslError('KD-INDEX', { name, dtype: x.dtype }, { loc: here() });
  return cast(x.expr, 'i64');
}

/**
 * A value of the kernel: immutable, computed where it is used. Arithmetic needs equal dtypes on both sides; numbers adapt.
 * @example y.at(i).set(x.at(i).mul(a).add(1))
 */
export class Val<D extends DType> {
  readonly dtype: D;
  readonly #expr: Expr | undefined;
  constructor(expr: Expr | undefined, dtype: D) {
    this.#expr = expr;
    this.dtype = dtype;
  }
  /** The IR behind the value. */
  get expr(): Expr {
    return this.#expr!;
  }
  #bin(fn: BinaryFn, b: Operand<D>): Val<D> {
    const loc = here();
    const logic = fn === 'and' || fn === 'or' || fn === 'xor';
    if (!DTYPES[this.dtype].arithmetic && !(this.dtype === 'bool' && logic)) throw new DslError(this.dtype === 'bool' ? 'KD-BOOL' : 'KD-STORAGE', { dtype: this.dtype, what: fn }, { loc });
    if (isFloat(this.dtype) && (logic || fn === 'mod' || fn === 'shl' || fn === 'shr')) throw new DslError('KD-FLOAT', { dtype: this.dtype, what: fn }, { loc });
    if (typeof b === 'number' && !isFloat(this.dtype)) {
      const bits = 8 * DTYPES[this.dtype].bytes;
      if ((fn === 'shl' || fn === 'shr') && (b < 0 || b >= bits)) throw new DslError('KD-SHIFT', { what: fn, dtype: this.dtype, by: b, most: bits - 1 }, { loc });
      if ((fn === 'div' || fn === 'mod') && b === 0) throw new DslError('KD-DIV-ZERO', { what: fn, dtype: this.dtype }, { loc });
    }
    return new Val(binary(fn, this.expr, exprOf(b, this.dtype, fn), loc), this.dtype);
  }
  #cmp(fn: CmpFn, b: Operand<D>): Val<'bool'> {
    const loc = here();
    if (!DTYPES[this.dtype].arithmetic && !(this.dtype === 'bool' && (fn === 'eq' || fn === 'ne'))) throw new DslError(this.dtype === 'bool' ? 'KD-BOOL' : 'KD-STORAGE', { dtype: this.dtype, what: fn }, { loc });
    return new Val(compare(fn, this.expr, exprOf(b, this.dtype, fn), loc), 'bool');
  }
  #sign(fn: 'neg' | 'abs'): Val<D> {
    const loc = here();
    if (!DTYPES[this.dtype].arithmetic) throw new DslError(this.dtype === 'bool' ? 'KD-BOOL' : 'KD-STORAGE', { dtype: this.dtype, what: fn }, { loc });
    return new Val(unary(fn, this.expr, loc), this.dtype);
  }
  /** a + b; integers wrap; the interpreter refuses an i64 beyond 2^53. */
  add(b: Operand<D>): Val<D> { return this.#bin('add', b); }
  /** a - b; integers wrap; the interpreter refuses an i64 beyond 2^53. */
  sub(b: Operand<D>): Val<D> { return this.#bin('sub', b); }
  /** a * b, rounded by itself: use `fma` for one rounding with a sum. Integers wrap; the interpreter refuses an i64 beyond 2^53. */
  mul(b: Operand<D>): Val<D> { return this.#bin('mul', b); }
  /** Division; of integers, rounded towards minus infinity. */
  div(b: Operand<D>): Val<D> { return this.#bin('div', b); }
  /** The remainder that belongs to `div`: it has the divisor's sign. */
  mod(b: Operand<D>): Val<D> { return this.#bin('mod', b); }
  /** a < b ? a : b, so b where either is NaN. */
  min(b: Operand<D>): Val<D> { return this.#bin('min', b); }
  /** a > b ? a : b, so b where either is NaN. */
  max(b: Operand<D>): Val<D> { return this.#bin('max', b); }
  /** Bitwise and of integers; of bools, both hold (the right side is computed in any case). Not for floats. */
  and(b: Operand<D>): Val<D> { return this.#bin('and', b); }
  /** Bitwise or of integers; of bools, at least one holds (the right side is computed in any case). Not for floats. */
  or(b: Operand<D>): Val<D> { return this.#bin('or', b); }
  /** Bitwise exclusive or of integers; of bools, exactly one holds. Not for floats. */
  xor(b: Operand<D>): Val<D> { return this.#bin('xor', b); }
  /** Shift of an integer to the left by b bits, 0 <= b < the bits of the dtype; bits that leave it are lost. */
  shl(b: Operand<D>): Val<D> { return this.#bin('shl', b); }
  /** Shift right: arithmetic for signed, logical for unsigned integers. */
  shr(b: Operand<D>): Val<D> { return this.#bin('shr', b); }
  /** -a: flips the sign of a float, of 0 too; integers wrap. */
  neg(): Val<D> { return this.#sign('neg'); }
  /** |a|: a float without its sign; the lowest integer of a dtype wraps to itself. */
  abs(): Val<D> { return this.#sign('abs'); }
  /** Every bit of an integer the other way; of a bool, whether it does not hold. Not for floats. */
  not(): Val<D> {
    const loc = here();
    if (isFloat(this.dtype)) throw new DslError('KD-FLOAT', { dtype: this.dtype, what: 'not' }, { loc });
    return new Val(unary('not', this.expr, loc), this.dtype);
  }
  /** a < b; false where either is NaN. */
  lt(b: Operand<D>): Val<'bool'> { return this.#cmp('lt', b); }
  /** a <= b; false where either is NaN. */
  le(b: Operand<D>): Val<'bool'> { return this.#cmp('le', b); }
  /** a > b; false where either is NaN. */
  gt(b: Operand<D>): Val<'bool'> { return this.#cmp('gt', b); }
  /** a >= b; false where either is NaN. */
  ge(b: Operand<D>): Val<'bool'> { return this.#cmp('ge', b); }
  /** a equals b, so 0 equals -0; false where either is NaN. */
  eq(b: Operand<D>): Val<'bool'> { return this.#cmp('eq', b); }
  /** a differs from b; true where either is NaN. */
  ne(b: Operand<D>): Val<'bool'> { return this.#cmp('ne', b); }
  /** Converts to another dtype. Floats become integers by truncation. */
  to<T extends DType>(dtype: T): Val<T> {
    needDType(dtype, 'to');
    return new Val(cast(this.expr, dtype, here()), dtype);
  }
  /** The same bits as another dtype of the same size. */
  bits<T extends DType>(dtype: T): Val<T> {
    if (DTYPES[dtype].bytes !== DTYPES[this.dtype].bytes) throw new DslError('KD-DTYPE', { what: 'bits', a: dtype, b: this.dtype }, { loc: here() });
    return new Val(bitcast(this.expr, dtype, here()), dtype);
  }
  /** A traced value has no number: JavaScript's operators and conditions on it are a mistake, told at once. */
  [Symbol.toPrimitive](): never {
    throw new DslError('KD-JS-IF', {}, { loc: here() });
  }
}

/**
 * A place that holds a value: an element of a tensor or a register. Read it like any value; only a Cell can be written.
 * A read happens where it is written in the body: later writes do not change it.
 */
export class Cell<D extends DType> extends Val<D> {
  readonly #buf: Buffer;
  readonly #index: readonly Expr[];
  readonly #loc: Loc | undefined;
  /** @param loc where the author names the place; without, each use of it is a place of its own */
  constructor(buf: Buffer, index: readonly Expr[], dtype: D, loc?: Loc) {
    super(undefined, dtype);
    this.#buf = buf;
    this.#index = index;
    this.#loc = loc;
  }
  override get expr(): Expr {
    return recordRead(load(this.#buf, this.#index.map(use), { loc: this.#loc ?? here() }));
  }
  /** Where it lies: a buffer and an index for each of its dimensions. */
  get place(): { readonly buf: Buffer; readonly index: readonly Expr[] } {
    return { buf: this.#buf, index: this.#index };
  }
  #writable(): void {
    if (this.#buf.space === 'param' && this.#buf.access === 'in') throw new DslError('KD-READONLY', { name: this.#buf.name }, { loc: here() });
  }
  /** Writes a value. */
  set(x: Operand<D>): void {
    this.#writable();
    const value = use(exprOf(x, this.dtype, `${this.#buf.name}.set`));
    emit({ kind: 'store', buf: this.#buf, index: this.#index.map(use), value, loc: here() });
    recordWrite(this.#buf);
  }
  #accum(fn: ReduceFn, x: Operand<D>): void {
    this.#writable();
    if (!DTYPES[this.dtype].arithmetic) throw new DslError('KD-STORAGE', { dtype: this.dtype, what: fn }, { loc: here() });
    const value = use(exprOf(x, this.dtype, `${this.#buf.name}.${fn}Assign`));
    emit({ kind: 'accum', fn, buf: this.#buf, index: this.#index.map(use), value, loc: here() });
    recordWrite(this.#buf);
  }
  /** Adds x to what the place holds. Schedules know it for a sum, whose order a reduction may change. */
  addAssign(x: Operand<D>): void { this.#accum('add', x); }
  /** Multiplies what the place holds by x. Schedules know it for a product, whose order a reduction may change. */
  mulAssign(x: Operand<D>): void { this.#accum('mul', x); }
  /** Keeps the lesser of what the place holds and x, as `min` does: x where either is NaN. */
  minAssign(x: Operand<D>): void { this.#accum('min', x); }
  /** Keeps the greater of what the place holds and x, as `max` does: x where either is NaN. */
  maxAssign(x: Operand<D>): void { this.#accum('max', x); }
}
