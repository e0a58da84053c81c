import type { DType } from './dtype.ts';
import type { Loc } from './loc.ts';

/** Where a buffer lives. `pack` memory is per worker inside a parallel loop and per call outside of one. */
export type Space = 'param' | 'reg' | 'pack' | 'local' | 'shared';

/**
 * A region of memory that statements read and write.
 * `shape` of a param may hold sizes; every other space needs constants by the time code is emitted.
 * A param is row-major with a stride per dimension; unless `strided`, its innermost stride is 1. Other spaces are dense.
 */
export interface Buffer {
  readonly id: number;
  readonly name: string;
  readonly dtype: DType;
  readonly space: Space;
  readonly shape: readonly Expr[];
  readonly access: 'in' | 'out' | 'inout';
  readonly strided: boolean;
  readonly loc?: Loc;
}

export type UnaryFn =
  | 'neg' | 'abs' | 'not' | 'floor' | 'ceil' | 'round' | 'trunc' | 'sqrt' | 'rsqrt'
  | 'exp' | 'exp2' | 'log' | 'log2' | 'sin' | 'cos' | 'tanh' | 'erf';
/** Integer `div` and `mod` round towards minus infinity. `min`/`max` of floats return the second operand when either is NaN. */
export type BinaryFn = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'min' | 'max' | 'and' | 'or' | 'xor' | 'shl' | 'shr';
export type CmpFn = 'lt' | 'le' | 'gt' | 'ge' | 'eq' | 'ne';
export type ReduceFn = 'add' | 'mul' | 'min' | 'max';

interface Node<K extends string> {
  readonly kind: K;
  readonly dtype: DType;
  /** 1 for a scalar, else the number of vector lanes. */
  readonly lanes: number;
  readonly loc?: Loc;
}

export interface Const extends Node<'const'> { readonly value: number }
/** A named dimension, known when the kernel is launched. */
export interface Size extends Node<'size'> { readonly name: string }
/** The stride of a param along one dimension, in elements. */
export interface Stride extends Node<'stride'> { readonly buf: Buffer; readonly dim: number }
export interface Scalar extends Node<'scalar'> { readonly name: string }
/** A loop variable (i64) or a name bound by Let. Identity is `id`; `name` is what people read. */
export interface Var extends Node<'var'> { readonly id: number; readonly name: string }
/**
 * Reads `lanes` elements. With `lanes` > 1 and scalar indices they lie next to each other in the innermost dimension, starting at `index`
 * (stride of that dimension times the lane, should it not be 1); an index with lanes (a ramp) makes it a gather.
 * `as` reinterprets the bytes that start at `index`: e.g. two u8 as one f16. The buffer's dtype is then u8.
 */
export interface Load extends Node<'load'> { readonly buf: Buffer; readonly index: readonly Expr[]; readonly as?: DType }
export interface Cast extends Node<'cast'> { readonly x: Expr }
export interface Bitcast extends Node<'bitcast'> { readonly x: Expr }
export interface Unary extends Node<'unary'> { readonly fn: UnaryFn; readonly x: Expr }
export interface Binary extends Node<'binary'> { readonly fn: BinaryFn; readonly a: Expr; readonly b: Expr }
export interface Cmp extends Node<'cmp'> { readonly fn: CmpFn; readonly a: Expr; readonly b: Expr }
/** a * b + c, rounded once. */
export interface Fma extends Node<'fma'> { readonly a: Expr; readonly b: Expr; readonly c: Expr }
export interface Select extends Node<'select'> { readonly cond: Expr; readonly a: Expr; readonly b: Expr }
/** acc + the four products of the unsigned bytes of `a` with the signed bytes of `b`, exact in i32 (wrapping). a: u32, b: i32, acc: i32. */
export interface Dot4 extends Node<'dot4'> { readonly acc: Expr; readonly a: Expr; readonly b: Expr }
/** base, base + stride, base + 2 stride, … */
export interface Ramp extends Node<'ramp'> { readonly base: Expr; readonly stride: Expr }
export interface Broadcast extends Node<'broadcast'> { readonly x: Expr }
/** Lane i is lane `pick[i]` of `a` and `b` laid end to end. Both have one dtype and one number of lanes; `pick` has as many entries as the result has lanes. */
export interface Shuffle extends Node<'shuffle'> { readonly a: Expr; readonly b: Expr; readonly pick: readonly number[] }
/** All lanes of `x` combined by halving: y[i] = x[i] op x[i + n/2], and again, until one lane is left. `lanes` of the result is 1. */
export interface Reduce extends Node<'reduce'> { readonly fn: ReduceFn; readonly x: Expr }

export type Expr =
  | Const | Size | Stride | Scalar | Var | Load | Cast | Bitcast | Unary | Binary | Cmp | Fma | Select | Dot4 | Ramp | Broadcast | Shuffle | Reduce;
export type ExprKind = Expr['kind'];
