import fc from 'fast-check';
import { it } from 'vitest';
import { decodeText } from '../../src/format/cursor.ts';
import { same } from '../../../../tools/test/often.ts';

it('decodes short texts as TextDecoder does, broken ones too', () => {
  const reference = new TextDecoder('utf-8', { ignoreBOM: true });
  // Bytes near the borders of the encoding's ranges, so that almost-valid sequences are common.
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xa0, 0x9f, 0xed, 0xef, 0xbb, 0xf0, 0xf4, 0xf5));
  fc.assert(fc.property(fc.array(byte, { maxLength: 60 }), fc.nat(5), (bytes, start) => {
    const all = Uint8Array.from(bytes);
    const from = Math.min(start, all.length);
    same(decodeText(all, from, all.length), reference.decode(all.subarray(from)));
  }), { numRuns: 5000 });
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
    const bytes = new TextEncoder().encode(text);
    same(decodeText(bytes, 0, bytes.length), text);
  }), { numRuns: 1000 });
});
