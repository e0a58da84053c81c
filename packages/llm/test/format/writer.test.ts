import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GgufError, bytesSource, ggufChunks, ggufF32, ggufI32, ggufI32s, ggufString, ggufU32, openGguf, tensorBytes, writeGguf, type GgufArray, type GgufContents, type GgufErrorCode, type GgufTensorContents, type GgufValue } from '../../src/format/index.ts';
import { BLOCK_TYPES, rowBytes } from '../../src/quant/index.ts';
import { smallFile } from './hostile.ts';

const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const f32 = fc.float();

const scalar: fc.Arbitrary<GgufValue> = fc.oneof(
  fc.record({ type: fc.constant('u8' as const), value: int(0, 255) }),
  fc.record({ type: fc.constant('i8' as const), value: int(-128, 127) }),
  fc.record({ type: fc.constant('u16' as const), value: int(0, 65535) }),
  fc.record({ type: fc.constant('i16' as const), value: int(-32768, 32767) }),
  fc.record({ type: fc.constant('u32' as const), value: int(0, 2 ** 32 - 1) }),
  fc.record({ type: fc.constant('i32' as const), value: int(-(2 ** 31), 2 ** 31 - 1) }),
  fc.record({ type: fc.constant('f32' as const), value: f32 }),
  fc.record({ type: fc.constant('f64' as const), value: fc.double() }),
  fc.record({ type: fc.constant('u64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ type: fc.constant('i64' as const), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
  fc.record({ type: fc.constant('bool' as const), value: fc.boolean() }),
  fc.record({ type: fc.constant('string' as const), value: text }),
);

const list = (depth: number): fc.Arbitrary<GgufArray> => {
  const of = <K extends GgufArray['of'], T>(name: K, values: fc.Arbitrary<T>): fc.Arbitrary<{ type: 'array'; of: K; values: T }> =>
    fc.record({ type: fc.constant('array' as const), of: fc.constant(name), values });
  const flat: fc.Arbitrary<GgufArray> = fc.oneof(
    of('u8', fc.uint8Array()), of('i8', fc.int8Array()), of('u16', fc.uint16Array()), of('i16', fc.int16Array()), of('u32', fc.uint32Array()), of('i32', fc.int32Array()),
    of('f32', fc.float32Array()), of('f64', fc.float64Array()), of('u64', fc.bigUint64Array()), of('i64', fc.bigInt64Array()),
    of('bool', fc.array(fc.boolean())), of('string', fc.array(text)),
  );
  return depth === 0 ? flat : fc.oneof({ weight: 4, arbitrary: flat }, { weight: 1, arbitrary: of('array', fc.array(list(depth - 1), { maxLength: 4 })) });
};

const tensor: fc.Arbitrary<GgufTensorContents> = fc.record({
  name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  type: fc.constantFrom(...BLOCK_TYPES),
  rows: fc.array(int(1, 3), { maxLength: 3 }),
  blocks: int(1, 2),
  fill: int(0, 255),
}).map(({ name, type, rows, blocks, fill }) => {
  const dims = [blocks * type.blockSize, ...rows];
  return { name, type: type.name, dims, data: new Uint8Array(rowBytes(type.name, dims.reduce((a, b) => a * b))).fill(fill) };
});

const contents: fc.Arbitrary<GgufContents> = fc.record({
  metadata: fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }).filter((k) => k !== 'general.alignment'), fc.oneof(scalar, list(2))), { maxLength: 8 }).map((pairs) => new Map(pairs)),
  tensors: fc.uniqueArray(tensor, { maxLength: 6, selector: (t) => t.name }),
  alignment: fc.constantFrom(1, 8, 32, 64, 4096),
});

