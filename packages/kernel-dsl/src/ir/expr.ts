import type { DType, PackedDType } from './dtype.ts';
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
  /**
   * Two elements share a byte: of a param only. `dtype` is that of its values; shape, indices and strides count elements, and every stride but the
   * innermost is even. A load gives one element (or `lanes` neighbours). A store writes whole bytes: its index is even in the innermost dimension,
   * its value holds the element there in the lower and the next one in the upper four bits; its lanes are neighbouring bytes.
   */
  readonly packed?: PackedDType;
  readonly loc?: Loc;
}

/**
 * Functions of one operand, lane by lane. `round` takes ties to even; `rsqrt` rounds twice; `not` is for bools and integers. `popcount`, `clz` and `ctz`
 * count bits of integers (set; zeros above the highest set bit; zeros below the lowest) and give the operand's dtype; of 0, clz and ctz give its width.
 * Of floats, `exponent` is floor(log2 x) for x > 0, and of 0, Infinity and NaN it is -Infinity, Infinity and NaN (below 0 it may be anything); `mantissa`
 * is x 2^-k where that lies in [0.75, 1.5) for finite x > 0, 1 of zeros and Infinity, NaN below 0 and of NaN.
 */
export type UnaryFn =
  | 'neg' | 'abs' | 'not' | 'popcount' | 'clz' | 'ctz' | 'floor' | 'ceil' | 'round' | 'trunc' | 'sqrt' | 'rsqrt'
  | 'exp' | 'exp2' | 'log' | 'log2' | 'sin' | 'cos' | 'tanh' | 'erf' | 'exponent' | 'mantissa';
/**
 * Integer `div` and `mod` round towards minus infinity. `min`/`max` of floats return the second operand when either is NaN; of bools they are `and`/`or`.
 * Of floats alone: `pow`; `copysign`, the magnitude of a with the sign of b; `ldexp`, a 2^b rounded once, for whole b
 * up to 252 (f32) or 2044 (f64) in magnitude and a that is NaN, 0 or between 2^-60 and 2^60.
 */
export type BinaryFn =
  | 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'min' | 'max' | 'and' | 'or' | 'xor' | 'shl' | 'shr' | 'pow' | 'copysign' | 'ldexp';
/** Comparisons, lane by lane; with a NaN all are false but `ne`. */
export type CmpFn = 'lt' | 'le' | 'gt' | 'ge' | 'eq' | 'ne';
/** Operators that combine many values, into memory (Accum) or over lanes (Reduce). */
export type ReduceFn = 'add' | 'mul' | 'min' | 'max';

/** What an atomic update does to a cell. */
export type AtomicFn = 'add' | 'min' | 'max' | 'and' | 'or' | 'xor' | 'exchange';

/** What the lanes of a subgroup make of their values together; all of them must be there. */
export type SubgroupFn = 'shuffle' | 'shuffleXor' | 'broadcast' | 'add' | 'min' | 'max' | 'any' | 'all' | 'ballot';

interface Node<K extends string> {
  readonly kind: K;
  readonly dtype: DType;
  /** 1 for a scalar, else the number of vector lanes. */
  readonly lanes: number;
  readonly loc?: Loc;
}

/** A number, held as the dtype holds it; bools are 0 and 1. */
export interface Const extends Node<'const'> { readonly value: number }
/** A named dimension, known when the kernel is launched. */
export interface Size extends Node<'size'> { readonly name: string }
/** The stride of a param along one dimension, in elements. */
export interface Stride extends Node<'stride'> { readonly buf: Buffer; readonly dim: number }
/** A scalar parameter of the kernel. */
export interface Scalar extends Node<'scalar'> { readonly name: string }
/** A loop variable (i64) or a name bound by Let. Identity is `id`; `name` is what people read. */
export interface Var extends Node<'var'> { readonly id: number; readonly name: string }
/**
 * Reads `lanes` elements. With `lanes` > 1 and scalar indices they lie next to each other in the innermost dimension, starting at `index`
 * (stride of that dimension times the lane, should it not be 1); an index with lanes (a ramp) makes it a gather.
 * `as` reinterprets the bytes that start at `index`: e.g. two u8 as one f16. The buffer's dtype is then u8.
 */
