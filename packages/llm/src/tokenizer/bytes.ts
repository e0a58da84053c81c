/**
 * The alphabet of byte-level BPE: each byte as one printable character. The 188 printable characters of Latin-1 are
 * themselves; the other bytes, in order, are the characters from U+0100 on, so that a space is 'Ġ' and a line feed 'Ċ'.
 */
const chars: string[] = [];
const byteByUnit = new Int16Array(0x144).fill(-1);
for (let byte = 0, next = 0x100; byte < 256; byte++) {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const unit = printable ? byte : next++;
  chars.push(String.fromCharCode(unit));
  byteByUnit[unit] = byte;
}

/** The character of each byte. */
export const BYTE_CHARS: readonly string[] = chars;

const encoder = new TextEncoder();

/** Bytes of a token spelt in the alphabet. A character outside of it stands for itself. */
export function bytesOfSpelling(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const char of token) {
    const byte = byteByUnit[char.codePointAt(0) as number] ?? -1;
    if (byte >= 0) bytes.push(byte);
    else bytes.push(...encoder.encode(char));
  }
  return Uint8Array.from(bytes);
}
