import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GgufError, bytesSource, fileSource, openGguf, tensorBytes, type ByteSource, type GgufErrorCode } from '../../src/format/index.ts';
import { dequantize } from '../../src/quant/index.ts';
import { countingSource, smallFile } from './hostile.ts';

const encoder = new TextEncoder();

/** Hand-made bytes, so that the reader is not only held to our own writer. */
const le = {
  u8: (x: number): number[] => [x],
  u32: (x: number): number[] => [...new Uint8Array(Uint32Array.of(x).buffer)],
  u64: (x: bigint | number): number[] => [...new Uint8Array(BigUint64Array.of(BigInt(x)).buffer)],
  text: (s: string): number[] => [...le.u64(encoder.encode(s).length), ...encoder.encode(s)],
};
const head = (tensors: bigint | number, pairs: bigint | number, version = 3): number[] => [...encoder.encode('GGUF'), ...le.u32(version), ...le.u64(tensors), ...le.u64(pairs)];
const tensor = (name: string, dims: (bigint | number)[], type: number, offset: bigint | number): number[] => [...le.text(name), ...le.u32(dims.length), ...dims.flatMap(le.u64), ...le.u32(type), ...le.u64(offset)];
const zeros = (n: number): number[] => new Array<number>(n).fill(0);
/** Header and then weights from the next multiple of 32 on. */
const withData = (header: number[], bytes: number): Uint8Array => Uint8Array.from([...header, ...zeros((32 - (header.length % 32)) % 32), ...zeros(bytes)]);
const open = (bytes: ArrayLike<number>): ReturnType<typeof openGguf> => openGguf(bytesSource(Uint8Array.from(bytes)));

function errorOf(action: () => unknown): GgufError {
  try {
    action();
  } catch (error) {
    if (error instanceof GgufError) return error;
    throw error;
  }
  return expect.unreachable('no error');
}

