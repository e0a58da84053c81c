import { f16ToF32, f32ToF16 } from '@quern/kernel-dsl';

/** Numbers for one test case, from a seed. */
export interface Random {
  /** From 0 to 1. */
  readonly next: () => number;
  readonly int: (below: number) => number;
  /** Floats of mixed magnitude around 0; with `special`, NaN and infinities among them. */
  readonly f32: (n: number) => Float32Array;
  /** Halves as their bits. */
  readonly f16: (n: number) => Uint16Array;
  readonly bytes: (n: number) => Uint8Array;
  readonly special: boolean;
}

/** A generator (Marsaglia's xorshift32). With `special`, a few elements are NaN or infinite. */
export function random(seed: number, special = false): Random {
  let x = Math.imul(seed | 0, 0x9e3779b1) ^ 0x2545f491 || 1;
  const next = (): number => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
  const odd = [NaN, Infinity, -Infinity];
  const float = (): number => (special && next() < 0.02 ? odd[Math.floor(next() * 3)]! : (next() * 2 - 1) * 4 ** Math.floor(next() * 4 - 2));
  return {
    next, special,
    int: (below) => Math.floor(next() * below),
    f32: (n) => Float32Array.from({ length: n }, float),
    f16: (n) => Uint16Array.from({ length: n }, () => f32ToF16(float())),
    bytes: (n) => Uint8Array.from({ length: n }, () => Math.floor(next() * 256)),
  };
}

/** Rows of blocks in a GGUF format: random bytes under a sensible f16 scale. */
export function blocks(r: Random, count: number, bytes: 18 | 34): Uint8Array {
  const W = r.bytes(count * bytes);
  for (let b = 0; b < count; b++) {
    const d = f32ToF16(r.special && r.next() < 0.02 ? Infinity : (r.next() * 2 - 1) / 16);
    W[b * bytes] = d & 255;
    W[b * bytes + 1] = d >> 8;
  }
  return W;
}

/** The scale and the 32 integer weights of block `b`. */
export function unblock(W: Uint8Array, b: number, bytes: 18 | 34): { readonly scale: number; readonly weights: readonly number[] } {
  const at = b * bytes, scale = f16ToF32(W[at]! | (W[at + 1]! << 8));
  const byte = (i: number): number => W[at + 2 + i]!;
  const weights = Array.from({ length: 32 }, (_, i) => (bytes === 18 ? (i < 16 ? byte(i) & 15 : byte(i - 16) >> 4) - 8 : (byte(i) << 24) >> 24));
  return { scale, weights };
}
