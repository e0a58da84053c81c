import { value } from '@quern/kernel-dsl';
import type { Tensor, Val } from '@quern/kernel-dsl';

/** Elements of a block in Q4_0, Q8_0 and in quantised activations. */
export const BLOCK = 32;

/**
 * A block format of GGUF as kernels see it. Every 4 bytes ("word") of weights meet words of activations: `terms` gives, for word `w` of a
 * block, the unsigned bytes and the activation word that they multiply. What makes the bytes unsigned is taken back by
 * `bias`, the same number for each weight: sum (u - bias) * x = sum u * x - bias * sum x, exactly, in integers.
 */
export interface BlockFormat<N extends number> {
  readonly name: string;
  /** Bytes of a block: an f16 scale, then the weights. */
  readonly bytes: N;
  /** Words of weights. */
  readonly words: number;
  readonly bias: number;
  readonly terms: (raw: Val<'u32'>, w: Val<'i64'>) => readonly (readonly [Val<'u32'>, Val<'i64'>])[];
}

/** Byte offset of the weights in a block: they follow the scale. */
export const WEIGHTS = 2;

const u32 = (x: number): Val<'u32'> => value('u32', x);

/** 16 bytes: the low nibbles are elements 0 to 15, the high nibbles 16 to 31; a weight is scale * (nibble - 8). */
export const Q4_0: BlockFormat<18> = {
  name: 'q4_0', bytes: 18, words: 4, bias: 8,
  terms: (raw, w) => [[raw.and(u32(0x0f0f0f0f)), w], [raw.shr(u32(4)).and(u32(0x0f0f0f0f)), w.add(4)]],
};

/** 32 signed bytes; a weight is scale * byte. With the top bit flipped, a byte reads as itself + 128. */
export const Q8_0: BlockFormat<34> = { name: 'q8_0', bytes: 34, words: 8, bias: 128, terms: (raw, w) => [[raw.xor(u32(0x80808080)), w]] };

/** The word in which each byte is the format's bias. */
export const biasWord = (f: { readonly bias: number }): Val<'u32'> => u32((f.bias * 0x01010101) >>> 0);

/** The scale of a block. */
export const scaleOf = <N extends number>(W: Tensor<'u8', readonly ['R', 'NB', N]>, r: Val<'i64'>, b: Val<'i64'>): Val<'f32'> => W.as('f16', r, b, 0).to('f32');
