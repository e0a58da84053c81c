import { DslError } from '../errors/index.ts';
import { load } from '../ir/index.ts';
import type { Buffer, DType, PackedDType } from '../ir/index.ts';
import type { DimSpec } from './dim.ts';
import { needDType } from './check.ts';
import { here } from './here.ts';
import { packedSpec } from './packed.ts';
import type { PackedSpec } from './packed.ts';
import { recordRead, use } from './trace.ts';
import { Cell, Val, indexOf } from './val.ts';
import type { Index } from './val.ts';
import { View, slicesOf } from './view.ts';
import type { Part, Rank } from './view.ts';

/** A tensor parameter as declared. */
export interface TensorSpec<D extends DType, S extends readonly DimSpec[]> {
  readonly kind: 'tensor';
  readonly dtype: D;
  readonly dims: S;
  readonly access: 'in' | 'out' | 'inout';
  readonly isStrided: boolean;
  /** The kernel writes every element it does not read first. */
  out(): TensorSpec<D, S>;
  /** The kernel reads and writes it. */
  inout(): TensorSpec<D, S>;
  /** The innermost stride may differ from 1 too. */
  strided(): TensorSpec<D, S>;
}
/** A scalar parameter as declared. */
export interface ScalarSpec<D extends DType> {
  readonly kind: 'scalar';
  readonly dtype: D;
}

function spec<D extends DType, S extends readonly DimSpec[]>(dtype: D, dims: S, access: 'in' | 'out' | 'inout', isStrided: boolean): TensorSpec<D, S> {
  return {
    kind: 'tensor', dtype, dims, access, isStrided,
    out: () => spec(dtype, dims, 'out', isStrided),
    inout: () => spec(dtype, dims, 'inout', isStrided),
    strided: () => spec(dtype, dims, access, true),
  };
}

/**
 * Declares a tensor parameter: a dtype and its dimensions, outermost first. Row-major; outer strides are free, the innermost is 1 unless `.strided()`.
 * @example tensor('f32', 'M', 'K')
 */
export function tensor<D extends DType, const S extends readonly DimSpec[]>(dtype: D, ...dims: S): TensorSpec<D, S>;
/**
 * Declares a tensor of four-bit integers, two in a byte along the innermost dimension, the lower half first. Rows begin at whole bytes: strides are even.
 * @example tensor('i4', 'N', 'K')
 */
export function tensor<D extends PackedDType, const S extends readonly DimSpec[]>(dtype: D, ...dims: S): PackedSpec<D, S>;
export function tensor(dtype: DType | PackedDType, ...dims: readonly DimSpec[]): TensorSpec<DType, readonly DimSpec[]> | PackedSpec<PackedDType, readonly DimSpec[]> {
  if (dtype === 'i4' || dtype === 'u4') return packedSpec(dtype, dims, 'in');
  needDType(dtype, 'tensor');
  return spec(dtype, dims, 'in', false);
}
/** Declares a scalar parameter. */
export function scalar<D extends DType>(dtype: D): ScalarSpec<D> {
  needDType(dtype, 'scalar');
  return { kind: 'scalar', dtype };
}

type Indices<S extends readonly DimSpec[]> = { readonly [K in keyof S]: Index };

/** A tensor inside of a kernel body. */
export class Tensor<D extends DType, S extends readonly DimSpec[]> {
  readonly dtype: D;
  readonly buf: Buffer;
  /** How many dimensions it has. */
  readonly rank: S['length'];
  constructor(buf: Buffer, dtype: D) {
    this.buf = buf;
    this.dtype = dtype;
    this.rank = buf.shape.length;
  }
  /**
   * Part of it, for a kernel that is called: of each dimension `'all'`, `[start, extent]`, or one index.
   * @example call(dot, { x: A.view(i, 'all'), y: B.view('all', j), out: C.view(i, [j, 1]) })
   */
  view<const V extends { readonly [K in keyof S]: Part }>(...parts: V): View<D, Rank<V>> {
    return new View(this.buf, this.dtype, slicesOf(this.buf, parts as readonly Part[]));
  }
  #index(index: readonly Index[]): ReturnType<typeof indexOf>[] {
    if (index.length !== this.buf.shape.length) throw new DslError('KD-RANK', { name: this.buf.name, rank: this.buf.shape.length, given: index.length }, { loc: here() });
    return index.map((x, dim) => {
      const n = this.buf.shape[dim]!, last = n.kind === 'const' ? n.value - 1 : Infinity;
      if (typeof x === 'number' && (x < 0 || x > last)) throw new DslError('KD-INDEX-RANGE', { name: this.buf.name, index: x, dim, last: last === Infinity ? 'its extent - 1' : last }, { loc: here() });
      return indexOf(x, this.buf.name);
    });
  }
  /** The element at an index; one index a dimension. */
  at(...index: Indices<S>): Cell<D> {
    return new Cell(this.buf, this.#index(index as readonly Index[]), this.dtype, here());
  }
  /**
   * The bytes from an index on, read as another dtype (little-endian, any alignment). For u8 tensors: block formats mix dtypes.
   * @example W.as('f16', row, block, 0)
   */
  as<T extends DType>(dtype: T, ...index: Indices<S>): Val<T> {
    needDType(dtype, 'as');
    if (this.dtype !== 'u8') throw new DslError('KD-BYTES', { name: this.buf.name, dtype: this.dtype }, { loc: here() });
    return new Val(recordRead(load(this.buf, this.#index(index as readonly Index[]).map(use), { as: dtype, loc: here() })), dtype);
  }
}
