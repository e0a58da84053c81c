import { select, value } from '@quern/kernel-dsl';
import type { Tensor, Val } from '@quern/kernel-dsl';

/** Elements of a block in Q4_0, Q8_0 and in quantised activations. */
export const BLOCK = 32;

/**
 * A block format of GGUF as kernels see it. Unsigned bytes of weights meet signed bytes of activations, four at a time, in exact integer
 * products. What makes the bytes unsigned is taken back by a bias, the same number for each weight:
 * sum (u - bias) * x = sum u * x - bias * sum x.
 */
export interface BlockFormat<N extends number> {
  readonly name: string;
  /** Bytes of a block: an f16 scale, then the weights. */
  readonly bytes: N;
  /** Words (4 bytes) of weights. */
  readonly words: number;
  readonly bias: number;
  /** The unsigned bytes that word `w` of a block holds, each with the word of activations (element / 4) that they multiply. */
  readonly terms: (raw: Val<'u32'>, w: Val<'i64'>) => readonly (readonly [Val<'u32'>, Val<'i64'>])[];
  /** The same from the other side: for activation word `x`, the word of weights that it meets and which bits of it, as bytes times `times`. */
  readonly partner: (x: Val<'i64'>) => { readonly word: Val<'i64'>; readonly pick: (raw: Val<'u32'>) => Val<'u32'>; readonly times?: Choice };
}

/** A number that depends on the activation word: one for the first half of a block, another for the second. */
export interface Choice { readonly first: number; readonly second: number }

/** Byte offset of the weights in a block: they follow the scale. */
export const WEIGHTS = 2;

const u32 = (x: number): Val<'u32'> => value('u32', x);
const bytes = (b: number): number => (b * 0x01010101) >>> 0;
const firstHalf = (x: Val<'i64'>): Val<'bool'> => x.to('i32').lt(4);

/**
 * 16 bytes: the low nibbles are elements 0 to 15, the high nibbles 16 to 31; a weight is scale * (nibble - 8).
 * A high nibble that stays where it is counts 16 times: exact in the integers, and in the f32 that is divided by 16 again.
 */
export const Q4_0: BlockFormat<18> = {
  name: 'q4_0', bytes: 18, words: 4, bias: 8,
  terms: (raw, w) => [[raw.and(u32(bytes(15))), w], [raw.shr(u32(4)).and(u32(bytes(15))), w.add(4)]],
  partner: (x) => ({ word: x.mod(4), pick: (raw) => raw.and(select(firstHalf(x), u32(bytes(0x0f)), u32(bytes(0xf0)))), times: { first: 1, second: 16 } }),
};

/** 32 signed bytes; a weight is scale * byte. With the top bit flipped, a byte reads as itself + 128. */
export const Q8_0: BlockFormat<34> = {
  name: 'q8_0', bytes: 34, words: 8, bias: 128,
  terms: (raw, w) => [[raw.xor(u32(bytes(128))), w]],
  partner: (x) => ({ word: x, pick: (raw) => raw.xor(u32(bytes(128))) }),
};

/** The word in which each byte is the bias of the bytes that activation word `x` meets. */
export function biasWord<N extends number>(f: BlockFormat<N>, x: Val<'i64'>): Val<'u32'> {
  const { times } = f.partner(x);
  return times ? select(firstHalf(x), u32(bytes(f.bias * times.first)), u32(bytes(f.bias * times.second))) : u32(bytes(f.bias));
}

/** What a product with activation word `x` is multiplied by to count once: a power of two, so nothing is rounded. */
export function once<N extends number>(f: BlockFormat<N>, x: Val<'i64'>, d: Val<'f32'>): Val<'f32'> {
  const { times } = f.partner(x);
  return times ? d.mul(select(firstHalf(x), value('f32', 1 / times.first), value('f32', 1 / times.second))) : d;
}

/** The scale of a block. */
export const scaleOf = <N extends number>(W: Tensor<'u8', readonly ['R', 'NB', N]>, r: Val<'i64'>, b: Val<'i64'>): Val<'f32'> => W.as('f16', r, b, 0).to('f32');
