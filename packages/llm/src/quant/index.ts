/** Block formats of weights: the GGML layout table, half-precision conversions and reference codecs in plain TypeScript. */
export { BLOCK_TYPES, blockType, blockTypeById, isBlockTypeName, rowBytes } from './types.ts';
export type { BlockType, BlockTypeName } from './types.ts';
export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '@quern/runtime';
export { codec, dequantize, hasCodec, quantize } from './codec.ts';
export type { BlockCodec, CodecName } from './codec.ts';
export { QuantError } from './error.ts';
export type { QuantErrorCode } from './error.ts';
