import { readCount, readName, type Cursor, type HeaderBytes } from './cursor.ts';
import { decodeValue, readType, skipValue } from './decode.ts';
import { GgufError } from './error.ts';
import type { GgufArray, GgufType, GgufValue } from './value.ts';

/**
 * The key-value part of a file. Everything was checked when the file was opened; a value is built when it is first asked for.
 * The typed getters throw GgufError `missing-key` where the key is absent and no fallback is given, and `wrong-type` where
 * the value is of another type. A fallback stands in for an absent key, never for a wrong type.
 */
export interface GgufMetadata {
  /** Keys in file order. */
  readonly keys: readonly string[];
  /** Whether the file has the key, of whatever type. */
  has(key: string): boolean;
  /** The value with its type; undefined where the key is absent. */
  get(key: string): GgufValue | undefined;
  /** An integer of any width, 0 to 2^32 - 1. */
  u32(key: string, fallback?: number): number;
  /** An integer of any width, within plus or minus 2^53. */
  integer(key: string, fallback?: number): number;
  /** A single- or double-precision number. */
  f32(key: string, fallback?: number): number;
  /** A truth value; a number is of the wrong type. */
  bool(key: string, fallback?: boolean): boolean;
  /** A text, decoded from UTF-8. */
  string(key: string, fallback?: string): string;
  /** A list of texts. */
  strings(key: string, fallback?: readonly string[]): readonly string[];
  /** A list of single- or double-precision numbers; doubles are rounded. */
  f32s(key: string, fallback?: Float32Array): Float32Array;
  /** A list of integers of up to 32 bits. */
  i32s(key: string, fallback?: Int32Array): Int32Array;
}

interface Place {
  readonly type: GgufType;
  readonly at: number;
}

/** Checks `count` pairs and moves past them. */
export function readMetadata(cursor: Cursor, count: number): GgufMetadata {
  const places = new Map<string, Place>();
  for (let i = 0; i < count; i++) {
    const start = cursor.at;
    const key = readName(cursor, `metadata key ${i}`, 'bad-key');
    if (key === '') throw new GgufError('bad-key', `metadata key ${i} is empty`, 'the file is damaged: fetch it again', start);
    if (places.has(key)) throw new GgufError('duplicate-key', `the metadata key '${key}' appears twice`, 'repair the program that wrote the file', start);
    const type = readType(cursor, `the type of '${key}'`);
    places.set(key, { type, at: cursor.at });
    skipValue(cursor, type, key);
  }
  return metadataOver(cursor.header, places);
}

/** Fewest bytes that a pair can take: a key of one letter and a value of one byte. */
export const LEAST_PAIR_BYTES: number = 8 + 1 + 4 + 1;

/** Reads the number of pairs. */
export function readPairCount(cursor: Cursor): number {
  return readCount(cursor, LEAST_PAIR_BYTES, 'metadata pairs');
}

function metadataOver(header: HeaderBytes, places: ReadonlyMap<string, Place>): GgufMetadata {
  const built = new Map<string, GgufValue>();
  const get = (key: string): GgufValue | undefined => {
    const known = built.get(key);
    if (known !== undefined) return known;
    const place = places.get(key);
    if (place === undefined) return undefined;
    const value = decodeValue({ header, at: place.at }, place.type);
    built.set(key, value);
    return value;
  };
  // One rule for all getters: absent -> fallback or error; present -> what `pick` makes of it, or error.
  const want = <T>(key: string, fallback: T | undefined, wanted: string, pick: (value: GgufValue) => T | undefined): T => {
    const value = get(key);
    if (value === undefined) {
      if (fallback !== undefined) return fallback;
      throw new GgufError('missing-key', `the file has no metadata '${key}'`, 'use a complete model file: this key is needed');
    }
    const picked = pick(value);
    if (picked === undefined) {
      throw new GgufError('wrong-type', `the metadata '${key}' is ${describe(value)}, not ${wanted}`, 'repair the program that wrote the file', places.get(key)?.at);
    }
    return picked;
  };
  return {
    keys: [...places.keys()],
    has: (key) => places.has(key),
    get,
    u32: (key, fallback) => want(key, fallback, 'an integer from 0 to 2^32 - 1', (v) => integerIn(v, 0, 2 ** 32 - 1)),
    integer: (key, fallback) => want(key, fallback, 'an integer below 2^53', (v) => integerIn(v, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
    f32: (key, fallback) => want(key, fallback, 'a floating-point number', (v) => (v.type === 'f32' || v.type === 'f64' ? v.value : undefined)),
    bool: (key, fallback) => want(key, fallback, 'a truth value', (v) => (v.type === 'bool' ? v.value : undefined)),
    string: (key, fallback) => want(key, fallback, 'a text', (v) => (v.type === 'string' ? v.value : undefined)),
    strings: (key, fallback) => want(key, fallback, 'a list of texts', (v) => (v.type === 'array' && v.of === 'string' ? v.values : undefined)),
    f32s: (key, fallback) => want(key, fallback, 'a list of floating-point numbers', (v) => (v.type === 'array' ? floats(v) : undefined)),
    i32s: (key, fallback) => want(key, fallback, 'a list of integers', (v) => (v.type === 'array' ? integers(v) : undefined)),
  };
}

function integerIn(value: GgufValue, low: number, high: number): number | undefined {
  switch (value.type) {
    case 'u8': case 'i8': case 'u16': case 'i16': case 'u32': case 'i32': case 'u64': case 'i64': {
      const number = Number(value.value);
      return number >= low && number <= high ? number : undefined;
    }
    default:
      return undefined;
  }
}

function floats(list: GgufArray): Float32Array | undefined {
  if (list.of === 'f32') return list.values;
  return list.of === 'f64' ? Float32Array.from(list.values) : undefined;
}

function integers(list: GgufArray): Int32Array | undefined {
  switch (list.of) {
    case 'i32': return list.values;
    case 'u8': case 'i8': case 'u16': case 'i16': return Int32Array.from(list.values);
    case 'u32': return list.values.every((x) => x < 2 ** 31) ? Int32Array.from(list.values) : undefined;
    default: return undefined;
  }
}

function describe(value: GgufValue): string {
  if (value.type === 'array') return `a list of ${value.values.length} ${value.of}`;
  const text = String(value.value);
  return `the ${value.type} ${text.length > 40 ? `${text.slice(0, 40)}...` : text}`;
}
