import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '@quern/runtime';
import { QuantError } from './error.ts';
import { dequantizeQ4_0, quantizeQ4_0 } from './q4_0.ts';
import { dequantizeQ8_0, quantizeQ8_0 } from './q8_0.ts';
import { blockType, rowBytes, type BlockTypeName } from './types.ts';

/** Formats that can be written and read back here. The others are known by their layout only. */
export type CodecName = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0';

/** One format's reference conversions. Both work on whole blocks and trust the sizes: {@link quantize} and {@link dequantize} check them. */
export interface BlockCodec {
  readonly type: CodecName;
  /** Encodes all weights of `src` into the first bytes of `dst`, a whole number of blocks. */
  readonly quantize: (src: Float32Array, dst: Uint8Array) => void;
  /** Decodes as many weights as `dst` has places from the first bytes of `src`. */
  readonly dequantize: (src: Uint8Array, dst: Float32Array) => void;
}

function halves(type: 'F16' | 'BF16', encode: (x: number) => number, decode: (pattern: number) => number): BlockCodec {
  return {
    type,
    quantize(src, dst) {
      for (let i = 0; i < src.length; i++) {
        const pattern = encode(src[i] as number);
        dst[2 * i] = pattern & 255;
        dst[2 * i + 1] = pattern >> 8;
      }
    },
    dequantize(src, dst) {
      for (let i = 0; i < dst.length; i++) dst[i] = decode((src[2 * i] as number) | ((src[2 * i + 1] as number) << 8));
    },
  };
}

const f32: BlockCodec = {
  type: 'F32',
  quantize(src, dst) {
    const view = new DataView(dst.buffer, dst.byteOffset, dst.byteLength);
    for (let i = 0; i < src.length; i++) view.setFloat32(4 * i, src[i] as number, true);
  },
  dequantize(src, dst) {
    const view = new DataView(src.buffer, src.byteOffset, src.byteLength);
    for (let i = 0; i < dst.length; i++) dst[i] = view.getFloat32(4 * i, true);
  },
};

const CODECS: Readonly<Record<CodecName, BlockCodec>> = {
  F32: f32,
  F16: halves('F16', f32ToF16, f16ToF32),
  BF16: halves('BF16', f32ToBf16, bf16ToF32),
  Q8_0: { type: 'Q8_0', quantize: quantizeQ8_0, dequantize: dequantizeQ8_0 },
  Q4_0: { type: 'Q4_0', quantize: quantizeQ4_0, dequantize: dequantizeQ4_0 },
};

/** Whether {@link codec} has this format. */
export function hasCodec(name: BlockTypeName): name is CodecName {
  return Object.hasOwn(CODECS, name);
}

/** The reference conversions of a format. @throws QuantError `no-codec` for a format that is known by its layout only. */
export function codec(name: BlockTypeName): BlockCodec {
  if (!hasCodec(name)) {
    throw new QuantError('no-codec', `${name} weights can be laid out but not converted`, `convert the file to one of ${Object.keys(CODECS).join(', ')}`);
  }
  return CODECS[name];
}

/**
 * Stores weights in a format, block after block.
 * @param src row-major weights whose row length is a whole number of blocks, so that no block spans two rows
 * @returns `src.length / blockSize * blockBytes` bytes
 * @throws QuantError `bad-length`; `non-finite` where a block format meets NaN or infinity; `overflow`; `no-codec`
 * @example const bytes = quantize('Q4_0', new Float32Array(64).fill(0.5)); // 36 bytes
 */
export function quantize(name: BlockTypeName, src: Float32Array): Uint8Array {
  const { quantize: convert } = codec(name);
  const dst = new Uint8Array(rowBytes(name, src.length));
  if (blockType(name).blockSize > 1) requireFinite(name, src);
  convert(src, dst);
  return dst;
}

/**
 * Reads weights back.
 * @param length elements wanted, a whole number of blocks; by default all that `src` holds
 * @throws QuantError `bad-length` where `src` has fewer bytes than `length` needs, or a broken block at its end; `no-codec`
 */
export function dequantize(name: BlockTypeName, src: Uint8Array, length?: number): Float32Array {
  const { dequantize: convert } = codec(name);
  const { blockSize, blockBytes } = blockType(name);
  const count = length ?? (src.length / blockBytes) * blockSize;
  const need = rowBytes(name, count);
  if (src.length < need) {
    throw new QuantError('bad-length', `${count} ${name} weights take ${need} bytes, but there are ${src.length}`, 'pass the whole tensor, or ask for fewer weights');
  }
  const dst = new Float32Array(count);
  convert(src, dst);
  return dst;
}

function requireFinite(name: BlockTypeName, src: Float32Array): void {
  for (let i = 0; i < src.length; i++) {
    if (!Number.isFinite(src[i])) {
      throw new QuantError('non-finite', `weight ${i} is ${src[i]}, which ${name} cannot hold`, 'repair the weights, or store this tensor as F32');
    }
  }
}