export interface Load extends Node<'load'> { readonly buf: Buffer; readonly index: readonly Expr[]; readonly as?: DType }
/** The value as another dtype: floats round to nearest even, floats become integers by truncation, integers wrap. */
export interface Cast extends Node<'cast'> { readonly x: Expr }
/** The same bits as another dtype. Lanes may change where all lanes together keep their size, e.g. 64 u8 as 16 u32. */
export interface Bitcast extends Node<'bitcast'> { readonly x: Expr }
/** fn(x), lane by lane. */
export interface Unary extends Node<'unary'> { readonly fn: UnaryFn; readonly x: Expr }
/** a fn b, lane by lane; operands and result have one dtype and one number of lanes. */
export interface Binary extends Node<'binary'> { readonly fn: BinaryFn; readonly a: Expr; readonly b: Expr }
/** a fn b as bool, lane by lane; the operands have one dtype and one number of lanes. */
export interface Cmp extends Node<'cmp'> { readonly fn: CmpFn; readonly a: Expr; readonly b: Expr }
/** a * b + c, rounded once. */
export interface Fma extends Node<'fma'> { readonly a: Expr; readonly b: Expr; readonly c: Expr }
/** a in the lanes where the condition holds, else b. Both may be computed. */
export interface Select extends Node<'select'> { readonly cond: Expr; readonly a: Expr; readonly b: Expr }
/** acc + the four products of the unsigned bytes of `a` with the signed bytes of `b`, exact in i32 (wrapping). a: u32, b: i32, acc: i32. */
export interface Dot4 extends Node<'dot4'> { readonly acc: Expr; readonly a: Expr; readonly b: Expr }
/** base, base + stride, base + 2 stride, … */
export interface Ramp extends Node<'ramp'> { readonly base: Expr; readonly stride: Expr }
/** One value in every lane. */
export interface Broadcast extends Node<'broadcast'> { readonly x: Expr }
/** Lane i is lane `pick[i]` of `a` and `b` laid end to end. Both have one dtype and one number of lanes; `pick` has as many entries as the result has lanes, be it one. */
export interface Shuffle extends Node<'shuffle'> { readonly a: Expr; readonly b: Expr; readonly pick: readonly number[] }
/** Scalars of one dtype, side by side as the lanes of a vector. */
export interface Join extends Node<'join'> { readonly parts: readonly Expr[] }
/** All lanes of `x` combined by halving: y[i] = x[i] op x[i + n/2], and again, until one lane is left. `lanes` of the result is 1. */
export interface Reduce extends Node<'reduce'> { readonly fn: ReduceFn; readonly x: Expr }

/**
 * What a lane gets from the lanes of its subgroup. `shuffle` and `broadcast`: x of the lane with number `lane` in the subgroup (for `broadcast` the same one in
 * all); `shuffleXor`: x of the lane whose number differs in the bits of `lane`; `add`, `min`, `max`: all x combined by halving, as Reduce does; `any`, `all` of
 * bools; `ballot`: bit i of a u32 is x of lane i. Only as the whole value of a Let, so that it happens at one place of the program.
 */
export interface Subgroup extends Node<'subgroup'> { readonly fn: SubgroupFn; readonly x: Expr; readonly lane?: Expr }

/** Every kind of expression; `kind` tells them apart. */
export type Expr =
  | Const | Size | Stride | Scalar | Var | Load | Cast | Bitcast | Unary | Binary | Cmp | Fma | Select | Dot4 | Ramp | Broadcast | Shuffle | Join | Reduce | Subgroup;
/** What `kind` of an expression may be. */
export type ExprKind = Expr['kind'];
