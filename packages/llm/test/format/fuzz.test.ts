import { describe, expect, it } from 'vitest';
import { GgufError, bytesSource, openGguf } from '../../src/format/index.ts';
import { HOSTILE, countingSource, damage, readEverything, smallFile } from './hostile.ts';
import { atMost, same } from '../../../../tools/test/often.ts';

/** Damaged files to try; the long run of `npm run test:all` sets it higher. */
const CASES = Number(process.env['QUERN_FUZZ'] ?? 20_000);

const file = smallFile();
const headerBytes = openGguf(bytesSource(file)).dataOffset;

/** What came of a file: the code of its error, or 'sound'. Anything but a typed error, or a read beyond all proportion, fails. */
function outcome(bytes: Uint8Array): string {
  const source = countingSource(bytes);
  try {
    readEverything(source);
    return 'sound';
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    same(error.fix === '', false);
    return error.code;
  } finally {
    // The header read with doubling, and each tensor once.
    atMost(source.asked, 4 * bytes.length);
  }
}

describe('a damaged file', () => {
  it('is a typed error at every length it can be cut to', () => {
    for (let length = 0; length < file.length; length++) {
      const result = outcome(file.subarray(0, length));
      // The padding behind the last tensor is not missed.
      if (length < file.length - 30) expect(result, `cut to ${length}`).not.toBe('sound');
    }
  });

  it('is a typed error, or still sound, with a hostile integer anywhere', () => {
    for (let at = 0; at + 8 <= headerBytes; at++) {
      for (const value of HOSTILE) {
        const bytes = file.slice();
        new DataView(bytes.buffer).setBigUint64(at, value, true);
        outcome(bytes);
      }
    }
  });

  it(`is a typed error, or still sound, in ${CASES} random cases, which reach most checks`, () => {
    const seen = new Map<string, number>();
    for (let i = 0; i < CASES; i++) {
      let result: string;
      try {
        result = outcome(damage(file, headerBytes, i));
      } catch (error) {
        throw new Error(`case ${i}`, { cause: error });
      }
      seen.set(result, (seen.get(result) ?? 0) + 1);
    }
    // A fuzzer that only ever trips over the first check proves nothing.
    expect(seen.size, JSON.stringify([...seen])).toBeGreaterThanOrEqual(16);
  }, 3_600_000);
});
