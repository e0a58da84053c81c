import type { LlamaSpec } from './llama.ts';

/**
 * Cosines and sines of rotary positions: entry [t * pairs + p] is for position `from + t` and pair p, whose angle is
 * position * base^(-2p / ropeDim) (Su et al., 2021), divided by the pair's factor if there is one. Angles are computed in double precision.
 */
export function ropeTable(spec: Pick<LlamaSpec, 'ropeDim' | 'ropeBase'>, from: number, count: number, factors?: ArrayLike<number>): { cos: Float32Array; sin: Float32Array } {
  const pairs = spec.ropeDim / 2;
  const cos = new Float32Array(count * pairs), sin = new Float32Array(count * pairs);
  for (let t = 0; t < count; t++) {
    for (let p = 0; p < pairs; p++) {
      const angle = ((from + t) * spec.ropeBase ** ((-2 * p) / spec.ropeDim)) / (factors?.[p] ?? 1);
      cos[t * pairs + p] = Math.cos(angle);
      sin[t * pairs + p] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
