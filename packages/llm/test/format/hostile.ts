import { ggufBool, ggufF32s, ggufString, ggufStrings, ggufU32, ggufU64, openGguf, tensorBytes, writeGguf, type ByteSource, type Gguf } from '../../src/format/index.ts';
import { quantize } from '../../src/quant/index.ts';

/** A small file with every kind of thing in it. */
export function smallFile(): Uint8Array {
  const values = Float32Array.from({ length: 64 }, (_, i) => i - 31);
  return writeGguf({
    metadata: {
      'general.architecture': ggufString('llama'),
      'llama.block_count': ggufU32(2),
      'a.big': ggufU64(2n ** 63n),
      'a.flag': ggufBool(true),
      'tokenizer.ggml.tokens': ggufStrings(['<s>', 'a', 'é', '▁the', '']),
      'tokenizer.ggml.scores': ggufF32s([0, -1, -2, -3, -4]),
      'a.nested': { type: 'array', of: 'array', values: [{ type: 'array', of: 'u16', values: Uint16Array.of(1, 2) }, { type: 'array', of: 'string', values: ['x'] }] },
      'a.flags': { type: 'array', of: 'bool', values: [true, false] },
      'a.double': { type: 'f64', value: Math.PI },
    },
    tensors: [
      { name: 'q4', type: 'Q4_0', dims: [32, 2], data: quantize('Q4_0', values) },
      { name: 'q8', type: 'Q8_0', dims: [64], data: quantize('Q8_0', values) },
      { name: 'f32', type: 'F32', dims: [4, 2, 2], data: quantize('F32', values.subarray(0, 16)) },
      { name: 'scalar', type: 'F16', dims: [], data: quantize('F16', values.subarray(0, 1)) },
    ],
  });
}

/** A source that adds up what is asked of it. */
export function countingSource(bytes: Uint8Array): ByteSource & { asked: number } {
  return {
    size: bytes.length,
    asked: 0,
    read(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) throw new Error(`read of ${length} at ${offset} of ${bytes.length}`);
      this.asked += length;
      return bytes.slice(offset, offset + length);
    },
  };
}

/** Opens a file and touches all that it holds. */
export function readEverything(source: ByteSource): Gguf {
  const gguf = openGguf(source);
  for (const key of gguf.metadata.keys) gguf.metadata.get(key);
  for (const tensor of gguf.tensors) tensorBytes(gguf, tensor);
  return gguf;
}

/** Integers that break careless readers. */
export const HOSTILE: readonly bigint[] = [
  0n, 1n, 2n, 7n, 31n, 33n, 0x7fn, 0xffn, 0xffffn, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 40n,
  2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 60n, 2n ** 61n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 32n, 2n ** 64n - 8n, 2n ** 64n - 1n,
];

/** xorshift32: the fuzzer's cases are the same in every run. */
export function randomFrom(seed: number): (below: number) => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

/** The `index`-th damaged version of a file: one to four of truncation, flipped bits, hostile integers, copied, removed and inserted runs. */
export function damage(file: Uint8Array, headerBytes: number, index: number): Uint8Array {
  const random = randomFrom(index + 1);
  let bytes = file.slice();
  for (let n = 1 + random(4); n > 0; n--) {
    // Most damage goes where it is read: into the header.
    const at = random(random(8) === 0 ? bytes.length || 1 : Math.min(headerBytes, bytes.length) || 1);
    const view = new DataView(bytes.buffer);
    switch (random(7)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        for (let flips = 1 + random(3); flips > 0 && at < bytes.length; flips--) bytes[at] = (bytes[at] as number) ^ (1 << random(8));
        break;
      case 2:
        if (at + 8 <= bytes.length) view.setBigUint64(at, HOSTILE[random(HOSTILE.length)] as bigint, true);
        break;
      case 3:
        if (at + 4 <= bytes.length) view.setUint32(at, Number((HOSTILE[random(HOSTILE.length)] as bigint) & 0xffffffffn), true);
        break;
      case 4:
        bytes.copyWithin(at, random(bytes.length || 1), random(bytes.length || 1) + 16);
        break;
      case 5:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + random(24))]);
        break;
      default:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...Array.from({ length: random(24) }, () => random(256)), ...bytes.subarray(at)]);
    }
  }
  return bytes;
}
