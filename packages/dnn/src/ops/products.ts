import { ArgumentError, ShapeError, type Tensor, zeros } from '@quern/runtime';
import { dnnKernel } from '../library/index.ts';
import { flat, needShape, needTensor, result, shaped } from './check.ts';
import type { OutOption } from './check.ts';
import { matrix } from './weights.ts';
import type { Matrix, Weights } from './weights.ts';

/** Tokens side by side in the lanes of the quantised matmul. */
const PANEL = 16;
/** Up to so many tokens, one matvec each is faster than a panel that is mostly empty. */
const FEW = 3;

/** Numbers as 32-element blocks of signed bytes with a scale each: x is about d * q. */
export interface Q8 {
  /** The bytes of signed 8-bit integers, [T, D / 32, 32]. */
  readonly q: Tensor<'u8'>;
  /** [T, D / 32]. */
  readonly d: Tensor<'f32'>;
}

/**
 * Quantises rows to blocks of 32 signed bytes: d = max |x| / 127 and q = x / d, to nearest, so |x - d q| <= d / 2 (1 + 2^-16).
 * A block with a NaN or an infinity gets d = NaN.
 *
 * @param x [T, D], f32, D a multiple of 32
 * @throws ShapeError, DTypeError, ArgumentError
 * @example quantizeQ8(values(Array.from({ length: 32 }, (_, i) => i / 31), [1, 32])).d.read() // 1 / 127
 */
export function quantizeQ8(x: Tensor<'f32'>): Q8 {
  const { T, blocks } = quantizable(x, 'quantizeQ8: x');
  const q = zeros([T, blocks, 32], 'u8'), d = zeros([T, blocks], 'f32');
  dnnKernel('quantize_q8').run({ x: shaped(x, T, blocks, 32), q, d });
  return { q, d };
}

function quantizable(x: Tensor<'f32'>, what: string): { readonly T: number; readonly blocks: number } {
  needShape(needTensor(x, 'f32', what), ['T', 'D'], what);
  const [T, D] = x.shape as [number, number];
  if (D % 32 !== 0) throw new ShapeError(`${what}: ${D} columns are no multiple of 32`, { fix: 'pad the rows with zeros' });
  return { T, blocks: D / 32 };
}

/** How a product ends. */
export interface ProductOptions extends OutOption {
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
}

function target(o: ProductOptions, shape: readonly number[], what: string): { readonly y: Tensor<'f32'>; readonly acc: string } {
  if (o.accumulate === true && o.out === undefined) throw new ArgumentError(`${what}: accumulate needs out`, { fix: 'pass the tensor to add to as out' });
  return { y: result(o, shape, what), acc: o.accumulate === true ? '_acc' : '' };
}

/**
 * y = W x for one vector. Quantised weights meet x rounded to signed bytes (see {@link quantizeQ8}); their integer products are exact.
 * Beyond that rounding of x, |error| <= gamma(D + 4) sum |w x| for floats and gamma(D / 32 + 7) sum |w x| for blocks.
 *
 * @param W [R, D]
 * @param x [D], f32; D a multiple of 32 for quantised weights
 * @returns [R], f32
 * @throws ShapeError, DTypeError, ArgumentError
 * @example matvec(tensor(Float32Array.of(1, 2, 3, 4), [2, 2]), tensor(Float32Array.of(1, 1))).read() // 3, 7
 */
export function matvec(W: Weights, x: Tensor<'f32'>, o: ProductOptions = {}): Tensor<'f32'> {
  const m = matrix(W, 'matvec: W');
  needShape(needTensor(x, 'f32', 'matvec: x'), [m.columns], 'matvec: x');
  const { y, acc } = target(o, [m.rows], 'matvec');
  if (m.format === 'f32' || m.format === 'f16') dnnKernel(`matvec_${m.format}${acc}`).run({ W: m.W, x: flat(x), y });
  else {
    const { q, d } = quantizeQ8(flat(x).reshape(1, m.columns));
    dnnKernel(`matvec_${m.format}${acc}`).run({ W: m.W, q: q.reshape(m.columns / 32, 32), d: d.reshape(m.columns / 32), y });
  }
  return y;
}

/**
 * y[t] = W x[t] for many vectors: y = x W^T. Accuracy as in {@link matvec}.
 *
 * @param W [R, D]
 * @param x [T, D], f32; D a multiple of 32 for quantised weights
 * @returns [T, R], f32
 * @throws ShapeError, DTypeError, ArgumentError
 * @example matmul(tensor(Float32Array.of(1, 2, 3, 4), [2, 2]), tensor(Float32Array.of(1, 0, 0, 1), [2, 2])).read() // 1, 3, 2, 4
 */
export function matmul(W: Weights, x: Tensor<'f32'>, o: ProductOptions = {}): Tensor<'f32'> {
  const m = matrix(W, 'matmul: W');
  needShape(needTensor(x, 'f32', 'matmul: x'), ['T', m.columns], 'matmul: x');
  const T = x.shape[0]!, { y, acc } = target(o, [T, m.rows], 'matmul');
  if (m.format === 'f32' || m.format === 'f16') dnnKernel(`matmul_${m.format}${acc}`).run({ W: m.W, x: shaped(x, T, m.columns), y });
  else if (T <= FEW) for (let t = 0; t < T; t++) matvec(W, x.slice(t), { out: y.slice(t), accumulate: o.accumulate === true });
  else panels(m, x, y, acc);
  return y;
}

function panels(m: Matrix, x: Tensor<'f32'>, y: Tensor<'f32'>, acc: string): void {
  const T = x.shape[0]!, NB = m.columns / 32, P = Math.ceil(T / PANEL);
  const q = zeros([P, NB, 8 * PANEL], 'i32'), d = zeros([P, NB, PANEL], 'f32'), s = zeros([P, NB, PANEL], 'i32');
  dnnKernel('quantize_q8_panels').run({ x: shaped(x, T, NB, 32), q, d, s });
  dnnKernel(`matmul_${m.format}${acc}`).run({ W: m.W, q, d, s, y });
  for (const t of [q, d, s]) t.dispose();
}

/**
 * Rows of a table, by number: y[t] = table[ids[t]], widened to f32, exactly.
 *
 * @param table [V, D]
 * @param ids [T], i32, each from 0 to V - 1
 * @returns [T, D], f32
 * @throws ArgumentError (code `QUERN_RANGE`) for an id outside of the table, before anything is written. @throws ShapeError, DTypeError
 * @example embedding(tensor(Float32Array.of(1, 2, 3, 4), [2, 2]), tensor(Int32Array.of(1))).read() // 3, 4
 */
export function embedding(table: Weights, ids: Tensor<'i32'>, o: OutOption = {}): Tensor<'f32'> {
  const m = matrix(table, 'embedding: table');
  needShape(needTensor(ids, 'i32', 'embedding: ids'), ['T'], 'embedding: ids');
  const T = ids.shape[0]!, D = m.columns, list = flat(ids), wrong = list.array.findIndex((id) => id < 0 || id >= m.rows);
  if (wrong >= 0) throw new ArgumentError(`embedding: ids[${wrong}] is ${list.array[wrong]}, but the table has ${m.rows} rows`, { code: 'QUERN_RANGE', fix: `pass ids from 0 to ${m.rows - 1}` });
  const y = result(o, [T, D], 'embedding');
  const shape = m.format === 'q4_0' ? [T, D / 32, 2, 16] : m.format === 'q8_0' ? [T, D / 32, 32] : [T, D];
  dnnKernel(`embed_${m.format}`).run({ W: m.W, ids: list, y: y.reshape(...shape) });
  return y;
}