describe('writeGguf', () => {
  it('writes what the reader reads back, value for value and byte for byte', () => {
    fc.assert(fc.property(contents, (wanted) => {
      const file = writeGguf(wanted);
      const gguf = openGguf(bytesSource(file));
      const metadata = wanted.metadata as ReadonlyMap<string, GgufValue>;
      expect(gguf.alignment).toBe(wanted.alignment);
      expect(gguf.metadata.keys.filter((k) => k !== 'general.alignment')).toEqual([...metadata.keys()]);
      for (const [key, value] of metadata) expect(gguf.metadata.get(key)).toEqual(value);
      expect(gguf.tensors.map((t) => t.name)).toEqual(wanted.tensors.map((t) => t.name));
      for (const { name, type, dims, data } of wanted.tensors) {
        const got = gguf.tensor(name);
        expect([got.type, got.dims]).toEqual([type, dims]);
        expect(got.offset % (wanted.alignment as number)).toBe(0);
        expect(tensorBytes(gguf, got)).toEqual(data);
      }
      // Reading and writing again is the identity on bytes.
      const again = writeGguf({
        metadata: new Map(gguf.metadata.keys.filter((k) => k !== 'general.alignment').map((k) => [k, gguf.metadata.get(k) as GgufValue])),
        tensors: gguf.tensors.map((t) => ({ name: t.name, type: t.type, dims: t.dims, data: tensorBytes(gguf, t) })),
        alignment: gguf.alignment,
      });
      expect(Buffer.compare(again, file)).toBe(0);
    }), { numRuns: 300 });
  });

  it('writes the layout of the format', () => {
    const file = writeGguf({ metadata: { 'a.b': ggufU32(7) }, tensors: [{ name: 'w', type: 'F32', dims: [1, 1], data: Uint8Array.of(1, 2, 3, 4) }] });
    expect(Buffer.from(file).toString('hex')).toBe([
      '47475546', '03000000', '0100000000000000', '0100000000000000', // magic, version, tensors, pairs
      '0300000000000000', '612e62', '04000000', '07000000',
      '0100000000000000', '77', '02000000', '0100000000000000', '0100000000000000', '00000000', '0000000000000000',
      '00'.repeat(12), // to 96
      '01020304', '00'.repeat(28),
    ].join(''));
  });

  it('hands tensors on without copying them', () => {
    const data = new Uint8Array(64);
    expect([...ggufChunks({ metadata: {}, tensors: [{ name: 'w', type: 'F32', dims: [16], data }] })]).toContain(data);
    expect(smallFile().length % 32).toBe(0);
  });

  it.each<[GgufErrorCode, string, () => GgufContents]>([
    ['bad-value', "'k' is given 1.5", () => ({ metadata: { k: ggufI32(1.5) }, tensors: [] })],
    ['bad-value', "'k' is given -1", () => ({ metadata: { k: ggufU32(-1) }, tensors: [] })],
    ['bad-value', 'number 3. Fix: pass a bigint', () => ({ metadata: { k: { type: 'u64', value: 3 } as unknown as GgufValue }, tensors: [] })],
    ['bad-value', "unknown type 'u128'", () => ({ metadata: { k: { type: 'u128', value: 3 } as unknown as GgufValue }, tensors: [] })],
    ['bad-key', 'empty', () => ({ metadata: { '': ggufF32(1) }, tensors: [] })],
    ['duplicate-key', "pass it as 'alignment'", () => ({ metadata: { 'general.alignment': ggufU32(64) }, tensors: [] })],
    ['bad-alignment', '24', () => ({ metadata: {}, tensors: [], alignment: 24 })],
    ['bad-data-size', "'w' takes 18 bytes, but its data has 17", () => ({ metadata: {}, tensors: [{ name: 'w', type: 'Q4_0', dims: [32], data: new Uint8Array(17) }] })],
    ['bad-row-length', "'w'", () => ({ metadata: {}, tensors: [{ name: 'w', type: 'Q4_0', dims: [16, 2], data: new Uint8Array(18) }] })],
    ['bad-dims', '[0]', () => ({ metadata: {}, tensors: [{ name: 'w', type: 'F32', dims: [0], data: new Uint8Array(0) }] })],
    ['duplicate-tensor', "'w'", () => ({ metadata: {}, tensors: ['w', 'w'].map((name) => ({ name, type: 'I8' as const, dims: [1], data: new Uint8Array(1) })) })],
    ['unknown-tensor-type', 'Q9', () => ({ metadata: {}, tensors: [{ name: 'w', type: 'Q9' as 'F32', dims: [1], data: new Uint8Array(4) }] })],
  ])('%s: %s', (code, message, wanted) => {
    expect(() => writeGguf(wanted())).toThrow(expect.objectContaining({ name: 'GgufError', code }));
    expect(() => writeGguf(wanted())).toThrow(message);
    expect(() => writeGguf(wanted())).toThrow(GgufError);
  });

  it('makes values by short names', () => {
    expect(ggufString('x')).toEqual({ type: 'string', value: 'x' });
    expect(ggufI32s([1, -2])).toEqual({ type: 'array', of: 'i32', values: Int32Array.of(1, -2) });
  });
});
