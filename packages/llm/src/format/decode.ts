import { decodeText, readCount, readU32, skip, skipString, type Cursor } from './cursor.ts';
import { GgufError } from './error.ts';
import { FIXED_BYTES, typeOfId, type GgufArray, type GgufType, type GgufValue } from './value.ts';

/** Lists nest at most this deep. Real files nest once. */
const MAX_DEPTH = 8;

/** Fewest bytes that a value can take. */
function leastBytes(type: GgufType): number {
  if (type === 'string') return 8;
  if (type === 'array') return 12;
  return FIXED_BYTES[type];
}

/** Reads a type number. */
export function readType(cursor: Cursor, what: string): GgufType {
  const offset = cursor.at;
  const id = readU32(cursor, what);
  const type = typeOfId(id);
  if (type === undefined) {
    throw new GgufError('unknown-value-type', `${what} is ${id}, which no version of GGUF defines`, 'the file is damaged, or newer than this reader: fetch it again or update', offset);
  }
  return type;
}

/** Checks a value from end to end and moves past it, building nothing. */
export function skipValue(cursor: Cursor, type: GgufType, key: string, depth: number = 0): void {
  if (type === 'string') {
    skipString(cursor, `the text of '${key}'`);
  } else if (type === 'array') {
    skipArray(cursor, key, depth);
  } else {
    const start = skip(cursor, FIXED_BYTES[type], `the value of '${key}'`);
    if (type === 'bool') checkBools(cursor, start, cursor.at, key);
  }
}

function skipArray(cursor: Cursor, key: string, depth: number): void {
  if (depth >= MAX_DEPTH) throw new GgufError('too-deep', `the lists of '${key}' nest more than ${MAX_DEPTH} deep`, 'the file is damaged: fetch it again', cursor.at);
  const of = readType(cursor, `the element type of '${key}'`);
  const count = readCount(cursor, leastBytes(of), `elements of '${key}'`);
  if (of === 'string') {
    // A vocabulary has hundreds of thousands: those that lie in what has been read are passed at once, one by one only where more must be read or something is wrong.
    for (let i = readyStrings(cursor, count, () => {}); i < count; i += 1 + readyStrings(cursor, count - i - 1, () => {})) skipValue(cursor, of, key, depth + 1);
  } else if (of === 'array') {
    for (let i = 0; i < count; i++) skipValue(cursor, of, key, depth + 1);
  } else {
    const start = skip(cursor, count * FIXED_BYTES[of], `the list '${key}'`);
    if (of === 'bool') checkBools(cursor, start, cursor.at, key);
  }
}

/** Moves past those of so many strings that lie whole in the bytes read so far; returns how many. `each` gets where the bytes of one lie. */
function readyStrings(cursor: Cursor, count: number, each: (bytes: Uint8Array, start: number, end: number) => void): number {
  const { bytes, view } = cursor.header.upTo(cursor.at, 'a list');
  let n = 0;
  for (let { at } = cursor; n < count && at + 8 <= bytes.length; n++) {
    const start = at + 8, end = start + view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    if (end > bytes.length) break;
    each(bytes, start, end);
    at = cursor.at = end;
  }
  return n;
}

function checkBools(cursor: Cursor, start: number, end: number, key: string): void {
  const { bytes } = cursor.header.upTo(end, key);
  for (let i = start; i < end; i++) {
    if ((bytes[i] as number) > 1) throw new GgufError('bad-bool', `a truth value of '${key}' is ${bytes[i]}, neither 0 nor 1`, 'the file is damaged: fetch it again', i);
  }
}

/** Builds a value that {@link skipValue} has found sound. */
export function decodeValue(cursor: Cursor, type: GgufType): GgufValue {
  if (type === 'array') return decodeArray(cursor);
  if (type === 'string') return { type, value: decodeString(cursor) };
  const start = skip(cursor, FIXED_BYTES[type], type);
  const { view } = cursor.header.upTo(cursor.at, type);
  switch (type) {
    case 'u8': return { type, value: view.getUint8(start) };
    case 'i8': return { type, value: view.getInt8(start) };
    case 'u16': return { type, value: view.getUint16(start, true) };
    case 'i16': return { type, value: view.getInt16(start, true) };
    case 'u32': return { type, value: view.getUint32(start, true) };
    case 'i32': return { type, value: view.getInt32(start, true) };
    case 'f32': return { type, value: view.getFloat32(start, true) };
    case 'f64': return { type, value: view.getFloat64(start, true) };
    case 'u64': return { type, value: view.getBigUint64(start, true) };
    case 'i64': return { type, value: view.getBigInt64(start, true) };
    case 'bool': return { type, value: view.getUint8(start) === 1 };
  }
}

function decodeString(cursor: Cursor): string {
  const { start, end } = skipString(cursor, 'a text');
  const { bytes } = cursor.header.upTo(end, 'a text');
  return decodeText(bytes, start, end);
}

function decodeArray(cursor: Cursor): GgufArray {
  const of = readType(cursor, 'an element type');
  const count = readCount(cursor, leastBytes(of), 'elements');
  if (of === 'string') {
    const values: string[] = [];
    readyStrings(cursor, count, (bytes, start, end) => { values.push(decodeText(bytes, start, end)); });
    while (values.length < count) values.push(decodeString(cursor));
    return { type: 'array', of, values };
  }
  if (of === 'array') return { type: 'array', of, values: Array.from({ length: count }, () => decodeArray(cursor)) };
  const start = skip(cursor, count * FIXED_BYTES[of], 'a list');
  const { bytes } = cursor.header.upTo(cursor.at, 'a list');
  // A copy is aligned, as typed arrays must be; every machine that runs JavaScript is little-endian, as the file is.
  const { buffer } = bytes.slice(start, cursor.at);
  switch (of) {
    case 'u8': return { type: 'array', of, values: new Uint8Array(buffer) };
    case 'i8': return { type: 'array', of, values: new Int8Array(buffer) };
    case 'u16': return { type: 'array', of, values: new Uint16Array(buffer) };
    case 'i16': return { type: 'array', of, values: new Int16Array(buffer) };
    case 'u32': return { type: 'array', of, values: new Uint32Array(buffer) };
    case 'i32': return { type: 'array', of, values: new Int32Array(buffer) };
    case 'f32': return { type: 'array', of, values: new Float32Array(buffer) };
    case 'f64': return { type: 'array', of, values: new Float64Array(buffer) };
    case 'u64': return { type: 'array', of, values: new BigUint64Array(buffer) };
    case 'i64': return { type: 'array', of, values: new BigInt64Array(buffer) };
    case 'bool': return { type: 'array', of, values: Array.from(new Uint8Array(buffer), (b) => b === 1) };
  }
}