describe('openGguf', () => {
  it('reads a hand-made file of version 2 and of version 3', () => {
    for (const version of [2, 3]) {
      const gguf = open(withData([
        ...head(1, 2, version),
        ...le.text('general.name'), ...le.u32(8), ...le.text('tiny'),
        ...le.text('x.count'), ...le.u32(4), ...le.u32(7),
        ...tensor('w', [32, 2], 2, 0),
      ], 36));
      expect(gguf.version).toBe(version);
      expect(gguf.metadata.keys).toEqual(['general.name', 'x.count']);
      expect(gguf.metadata.string('general.name')).toBe('tiny');
      expect(gguf.tensor('w')).toEqual({ name: 'w', type: 'Q4_0', dims: [32, 2], elements: 64, rowBytes: 18, bytes: 36, offset: gguf.dataOffset });
      expect(gguf.dataOffset % 32).toBe(0);
      expect(tensorBytes(gguf, 'w')).toHaveLength(36);
      expect(gguf.find('v')).toBeUndefined();
      expect(errorOf(() => gguf.tensor('v')).code).toBe('missing-tensor');
    }
  });

  it.each<[GgufErrorCode, string, () => ArrayLike<number>]>([
    ['not-gguf', 'another format', () => encoder.encode('PK\u0003\u0004 and so on, and so on')],
    ['truncated', 'an empty file', () => []],
    ['truncated', 'a cut header', () => head(0, 0).slice(0, 20)],
    ['big-endian', 'a big-endian file', () => head(0, 0, 0x03000000)],
    ['unsupported-version', 'version 1', () => head(0, 0, 1)],
    ['unsupported-version', 'version 4', () => head(0, 0, 4)],
    ['too-many', 'tensors near 2^63', () => head(2n ** 63n - 1n, 0)],
    ['too-many', 'pairs near 2^64', () => head(0, 2n ** 64n - 1n)],
    ['too-many', 'a list near 2^63', () => [...head(0, 1), ...le.text('k'), ...le.u32(9), ...le.u32(4), ...le.u64(2n ** 62n)]],
    ['too-many', 'a list of texts longer than the file', () => [...head(0, 1), ...le.text('k'), ...le.u32(9), ...le.u32(8), ...le.u64(3), ...zeros(23)]],
    ['truncated', 'a text past the end', () => [...head(0, 1), ...le.text('k'), ...le.u32(8), ...le.u64(2n ** 63n), ...zeros(8)]],
    ['truncated', 'a key past the end', () => [...head(0, 1), ...le.u64(2n ** 64n - 8n), ...zeros(8)]],
    ['bad-key', 'an empty key', () => [...head(0, 1), ...le.text(''), ...le.u32(4), ...le.u32(1)]],
    ['bad-key', 'a key that is not UTF-8', () => [...head(0, 1), ...le.u64(2), 0xff, 0xfe, ...le.u32(4), ...le.u32(1)]],
    ['duplicate-key', 'a key twice', () => [...head(0, 2), ...le.text('k'), ...le.u32(7), 1, ...le.text('k'), ...le.u32(7), 1]],
    ['unknown-value-type', 'value type 13', () => [...head(0, 1), ...le.text('k'), ...le.u32(13), ...le.u64(0)]],
    ['unknown-value-type', 'element type 99', () => [...head(0, 1), ...le.text('k'), ...le.u32(9), ...le.u32(99), ...le.u64(0)]],
    ['bad-bool', 'a truth value of 2', () => [...head(0, 1), ...le.text('k'), ...le.u32(7), 2, ...zeros(8)]],
    ['bad-bool', 'a truth value of 3 in a list', () => [...head(0, 1), ...le.text('k'), ...le.u32(9), ...le.u32(7), ...le.u64(2), 1, 3]],
    ['too-deep', 'lists in lists in lists', () => [...head(0, 1), ...le.text('k'), ...le.u32(9), ...Array.from({ length: 20 }, () => [...le.u32(9), ...le.u64(1)]).flat(), ...zeros(32)]],
    ['bad-alignment', 'alignment 0', () => [...head(0, 1), ...le.text('general.alignment'), ...le.u32(4), ...le.u32(0)]],
    ['bad-alignment', 'alignment 48', () => [...head(0, 1), ...le.text('general.alignment'), ...le.u32(4), ...le.u32(48)]],
    ['bad-alignment', 'an alignment that is a text', () => [...head(0, 1), ...le.text('general.alignment'), ...le.u32(8), ...le.text('32')]],
    ['bad-tensor-name', 'a nameless tensor', () => withData([...head(1, 0), ...tensor('', [4], 0, 0)], 16)],
    ['duplicate-tensor', 'a tensor twice', () => withData([...head(2, 0), ...tensor('w', [4], 0, 0), ...tensor('w', [4], 0, 32)], 64)],
    ['bad-dims', 'five dimensions', () => withData([...head(1, 0), ...tensor('w', [1, 1, 1, 1, 1], 0, 0)], 16)],
    ['bad-dims', 'a rank near 2^32', () => withData([...head(1, 0), ...le.text('w'), ...le.u32(0xffffffff)], 64)],
    ['bad-dims', 'a dimension of zero', () => withData([...head(1, 0), ...tensor('w', [4, 0], 0, 0)], 16)],
    ['bad-dims', 'a product that wraps to a small number', () => withData([...head(1, 0), ...tensor('w', [2n ** 32n, 2n ** 32n], 0, 0)], 16)],
    ['bad-dims', 'a dimension near 2^64', () => withData([...head(1, 0), ...tensor('w', [2n ** 64n - 1n], 0, 0)], 16)],
    ['unknown-tensor-type', 'tensor type 4', () => withData([...head(1, 0), ...tensor('w', [32], 4, 0)], 64)],
    ['bad-row-length', 'half a block', () => withData([...head(1, 0), ...tensor('w', [16, 4], 2, 0)], 64)],
    ['misaligned-tensor', 'an odd offset', () => withData([...head(1, 0), ...tensor('w', [4], 0, 4)], 64)],
    ['tensor-past-end', 'an offset past the end', () => withData([...head(1, 0), ...tensor('w', [4], 0, 32)], 32)],
    ['tensor-past-end', 'an offset that wraps to zero', () => withData([...head(1, 0), ...tensor('w', [4], 0, 2n ** 64n - 32n)], 32)],
    ['tensor-past-end', 'a tensor one byte short', () => withData([...head(1, 0), ...tensor('w', [4], 0, 0)], 15)],
    ['overlapping-tensors', 'tensors that share bytes', () => withData([...head(2, 0), ...tensor('b', [4], 0, 32), ...tensor('a', [33], 24, 0)], 64)],
  ])('%s: %s', (code, _what, bytes) => {
    const error = errorOf(() => open(bytes()));
    expect(error.code).toBe(code);
    expect(error.name).toBe('GgufError');
    expect(error.message).toContain(error.fix);
  });

  it('says where it shows', () => {
    expect(errorOf(() => open([...head(0, 1), ...le.text('k'), ...le.u32(13), ...zeros(8)])).offset).toBe(24 + 9);
    expect(errorOf(() => open(head(2n ** 63n, 0))).offset).toBe(8);
  });

  it('takes a zero-copy view from bytes, and reads no weights from a file until they are asked for', () => {
    const file = smallFile();
    const gguf = openGguf(bytesSource(file));
    expect(tensorBytes(gguf, 'q4').buffer).toBe(file.buffer);
    const larger = new Uint8Array(file.length + 10_000_000);
    larger.set(file);
    const source = countingSource(larger);
    openGguf(source);
    expect(source.asked).toBeLessThanOrEqual(1 << 16);
  });

  it('reads a Buffer at any place in its pool, and a source that returns Buffers, as plain bytes', () => {
    const file = smallFile();
    const odd = Buffer.concat([Buffer.from('xyz'), file]).subarray(3);
    for (const source of [bytesSource(odd), { size: odd.length, read: (at: number, n: number) => odd.subarray(at, at + n) }]) {
      expect(openGguf(source).metadata.f32s('tokenizer.ggml.scores')).toEqual(Float32Array.of(0, -1, -2, -3, -4));
    }
    expect(Buffer.isBuffer(tensorBytes(openGguf(bytesSource(odd)), 'q4'))).toBe(false);
  });

  it('refuses a source that returns the wrong number of bytes', () => {
    const source: ByteSource = { size: 100, read: () => new Uint8Array(3) };
    expect(errorOf(() => openGguf(source)).code).toBe('read-failed');
  });

  it('refuses a header of a gigabyte, whatever the file claims to be', () => {
    const front = Uint8Array.from([...head(0, 1), ...le.text('k'), ...le.u32(8), ...le.u64(2n ** 33n)]);
    let most = 0;
    const source: ByteSource = {
      size: 2 ** 34,
      read(_offset, length) {
        most = Math.max(most, length);
        const bytes = new Uint8Array(length);
        bytes.set(front);
        return bytes;
      },
    };
    expect(errorOf(() => openGguf(source)).code).toBe('header-too-large');
    expect(most).toBeLessThanOrEqual(1 << 16);
  });

  it('places tensors beyond 4 GiB', () => {
    const header = withData([...head(2, 0), ...tensor('a', [2 ** 30], 0, 0), ...tensor('b', [2 ** 33, 2], 0, 2n ** 32n)], 0);
    const source: ByteSource = {
      size: header.length + 2 ** 32 + 2 ** 36,
      read: (offset, length) => {
        const bytes = new Uint8Array(length);
        bytes.set(header.subarray(offset));
        return bytes;
      },
    };
    const b = openGguf(source).tensor('b');
    expect([b.offset, b.bytes]).toEqual([header.length + 2 ** 32, 2 ** 36]);
  });
});

