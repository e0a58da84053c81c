import { blockType, isBlockTypeName, type BlockTypeName } from '../quant/index.ts';
import { GgufError } from './error.ts';
import { FIXED_BYTES, TYPE_IDS, type GgufType, type GgufValue } from './value.ts';

/** A tensor to write. `dims[0]` is the length of a contiguous row; `data` holds the blocks of all rows, in order. */
export interface GgufTensorContents {
  readonly name: string;
  readonly type: BlockTypeName;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** All that a file holds. Pairs and tensors are written in the order given. */
export interface GgufContents {
  /** Must not contain `general.alignment`: it is written where `alignment` is not 32. */
  readonly metadata: Readonly<Record<string, GgufValue>> | ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensorContents[];
  /** Where tensors may begin: a power of two, by default 32. */
  readonly alignment?: number;
}

/**
 * A GGUF v3 file, as one array.
 * @throws GgufError before anything is written, naming the key or tensor that cannot be
 * @example
 * writeGguf({
 *   metadata: { 'general.architecture': ggufString('llama') },
 *   tensors: [{ name: 'w', type: 'Q4_0', dims: [64, 1], data: quantize('Q4_0', new Float32Array(64)) }],
 * });
 */
export function writeGguf(contents: GgufContents): Uint8Array {
  const chunks = [...ggufChunks(contents)];
  const file = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    file.set(chunk, at);
    at += chunk.length;
  }
  return file;
}

/** The same file piece by piece, for files too large for one array. The tensors' own bytes are handed on, not copied. */
export function* ggufChunks(contents: GgufContents): Generator<Uint8Array, void, void> {
  const alignment = checkAlignment(contents.alignment ?? 32);
  const metadata = new Map(contents.metadata instanceof Map ? contents.metadata : Object.entries(contents.metadata));
  if (metadata.has('general.alignment')) throw new GgufError('duplicate-key', "'general.alignment' is given as metadata", "pass it as 'alignment'");
  if (alignment !== 32) metadata.set('general.alignment', { type: 'u32', value: alignment });
  checkTensors(contents.tensors);

  const out = byteWriter();
  out.bytes(new TextEncoder().encode('GGUF'));
  out.number('u32', 3);
  out.number('u64', contents.tensors.length);
  out.number('u64', metadata.size);
  for (const [key, value] of metadata) {
    if (key === '') throw new GgufError('bad-key', 'a metadata key is empty', 'name it');
    out.string(key);
    writeValue(out, key, value, true);
  }
  let offset = 0;
  for (const tensor of contents.tensors) {
    out.string(tensor.name);
    out.number('u32', tensor.dims.length);
    for (const dim of tensor.dims) out.number('u64', dim);
    out.number('u32', blockType(tensor.type).id);
    out.number('u64', offset);
    offset += padded(tensor.data.length, alignment);
  }
  const header = out.finish();
  yield header;
  yield new Uint8Array(padded(header.length, alignment) - header.length);
  for (const { data } of contents.tensors) {
    yield data;
    yield new Uint8Array(padded(data.length, alignment) - data.length);
  }
}

function padded(length: number, alignment: number): number {
  return Math.ceil(length / alignment) * alignment;
}

function checkAlignment(alignment: number): number {
  if (!Number.isInteger(Math.log2(alignment)) || alignment < 1 || alignment > 2 ** 31) {
    throw new GgufError('bad-alignment', `the alignment ${alignment} is not a power of two`, 'use 32');
  }
  return alignment;
}

function checkTensors(tensors: readonly GgufTensorContents[]): void {
  const names = new Set<string>();
  for (const { name, type, dims, data } of tensors) {
    if (name === '') throw new GgufError('bad-tensor-name', 'a tensor has no name', 'name it');
    if (names.has(name)) throw new GgufError('duplicate-tensor', `the tensor '${name}' is given twice`, 'name each tensor once');
    names.add(name);
    if (!isBlockTypeName(type)) throw new GgufError('unknown-tensor-type', `the tensor '${name}' has the unknown type '${String(type)}'`, 'use a name from BLOCK_TYPES');
    if (dims.length > 4 || !dims.every((d) => Number.isSafeInteger(d) && d > 0)) {
      throw new GgufError('bad-dims', `the tensor '${name}' has the dimensions [${dims.join(', ')}]`, 'use at most four positive integers');
    }
    const { blockSize, blockBytes } = blockType(type);
    const row = dims[0] ?? 1;
    if (row % blockSize !== 0) {
      throw new GgufError('bad-row-length', `a row of '${name}' has ${row} elements, not a multiple of the ${blockSize} of a ${type} block`, 'choose another type for this tensor');
    }
    const bytes = (dims.reduce((product, d) => product * d, 1) / blockSize) * blockBytes;
    if (data.length !== bytes) {
      throw new GgufError('bad-data-size', `the tensor '${name}' takes ${bytes} bytes, but its data has ${data.length}`, 'pass the quantised bytes of the whole tensor');
    }
  }
}

