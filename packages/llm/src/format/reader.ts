import { blockTypeById, BLOCK_TYPES, type BlockTypeName } from '../quant/index.ts';
import { headerBytes, readCount, readName, readU32, readU64, type Cursor } from './cursor.ts';
import { GgufError } from './error.ts';
import { readMetadata, readPairCount, type GgufMetadata } from './metadata.ts';
import type { ByteSource } from './source.ts';

const MAGIC = 0x46554747; // 'GGUF'
const MAX_DIMS = 4;
/** Name length, no letters, no dimensions, type, offset. */
const LEAST_TENSOR_BYTES = 8 + 4 + 4 + 8;

/** Where a tensor lies. All sizes are in bytes but `dims` and `elements`. */
export interface GgufTensor {
  readonly name: string;
  readonly type: BlockTypeName;
  /** Sizes in the file's order: `dims[0]` is the length of a contiguous row. A weight of `rows x columns` has dims `[columns, rows]`. */
  readonly dims: readonly number[];
  readonly elements: number;
  readonly rowBytes: number;
  readonly bytes: number;
  /** From the start of the file. */
  readonly offset: number;
}

/** An opened file: all of its header checked, none of its weights read. */
export interface Gguf {
  readonly version: 2 | 3;
  readonly metadata: GgufMetadata;
  /** In file order. */
  readonly tensors: readonly GgufTensor[];
  readonly alignment: number;
  /** Where the weights begin. */
  readonly dataOffset: number;
  /** What the file was read from; {@link tensorBytes} reads it again, so keep it open. */
  readonly source: ByteSource;
  /** The tensor of a name, or undefined. */
  find(name: string): GgufTensor | undefined;
  /** The tensor of a name. @throws GgufError `missing-tensor` */
  tensor(name: string): GgufTensor;
}

/**
 * Opens a GGUF file, version 2 or 3. Reads its header only, checks every count, length, type, size and place in it, and
 * needs memory in proportion to the header however hostile the file is.
 * @throws GgufError for anything that is wrong, with the byte where it shows
 * @example
 * const model = openGguf(fileSource('model.gguf'));
 * model.metadata.u32('llama.block_count');
 * tensorBytes(model, 'token_embd.weight');
 */
export function openGguf(source: ByteSource): Gguf {
  const cursor: Cursor = { header: headerBytes(source), at: 0 };
  const version = readVersion(cursor);
  const tensorCount = readCount(cursor, LEAST_TENSOR_BYTES, 'tensors');
  const pairCount = readPairCount(cursor);
  const metadata = readMetadata(cursor, pairCount);
  const alignment = readAlignment(metadata);
  const infos: TensorInfo[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) infos.push(readTensorInfo(cursor, i, names));
  const dataOffset = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = infos.map((info) => place(info, alignment, dataOffset, source.size));
  checkOverlaps(tensors, infos);
  const byName = new Map(tensors.map((t) => [t.name, t]));
  return {
    version,
    metadata,
    tensors,
    alignment,
    dataOffset,
    source,
    find: (name) => byName.get(name),
    tensor(name) {
      const found = byName.get(name);
      if (!found) throw new GgufError('missing-tensor', `the file has no tensor '${name}'`, `use a complete model file: it holds ${tensors.length} tensors, but not this one`);
      return found;
    },
  };
}

/** The stored bytes of a tensor: a view where the source gives views. */
export function tensorBytes(gguf: Gguf, tensor: GgufTensor | string): Uint8Array {
  const { offset, bytes } = typeof tensor === 'string' ? gguf.tensor(tensor) : tensor;
  return gguf.source.read(offset, bytes);
}

function readVersion(cursor: Cursor): 2 | 3 {
  const magic = readU32(cursor, 'the magic number');
  if (magic !== MAGIC) throw new GgufError('not-gguf', "the file does not begin with 'GGUF'", 'pass a GGUF model; other formats must be converted first', 0);
  const version = readU32(cursor, 'the version');
  if (version === 2 || version === 3) return version;
  if (version !== 0 && (version & 0xffff) === 0) throw new GgufError('big-endian', 'the file is big-endian', 'convert it to little-endian', 4);
  throw new GgufError('unsupported-version', `the file is of GGUF version ${version}`, version === 1 ? 'convert it again: version 1 is obsolete' : 'use a file of version 2 or 3, or update this reader', 4);
}

