import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir, makeDir } from '../compile/index.ts';
import { ArgumentError } from '../errors/index.ts';
import { digest, keyText } from './key.ts';
import type { TuneKey } from './key.ts';

/** A race as data: who ran, how fast each was, who won. */
export interface TuneRecord {
  readonly key: TuneKey;
  /** The parameters that won: what the tunable's schedule takes. */
  readonly winner: unknown;
  readonly candidates: readonly {
    readonly params: unknown;
    /** Microseconds of a run, turn by turn; none when it could not be compiled or computed something else. */
    readonly us: readonly number[];
    readonly error?: string;
  }[];
  /** ISO date. */
  readonly date: string;
}

function isRecord(x: unknown): x is TuneRecord {
  const r = x as Partial<TuneRecord> | null;
  return typeof r === 'object' && r !== null && typeof r.key === 'object' && Array.isArray(r.candidates) && 'winner' in r && typeof r.date === 'string';
}

/** Reads a list of records, as packages ship it. @throws ArgumentError when it is none */
export function parseRecords(text: string): readonly TuneRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ArgumentError('the tuning records are not JSON', { cause });
  }
  if (!Array.isArray(value) || !value.every(isRecord)) throw new ArgumentError('tuning records are a list of objects with key, winner, candidates and date', { fix: 'tune again: `quern tune FILE`' });
  return value;
}

/** The record of this very key, if there is one. */
export const recordFor = (records: readonly TuneRecord[], key: TuneKey): TuneRecord | undefined => records.find((r) => keyText(r.key) === keyText(key));

/** Where the user's cache keeps the record of a key. @throws FileError without a cache folder */
export const recordPath = (key: TuneKey, dir: string = cacheDir().path): string => join(dir, 'tuning', `${key.kernel}-${digest(keyText(key))}.json`);

/** The record of a key in the user's cache. What is damaged or belongs to another key counts as none. */
export function readRecord(key: TuneKey, dir?: string): TuneRecord | undefined {
  try {
    const r: unknown = JSON.parse(readFileSync(recordPath(key, dir), 'utf8'));
    return isRecord(r) && keyText(r.key) === keyText(key) ? r : undefined;
  } catch {
    return undefined;
  }
}

/** Puts a record into the user's cache: written under another name first, so that readers see all of it or nothing. */
export function writeRecord(record: TuneRecord, dir: string = cacheDir().path): string {
  const path = recordPath(record.key, dir), draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  makeDir(join(dir, 'tuning'));
  try {
    writeFileSync(draft, `${JSON.stringify(record, null, 1)}\n`);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
  return path;
}
