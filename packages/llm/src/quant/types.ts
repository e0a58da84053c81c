import { QuantError } from './error.ts';

/** Names of the element and block formats that a GGUF file may hold. */
export type BlockTypeName =
  | 'F32' | 'F16' | 'BF16' | 'F64' | 'I8' | 'I16' | 'I32' | 'I64'
  | 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'Q8_1'
  | 'Q2_K' | 'Q3_K' | 'Q4_K' | 'Q5_K' | 'Q6_K' | 'Q8_K'
  | 'IQ1_S' | 'IQ1_M' | 'IQ2_XXS' | 'IQ2_XS' | 'IQ2_S' | 'IQ3_XXS' | 'IQ3_S' | 'IQ4_NL' | 'IQ4_XS'
  | 'TQ1_0' | 'TQ2_0' | 'MXFP4' | 'NVFP4' | 'Q1_0';

/** Layout of one format: `blockSize` consecutive elements of a row take `blockBytes` bytes. `id` is its number in a GGUF file. */
export interface BlockType {
  readonly name: BlockTypeName;
  readonly id: number;
  readonly blockSize: number;
  readonly blockBytes: number;
}

function entry(name: BlockTypeName, id: number, blockSize: number, blockBytes: number): BlockType {
  return { name, id, blockSize, blockBytes };
}

/** Every format with its number and layout. The numbers 4, 5, 31-33 and 36-38 were withdrawn from the format and are not listed. */
export const BLOCK_TYPES: readonly BlockType[] = [
  entry('F32', 0, 1, 4),
  entry('F16', 1, 1, 2),
  entry('Q4_0', 2, 32, 18),
  entry('Q4_1', 3, 32, 20),
  entry('Q5_0', 6, 32, 22),
  entry('Q5_1', 7, 32, 24),
  entry('Q8_0', 8, 32, 34),
  entry('Q8_1', 9, 32, 36),
  entry('Q2_K', 10, 256, 84),
  entry('Q3_K', 11, 256, 110),
  entry('Q4_K', 12, 256, 144),
  entry('Q5_K', 13, 256, 176),
  entry('Q6_K', 14, 256, 210),
  entry('Q8_K', 15, 256, 292),
  entry('IQ2_XXS', 16, 256, 66),
  entry('IQ2_XS', 17, 256, 74),
  entry('IQ3_XXS', 18, 256, 98),
  entry('IQ1_S', 19, 256, 50),
  entry('IQ4_NL', 20, 32, 18),
  entry('IQ3_S', 21, 256, 110),
  entry('IQ2_S', 22, 256, 82),
  entry('IQ4_XS', 23, 256, 136),
  entry('I8', 24, 1, 1),
  entry('I16', 25, 1, 2),
  entry('I32', 26, 1, 4),
  entry('I64', 27, 1, 8),
  entry('F64', 28, 1, 8),
  entry('IQ1_M', 29, 256, 56),
  entry('BF16', 30, 1, 2),
  entry('TQ1_0', 34, 256, 54),
  entry('TQ2_0', 35, 256, 66),
  entry('MXFP4', 39, 32, 17),
  entry('NVFP4', 40, 64, 36),
  entry('Q1_0', 41, 128, 18),
];

const byName: ReadonlyMap<string, BlockType> = new Map(BLOCK_TYPES.map((t) => [t.name, t]));
const byId: ReadonlyMap<number, BlockType> = new Map(BLOCK_TYPES.map((t) => [t.id, t]));

/** The layout of a format, by its name. */
export function blockType(name: BlockTypeName): BlockType {
  const found = byName.get(name);
  if (!found) {
    throw new QuantError('unknown-type', `there is no weight format named '${String(name)}'`, `use one of ${[...byName.keys()].join(', ')}`);
  }
  return found;
}

/** The layout of a format, by its number in a GGUF file; undefined for a number that no format has. */
export function blockTypeById(id: number): BlockType | undefined {
  return byId.get(id);
}

/** Whether a string names a known format. */
export function isBlockTypeName(name: string): name is BlockTypeName {
  return byName.has(name);
}

/**
 * Bytes of one row of `length` elements.
 * @throws QuantError `bad-length` where `length` is not a whole number of blocks.
 * @example rowBytes('Q4_0', 4096) // 2304
 */
export function rowBytes(name: BlockTypeName, length: number): number {
  const type = blockType(name);
  if (!Number.isSafeInteger(length) || length < 0 || length % type.blockSize !== 0) {
    throw new QuantError('bad-length', `a row of ${length} elements is not a whole number of ${name} blocks`, `use a row length that is a multiple of ${type.blockSize}`);
  }
  return (length / type.blockSize) * type.blockBytes;
}