function readAlignment(metadata: GgufMetadata): number {
  const value = metadata.get('general.alignment');
  if (value === undefined) return 32;
  const alignment = value.type === 'u32' ? value.value : 0;
  if (alignment === 0 || (alignment & (alignment - 1)) !== 0) {
    throw new GgufError('bad-alignment', "'general.alignment' is not a u32 that is a power of two", 'repair the program that wrote the file');
  }
  return alignment;
}

interface TensorInfo {
  readonly name: string;
  readonly type: BlockTypeName;
  readonly dims: readonly number[];
  readonly elements: number;
  readonly rowBytes: number;
  readonly bytes: number;
  /** From the start of the weights. */
  readonly relative: number;
  /** Where this description lies in the file. */
  readonly at: number;
}

function readTensorInfo(cursor: Cursor, index: number, names: Set<string>): TensorInfo {
  const at = cursor.at;
  const name = readName(cursor, `the name of tensor ${index}`, 'bad-tensor-name');
  if (name === '') throw new GgufError('bad-tensor-name', `tensor ${index} has no name`, 'the file is damaged: fetch it again', at);
  if (names.has(name)) throw new GgufError('duplicate-tensor', `the tensor '${name}' appears twice`, 'repair the program that wrote the file', at);
  names.add(name);
  const { dims, elements } = readDims(cursor, name);
  const typeAt = cursor.at;
  const id = readU32(cursor, `the type of '${name}'`);
  const type = blockTypeById(id);
  if (!type) {
    throw new GgufError('unknown-tensor-type', `the tensor '${name}' is of type ${id}, which this reader does not know`, `use a file with types among ${BLOCK_TYPES.map((t) => t.name).join(', ')}`, typeAt);
  }
  const row = dims[0] ?? 1;
  if (row % type.blockSize !== 0) {
    throw new GgufError('bad-row-length', `a row of '${name}' has ${row} elements, not a multiple of the ${type.blockSize} of a ${type.name} block`, 'repair the program that wrote the file', at);
  }
  const rowBytes = (row / type.blockSize) * type.blockBytes;
  const relative = readU64(cursor, `the offset of '${name}'`);
  return { name, type: type.name, dims, elements, rowBytes, bytes: (elements / row) * rowBytes, relative, at };
}

function readDims(cursor: Cursor, name: string): { dims: number[]; elements: number } {
  const at = cursor.at;
  const rank = readU32(cursor, `the rank of '${name}'`);
  if (rank > MAX_DIMS) throw new GgufError('bad-dims', `the tensor '${name}' has ${rank} dimensions, more than ${MAX_DIMS}`, 'the file is damaged: fetch it again', at);
  const dims: number[] = [];
  let elements = 1;
  for (let i = 0; i < rank; i++) {
    const dim = readU64(cursor, `dimension ${i} of '${name}'`);
    elements *= dim;
    // 2^50 elements take at most 2^53 bytes: below that, every size here is an exact integer.
    if (dim === 0 || elements > 2 ** 50) {
      throw new GgufError('bad-dims', `dimension ${i} of '${name}' is ${dim}, which makes ${elements} elements`, 'the file is damaged: fetch it again', cursor.at - 8);
    }
    dims.push(dim);
  }
  return { dims, elements };
}

function place(info: TensorInfo, alignment: number, dataOffset: number, size: number): GgufTensor {
  const { name, type, dims, elements, rowBytes, bytes, relative, at } = info;
  if (relative % alignment !== 0) {
    throw new GgufError('misaligned-tensor', `the tensor '${name}' lies at ${relative}, not a multiple of ${alignment}`, 'repair the program that wrote the file', at);
  }
  const offset = dataOffset + relative;
  if (!(offset + bytes <= size)) {
    throw new GgufError('tensor-past-end', `the tensor '${name}' needs bytes ${offset} to ${offset + bytes}, but the file has ${size}`, 'the download or copy is incomplete: fetch the file again', at);
  }
  return { name, type, dims, elements, rowBytes, bytes, offset };
}

function checkOverlaps(tensors: readonly GgufTensor[], infos: readonly TensorInfo[]): void {
  const order = tensors.map((_, i) => i).sort((a, b) => (tensors[a] as GgufTensor).offset - (tensors[b] as GgufTensor).offset);
  for (let i = 1; i < order.length; i++) {
    const before = tensors[order[i - 1] as number] as GgufTensor;
    const after = tensors[order[i] as number] as GgufTensor;
    if (before.offset + before.bytes > after.offset) {
      throw new GgufError('overlapping-tensors', `the tensors '${before.name}' and '${after.name}' share bytes`, 'repair the program that wrote the file', infos[order[i] as number]?.at);
    }
  }
}
