import { GgufError } from './error.ts';
import type { ByteSource } from './source.ts';

/** No honest header comes near this; a hostile one shall not make us read a whole disk. */
const MAX_HEADER_BYTES = 2 ** 30;
const FIRST_READ = 1 << 16;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const strictUtf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/**
 * The front of a file, read as far as it has been needed, twice as far each time. What it holds is never more than twice
 * what was asked for, and nothing is asked for that the file does not have.
 */
export interface HeaderBytes {
  /** Bytes of the file. */
  readonly size: number;
  /** The bytes from 0 to at least `end`. @throws GgufError where the file ends before */
  upTo(end: number, what: string): { readonly bytes: Uint8Array; readonly view: DataView };
}

/** The header of a source. */
export function headerBytes(source: ByteSource): HeaderBytes {
  let bytes: Uint8Array = new Uint8Array(0);
  let view = new DataView(bytes.buffer);
  return {
    size: source.size,
    upTo(end, what) {
      if (end > bytes.length) {
        if (!(end <= source.size)) throw truncated(what, source.size);
        if (end > MAX_HEADER_BYTES) {
          throw new GgufError('header-too-large', `${what} reaches past ${MAX_HEADER_BYTES} bytes of header`, 'the file is damaged: fetch it again', bytes.length);
        }
        const wanted = Math.min(source.size, MAX_HEADER_BYTES, Math.max(end, 2 * bytes.length, FIRST_READ));
        const read = source.read(0, wanted);
        // A Buffer's slice() is a view; a plain array's is the copy that decoding needs.
        bytes = new Uint8Array(read.buffer, read.byteOffset, read.length);
        if (bytes.length !== wanted) {
          throw new GgufError('read-failed', `the source returned ${bytes.length} bytes where ${wanted} were asked for`, 'make ByteSource.read return exactly the length asked for');
        }
        view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      }
      return { bytes, view };
    },
  };
}

/** The error for a file that ends inside `what`. */
export function truncated(what: string, size: number): GgufError {
  return new GgufError('truncated', `the file ends inside ${what}`, 'the download or copy is incomplete: fetch the file again', size);
}

/** A reading position in a header. Each read checks that the file has the bytes, and moves on. */
export interface Cursor {
  readonly header: HeaderBytes;
  at: number;
}

/** Moves past `length` bytes and returns where they start. */
export function skip(cursor: Cursor, length: number, what: string): number {
  const start = cursor.at;
  cursor.header.upTo(start + length, what);
  cursor.at = start + length;
  return start;
}

/** An unsigned 32-bit number. */
export function readU32(cursor: Cursor, what: string): number {
  const start = skip(cursor, 4, what);
  return cursor.header.upTo(cursor.at, what).view.getUint32(start, true);
}

/** An unsigned 64-bit number as a double: exact below 2^53, and above that far more than any file has, which is all its callers ask. */
export function readU64(cursor: Cursor, what: string): number {
  const start = skip(cursor, 8, what);
  const { view } = cursor.header.upTo(cursor.at, what);
  return view.getUint32(start + 4, true) * 2 ** 32 + view.getUint32(start, true);
}

/** A count of things that take at least `least` bytes each: refused where the rest of the file cannot hold that many. */
export function readCount(cursor: Cursor, least: number, what: string): number {
  const start = cursor.at;
  const count = readU64(cursor, `the number of ${what}`);
  if (count * least > cursor.header.size - cursor.at) {
    throw new GgufError('too-many', `the file claims ${count} ${what}, more than its ${cursor.header.size} bytes can hold`, 'the file is damaged or truncated: fetch it again', start);
  }
  return count;
}

/** Moves past a string and returns where its bytes lie. */
export function skipString(cursor: Cursor, what: string): { readonly start: number; readonly end: number } {
  const length = readU64(cursor, `the length of ${what}`);
  const start = skip(cursor, length, what);
  return { start, end: cursor.at };
}

/** A name: must be UTF-8. */
export function readName(cursor: Cursor, what: string, code: 'bad-key' | 'bad-tensor-name'): string {
  const { start, end } = skipString(cursor, what);
  const { bytes } = cursor.header.upTo(end, what);
  try {
    return strictUtf8.decode(bytes.subarray(start, end));
  } catch {
    throw new GgufError(code, `${what} is not UTF-8`, 'the file is damaged: fetch it again', start);
  }
}

/**
 * Text of some bytes. Broken UTF-8 becomes U+FFFD, as vocabularies of the field hold such tokens.
 * Most strings of a file are short tokens, for which a call of TextDecoder costs more than the work.
 */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 48) return utf8.decode(bytes.subarray(start, end));
  let text = '';
  for (let i = start; i < end; ) {
    const a = bytes[i] as number;
    if (a < 0x80) {
      text += String.fromCharCode(a);
      i += 1;
      continue;
    }
    const b = i + 1 < end ? (bytes[i + 1] as number) : 0;
    if (a >= 0xc2 && a < 0xe0 && (b & 0xc0) === 0x80) {
      text += String.fromCharCode(((a & 31) << 6) | (b & 63));
      i += 2;
      continue;
    }
    const c = i + 2 < end ? (bytes[i + 2] as number) : 0;
    const point = ((a & 15) << 12) | ((b & 63) << 6) | (c & 63);
    if (a >= 0xe0 && a < 0xf0 && (b & 0xc0) === 0x80 && (c & 0xc0) === 0x80 && point >= 0x800 && (point < 0xd800 || point > 0xdfff)) {
      text += String.fromCharCode(point);
      i += 3;
      continue;
    }
    return utf8.decode(bytes.subarray(start, end));
  }
  return text;
}