function writeValue(out: ByteWriter, key: string, value: GgufValue, withType: boolean): void {
  const id = typeId(key, value.type);
  if (withType) out.number('u32', id);
  if (value.type === 'string') {
    out.string(value.value);
  } else if (value.type === 'array') {
    out.number('u32', typeId(key, value.of));
    out.number('u64', value.values.length);
    if (value.of === 'string') for (const text of value.values) out.string(text);
    else if (value.of === 'array') for (const list of value.values) writeValue(out, key, list, false);
    else for (const item of value.values) writeScalar(out, key, value.of, item);
  } else {
    writeScalar(out, key, value.type, value.value);
  }
}

function typeId(key: string, type: GgufType): number {
  if (!Object.hasOwn(TYPE_IDS, type)) throw badValue(key, `a value of the unknown type '${String(type)}'`, 'use a type of GgufValue');
  return TYPE_IDS[type];
}

type FixedType = Exclude<GgufType, 'string' | 'array'>;

const INTEGER_RANGE: Readonly<Partial<Record<FixedType, readonly [number | bigint, number | bigint]>>> = {
  u8: [0, 255], i8: [-128, 127], u16: [0, 65535], i16: [-32768, 32767], u32: [0, 4294967295], i32: [-2147483648, 2147483647],
  u64: [0n, 2n ** 64n - 1n], i64: [-(2n ** 63n), 2n ** 63n - 1n],
};

function writeScalar(out: ByteWriter, key: string, type: FixedType, value: number | bigint | boolean): void {
  const expected = type === 'bool' ? 'boolean' : type === 'u64' || type === 'i64' ? 'bigint' : 'number';
  if (typeof value !== expected) throw badValue(key, `${typeof value} ${String(value)}`, `pass a ${expected} for ${type}`);
  const number = typeof value === 'boolean' ? Number(value) : value;
  const range = INTEGER_RANGE[type];
  if (range && !((typeof number === 'bigint' || Number.isInteger(number)) && number >= range[0] && number <= range[1])) {
    throw badValue(key, String(value), `pass an integer from ${range[0]} to ${range[1]} for ${type}`);
  }
  out.number(type, number);
}

function badValue(key: string, what: string, fix: string): GgufError {
  return new GgufError('bad-value', `the metadata '${key}' is given ${what}`, fix);
}

/** Little-endian output that grows. */
interface ByteWriter {
  number(type: FixedType, value: number | bigint): void;
  string(text: string): void;
  bytes(bytes: Uint8Array): void;
  finish(): Uint8Array;
}

function byteWriter(): ByteWriter {
  const encoder = new TextEncoder();
  let buffer = new Uint8Array(1 << 16);
  let view = new DataView(buffer.buffer);
  let length = 0;
  const reserve = (more: number): number => {
    if (length + more > buffer.length) {
      const larger = new Uint8Array(Math.max(2 * buffer.length, length + more));
      larger.set(buffer.subarray(0, length));
      buffer = larger;
      view = new DataView(buffer.buffer);
    }
    const at = length;
    length += more;
    return at;
  };
  const bytes = (added: Uint8Array): void => {
    // Reserved first: it may replace the buffer.
    const at = reserve(added.length);
    buffer.set(added, at);
  };
  const number = (type: FixedType, value: number | bigint): void => {
    const at = reserve(FIXED_BYTES[type]);
    switch (type) {
      case 'u8': case 'bool': return view.setUint8(at, Number(value));
      case 'i8': return view.setInt8(at, Number(value));
      case 'u16': return view.setUint16(at, Number(value), true);
      case 'i16': return view.setInt16(at, Number(value), true);
      case 'u32': return view.setUint32(at, Number(value), true);
      case 'i32': return view.setInt32(at, Number(value), true);
      case 'f32': return view.setFloat32(at, Number(value), true);
      case 'f64': return view.setFloat64(at, Number(value), true);
      case 'u64': return view.setBigUint64(at, BigInt(value), true);
      case 'i64': return view.setBigInt64(at, BigInt(value), true);
    }
  };
  return {
    number,
    bytes,
    string(text) {
      const encoded = encoder.encode(text);
      number('u64', encoded.length);
      bytes(encoded);
    },
    finish: () => buffer.slice(0, length),
  };
}
