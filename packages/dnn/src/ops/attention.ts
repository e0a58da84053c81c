import { ArgumentError, DTypeError, ShapeError, Tensor } from '@quern/runtime';
import { dnnKernel } from '../library/index.ts';
import { needCount, needFinite, needShape, needTensor, result, rows } from './check.ts';
import type { OutOption } from './check.ts';

/** A cache of keys or values: [C, G, E] for C positions, G groups of heads and heads of E elements. */
export type Cache = Tensor<'f32' | 'f16'>;

function needCaches(K: Cache, V: Cache, what: string): { readonly C: number; readonly G: number; readonly E: number } {
  for (const [name, t] of [['K', K], ['V', V]] as const) {
    if (!(t instanceof Tensor)) throw new ArgumentError(`${what}: ${name} must be a Tensor`);
    if (t.dtype !== 'f32' && t.dtype !== 'f16') throw new DTypeError(`${what}: ${name} must be f32 or f16, got ${String(t.dtype)}`);
  }
  if (K.dtype !== V.dtype) throw new DTypeError(`${what}: K is ${K.dtype} but V is ${V.dtype}`);
  needShape(K, ['C', 'G', 'E'], `${what}: K`);
  needShape(V, K.shape, `${what}: V`);
  const [C, G, E] = K.shape as [number, number, number];
  return { C, G, E };
}

function needRoom(pos: unknown, T: number, C: number, what: string): number {
  const at = needCount(pos, `${what}: pos`);
  if (at + T > C) throw new ShapeError(`${what}: positions ${at} to ${at + T - 1} do not fit a cache of ${C}`, { fix: 'make the cache larger, or start over' });
  return at;
}

/**
 * Causal attention with grouped queries: token t of head h attends to positions 0 to pos + t of group floor(h / (H / G)).
 * Softmax is online, so no row of scores is stored however long the context is.
 *
 * @param q [T, H, E], f32, H a multiple of G
 * @param K [C, G, E], f32 or f16, the keys of positions 0 to pos + T - 1 (those of the T tokens included)
 * @param V [C, G, E], like K
 * @param o.pos position of token 0; default 0
 * @param o.scale of scores; default 1 / sqrt(E)
 * @returns [T, H, E], f32
 * @throws ShapeError, DTypeError, ArgumentError
 * @example attention(zeros([1, 1, 2]), zeros([1, 1, 2]), values([3, 4], [1, 1, 2])).read() // 3, 4
 */
export function attention(q: Tensor<'f32'>, K: Cache, V: Cache, o: OutOption & { readonly pos?: number; readonly scale?: number } = {}): Tensor<'f32'> {
  const { C, G, E } = needCaches(K, V, 'attention');
  needShape(needTensor(q, 'f32', 'attention: q'), ['T', 'H', E], 'attention: q');
  const [T, H] = q.shape as [number, number, number];
  if (G === 0 || H % G !== 0) throw new ShapeError(`attention: ${H} heads cannot share ${G} groups of keys and values evenly`);
  const pos = needRoom(o.pos ?? 0, T, C, 'attention'), scale = needFinite(o.scale ?? 1 / Math.sqrt(E), 'attention: scale');
  const y = result(o, q.shape, 'attention');
  dnnKernel(`attention_${K.dtype}`).run({ q: rows(q), K: rows(K), V: rows(V), pos, scale, y });
  return y;
}

/**
 * Writes the keys and values of T tokens into the cache, at positions pos to pos + T - 1, rounded to its dtype.
 *
 * @param k [T, G, E], f32
 * @param v [T, G, E], f32
 * @param K [C, G, E], f32 or f16
 * @param V [C, G, E], like K
 * @throws ShapeError when the cache has no room. @throws DTypeError, ArgumentError
 * @example kvAppend(values([1, 2], [1, 1, 2]), values([3, 4], [1, 1, 2]), K, V, 0)
 */
export function kvAppend(k: Tensor<'f32'>, v: Tensor<'f32'>, K: Cache, V: Cache, pos: number): void {
  const { C, G, E } = needCaches(K, V, 'kvAppend');
  needShape(needTensor(k, 'f32', 'kvAppend: k'), ['T', G, E], 'kvAppend: k');
  needShape(needTensor(v, 'f32', 'kvAppend: v'), k.shape, 'kvAppend: v');
  dnnKernel(`kv_append_${K.dtype}`).run({ k: rows(k), v: rows(v), K, V, pos: needRoom(pos, k.shape[0]!, C, 'kvAppend') });
}
