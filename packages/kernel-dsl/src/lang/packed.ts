import { DslError } from '../errors/index.ts';
import { HELD, binary, constant, load, mul } from '../ir/index.ts';
import type { Buffer, Expr, PackedDType } from '../ir/index.ts';
import type { DimSpec } from './dim.ts';
import { here } from './here.ts';
import { emit, recordRead, recordWrite, use } from './trace.ts';
import { Val, exprOf, indexOf } from './val.ts';
import type { Index, Operand } from './val.ts';

/** A packed tensor parameter as declared: `tensor('i4', …)` or `tensor('u4', …)`. */
export interface PackedSpec<D extends PackedDType, S extends readonly DimSpec[]> {
  readonly kind: 'tensor';
  readonly dtype: D;
  readonly dims: S;
  readonly access: 'in' | 'out' | 'inout';
  readonly isStrided: false;
  /** The kernel writes every pair of elements it does not read first. */
  out(): PackedSpec<D, S>;
  /** The kernel reads and writes it. */
  inout(): PackedSpec<D, S>;
}

export function packedSpec<D extends PackedDType, S extends readonly DimSpec[]>(dtype: D, dims: S, access: 'in' | 'out' | 'inout'): PackedSpec<D, S> {
  return { kind: 'tensor', dtype, dims, access, isStrided: false, out: () => packedSpec(dtype, dims, 'out'), inout: () => packedSpec(dtype, dims, 'inout') };
}

type Held<D extends PackedDType> = (typeof HELD)[D];
type Indices<S extends readonly DimSpec[]> = { readonly [K in keyof S]: Index };

/** One element of a packed tensor: it shares its byte with another, so it can only be read. */
class Nibble<D extends 'i8' | 'u8'> extends Val<D> {
  readonly #name: string;
  constructor(expr: Expr, dtype: D, name: string) {
    super(expr, dtype);
    this.#name = name;
  }
  /** Not in the type that authors see: whoever gets here wrote JavaScript, or went around the types. */
  set(): never {
    throw new DslError('KD-PACKED', { name: this.#name }, { loc: here() });
  }
}

/** A tensor of four-bit integers inside of a kernel body. */
export class PackedTensor<D extends PackedDType, S extends readonly DimSpec[]> {
  readonly dtype: D;
  readonly buf: Buffer;
  constructor(buf: Buffer, dtype: D) {
    this.buf = buf;
    this.dtype = dtype;
  }
  #index(index: readonly Index[]): Expr[] {
    if (index.length !== this.buf.shape.length) throw new DslError('KD-RANK', { name: this.buf.name, rank: this.buf.shape.length, given: index.length }, { loc: here() });
    return index.map((x) => use(indexOf(x, this.buf.name)));
  }
  /** The element at an index, read here: -8..7 as i8 for `i4`, 0..15 as u8 for `u4`. */
  at(...index: Indices<S>): Val<Held<D>> {
    return new Nibble(recordRead(load(this.buf, this.#index(index as readonly Index[]), { loc: here() })), HELD[this.dtype], this.buf.name) as Val<Held<D>>;
  }
  /**
   * The byte that holds elements 2 p and 2 p + 1 of the innermost dimension, p being the last index: what may be written, since no other byte is touched.
   * @example q.pair(row, p).set(low, high)
   */
  pair(...index: Indices<S>): Pair<Held<D>> {
    const at = this.#index(index as readonly Index[]), last = at.pop();
    return new Pair(this.buf, last ? [...at, mul(last, constant(2))] : at, HELD[this.dtype] as Held<D>);
  }
}

/** Two neighbouring elements of a packed tensor, which fill a byte. */
export class Pair<D extends 'i8' | 'u8'> {
  readonly #buf: Buffer;
  readonly #index: readonly Expr[];
  readonly #dtype: D;
  constructor(buf: Buffer, index: readonly Expr[], dtype: D) {
    this.#buf = buf;
    this.#index = index;
    this.#dtype = dtype;
  }
  /** Writes both elements: the lower four bits of each value. */
  set(low: Operand<D>, high: Operand<D>): void {
    const loc = here(), t = this.#dtype, what = `${this.#buf.name}.pair.set`;
    if (this.#buf.access === 'in') throw new DslError('KD-READONLY', { name: this.#buf.name }, { loc });
    const value = binary('or', binary('and', exprOf(low, t, what), constant(15, t), loc), binary('shl', exprOf(high, t, what), constant(4, t), loc), loc);
    emit({ kind: 'store', buf: this.#buf, index: this.#index.map(use), value: use(value), loc });
    recordWrite(this.#buf);
  }
}
