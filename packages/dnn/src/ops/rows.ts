import { ShapeError, Tensor } from '@quern/runtime';
import { dnnKernel } from '../library/index.ts';
import { flat, needFinite, needShape, needTensor, needWidth, result, shaped } from './check.ts';
import type { OutOption } from './check.ts';

/**
 * Root mean square normalisation over the last dimension: y = x / sqrt(mean(x^2) + eps) * w (Zhang and Sennrich, 2019).
 * The error of an element is at most gamma(D / 2 + 6) |y|, with gamma(n) = n u / (1 - n u) and u = 2^-24.
 *
 * @param x [..., D], f32
 * @param w [D], f32
 * @param o.eps added to the mean; default 1e-5
 * @returns [..., D], f32
 * @throws ShapeError, DTypeError, ArgumentError
 * @example rmsNorm(tensor(Float32Array.of(3, 4)), tensor(Float32Array.of(1, 1)), { eps: 0 }).read() // 3 / sqrt(12.5), 4 / sqrt(12.5)
 */
export function rmsNorm(x: Tensor<'f32'>, w: Tensor<'f32'>, o: OutOption & { readonly eps?: number } = {}): Tensor<'f32'> {
  needTensor(x, 'f32', 'rmsNorm: x');
  needTensor(w, 'f32', 'rmsNorm: w');
  const D = needWidth(x, 'rmsNorm: x'), eps = needFinite(o.eps ?? 1e-5, 'rmsNorm: eps');
  needShape(w, [D], 'rmsNorm: w');
  const y = result(o, x.shape, 'rmsNorm');
  dnnKernel('rms_norm').run({ x: shaped(x, -1, D), w: flat(w), eps, y: y.reshape(-1, D) });
  return y;
}

/**
 * Softmax over the last dimension. A row with a NaN or +Infinity becomes NaN.
 * With u = 2^-24, an element's relative error is at most (D + 10 + 2 max |x - max x|) u.
 *
 * @param x [..., D], f32
 * @returns [..., D], f32
 * @throws ShapeError, DTypeError, ArgumentError
 * @example softmax(tensor(new Float32Array(4))).read() // 0.25, four times
 */
export function softmax(x: Tensor<'f32'>, o: OutOption = {}): Tensor<'f32'> {
  needTensor(x, 'f32', 'softmax: x');
  const D = needWidth(x, 'softmax: x'), y = result(o, x.shape, 'softmax');
  dnnKernel('softmax').run({ x: shaped(x, -1, D), y: y.reshape(-1, D) });
  return y;
}

/**
 * x * sigmoid(x), element by element, within 7 u |y| (u = 2^-24).
 *
 * @param x any shape, f32
 * @throws DTypeError, ArgumentError
 * @example silu(tensor(Float32Array.of(0, 1))).read() // 0, 0.7310586
 */
export function silu(x: Tensor<'f32'>, o: OutOption = {}): Tensor<'f32'> {
  needTensor(x, 'f32', 'silu: x');
  const y = result(o, x.shape, 'silu');
  dnnKernel('silu').run({ x: flat(x), y: y.reshape(y.size) });
  return y;
}

/**
 * silu(gate) * up, element by element: the middle of a SwiGLU layer.
 *
 * @param gate any shape, f32
 * @param up the same shape, f32
 * @throws ShapeError, DTypeError, ArgumentError
 * @example siluMul(tensor(Float32Array.of(1)), tensor(Float32Array.of(2))).read() // 1.4621172
 */
export function siluMul(gate: Tensor<'f32'>, up: Tensor<'f32'>, o: OutOption = {}): Tensor<'f32'> {
  needTensor(gate, 'f32', 'siluMul: gate');
  needShape(needTensor(up, 'f32', 'siluMul: up'), gate.shape, 'siluMul: up');
  const y = result(o, gate.shape, 'siluMul');
  dnnKernel('silu_mul').run({ g: flat(gate), u: flat(up), y: y.reshape(y.size) });
  return y;
}

/**
 * a + b, element by element.
 *
 * @param a any shape, f32
 * @param b the same shape, f32
 * @throws ShapeError, DTypeError, ArgumentError
 * @example add(tensor(Float32Array.of(1)), tensor(Float32Array.of(2))).read() // 3
 */
export function add(a: Tensor<'f32'>, b: Tensor<'f32'>, o: OutOption = {}): Tensor<'f32'> {
  needTensor(a, 'f32', 'add: a');
  needShape(needTensor(b, 'f32', 'add: b'), a.shape, 'add: b');
  const y = result(o, a.shape, 'add');
  dnnKernel('add').run({ a: flat(a), b: flat(b), y: y.reshape(y.size) });
  return y;
}

/**
 * y += x, in place: a residual connection. Returns y.
 *
 * @param x any shape, f32
 * @param y the same shape, f32, contiguous
 * @throws ShapeError, DTypeError, ArgumentError
 * @example addTo(tensor(Float32Array.of(1)), tensor(Float32Array.of(2))).read() // 3
 */
export function addTo(x: Tensor<'f32'>, y: Tensor<'f32'>): Tensor<'f32'> {
  needTensor(x, 'f32', 'addTo: x');
  needShape(needTensor(y, 'f32', 'addTo: y'), x.shape, 'addTo: y');
  const into = result({ out: y }, x.shape, 'addTo');
  dnnKernel('add_to').run({ x: flat(x), y: into.reshape(into.size) });
  return y;
}

/** Which elements of a head form a pair: neighbours (Llama's files in GGUF), or elements half of the rotated part apart (GPT-NeoX). */
export type RopeLayout = 'pairs' | 'neox';

/**
 * Rotary position embedding, in place (Su et al., 2021): pair p of every head of token t turns by the angle whose cosine and sine are
 * cos[t, p] and sin[t, p]. Where P is less than E / 2, the first 2 P elements of a head are rotated. Returns x.
 *
 * @param x [T, H, E], f32, contiguous
 * @param cos [T, P], f32, with 2 P <= E
 * @param sin [T, P], f32
 * @throws ShapeError, DTypeError, ArgumentError
 * @example rope(tensor(Float32Array.of(1, 0), [1, 1, 2]), tensor(Float32Array.of(0), [1, 1]), tensor(Float32Array.of(1), [1, 1])).read() // 0, 1
 */
export function rope(x: Tensor<'f32'>, cos: Tensor<'f32'>, sin: Tensor<'f32'>, o: { readonly layout?: RopeLayout } = {}): Tensor<'f32'> {
  needShape(needTensor(x, 'f32', 'rope: x'), ['T', 'H', 'E'], 'rope: x');
  const [T, H, E] = x.shape as [number, number, number];
  needShape(needTensor(cos, 'f32', 'rope: cos'), [T, 'P'], 'rope: cos');
  const P = cos.shape[1]!;
  needShape(needTensor(sin, 'f32', 'rope: sin'), [T, P], 'rope: sin');
  if (2 * P > E) throw new ShapeError(`rope: ${P} pairs do not fit heads of ${E} elements`, { fix: 'give cos and sin at most E / 2 columns' });
  if (!x.contiguous) throw new ShapeError('rope: x must be contiguous: it is changed in place', { fix: 'clone() it first' });
  const neox = o.layout === 'neox';
  const view = new Tensor(x.storage, 'f32', neox ? [T, H, 2, P] : [T, H, P, 2], neox ? [H * E, E, P, 1] : [H * E, E, 2, 1], x.byteOffset);
  dnnKernel(neox ? 'rope_neox' : 'rope').run({ x: view, cos: shaped(cos, T, P), sin: shaped(sin, T, P) });
  return x;
}