describe('metadata getters', () => {
  const { metadata } = openGguf(bytesSource(smallFile()));

  it('give values by type', () => {
    expect(metadata.u32('llama.block_count')).toBe(2);
    expect(metadata.get('a.big')).toEqual({ type: 'u64', value: 2n ** 63n });
    expect(metadata.bool('a.flag')).toBe(true);
    expect(metadata.strings('tokenizer.ggml.tokens')).toEqual(['<s>', 'a', 'é', '▁the', '']);
    expect(metadata.f32s('tokenizer.ggml.scores')).toEqual(Float32Array.of(0, -1, -2, -3, -4));
    expect(metadata.f32('a.double')).toBe(Math.PI);
    expect(metadata.get('a.nested')).toMatchObject({ of: 'array', values: [{ of: 'u16', values: Uint16Array.of(1, 2) }, { of: 'string', values: ['x'] }] });
    expect(metadata.get('a.flags')).toEqual({ type: 'array', of: 'bool', values: [true, false] });
    expect(metadata.strings('tokenizer.ggml.tokens')).toBe(metadata.strings('tokenizer.ggml.tokens'));
  });

  it('use a fallback for an absent key only', () => {
    expect(metadata.u32('absent', 5)).toBe(5);
    expect(metadata.bool('absent', false)).toBe(false);
    expect(errorOf(() => metadata.u32('absent')).code).toBe('missing-key');
    expect(errorOf(() => metadata.u32('general.architecture', 5)).message).toContain("'general.architecture' is the string llama, not an integer");
    expect(errorOf(() => metadata.u32('a.big')).code).toBe('wrong-type');
    expect(errorOf(() => metadata.integer('a.big')).code).toBe('wrong-type');
    expect(errorOf(() => metadata.strings('tokenizer.ggml.scores')).message).toContain('a list of 5 f32');
    expect(errorOf(() => metadata.i32s('tokenizer.ggml.scores')).code).toBe('wrong-type');
  });

  it('keeps a byte order mark and replaces broken UTF-8 in texts', () => {
    const gguf = open([...head(0, 2), ...le.text('bom'), ...le.u32(8), ...le.text('\ufeffx'), ...le.text('bad'), ...le.u32(8), ...le.u64(4), 0x61, 0xe2, 0x96, 0x62]);
    expect(gguf.metadata.string('bom')).toBe('\ufeffx');
    expect(gguf.metadata.string('bad')).toBe('a\ufffdb');
  });
});

describe('fileSource', () => {
  it('reads a file by path and by descriptor', () => {
    const folder = mkdtempSync(join(tmpdir(), 'quern-gguf-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'small.gguf');
    writeFileSync(path, smallFile());
    const source = fileSource(path);
    const gguf = openGguf(source);
    expect(dequantize('F32', tensorBytes(gguf, 'f32'))[3]).toBe(-28);
    source.close();
    expect(errorOf(() => tensorBytes(gguf, 'q4')).code).toBe('read-failed');
    const fd = openSync(path, 'r');
    const shared = fileSource(fd);
    expect(openGguf(shared).tensors).toHaveLength(4);
    truncateSync(path, 100);
    expect(errorOf(() => openGguf(shared)).code).toBe('truncated');
    shared.close();
    closeSync(fd);
  });

  it('names the reason where it cannot', () => {
    const error = errorOf(() => fileSource('/no/such/model.gguf'));
    expect(error.code).toBe('read-failed');
    expect(error.message).toContain('/no/such/model.gguf');
    expect(errorOf(() => fileSource(tmpdir()).read(0, 1)).code).toBe('read-failed');
  });
});
