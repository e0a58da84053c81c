const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

/** The first 32 bits of the fractional parts of the square or cube roots of primes, as FIPS 180-4 asks. */
function constants(count: number, root: 2 | 3): Uint32Array {
  const out = new Uint32Array(count);
  for (let n = 2, i = 0; i < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d++) prime = n % d !== 0;
    if (!prime) continue;
    // floor(n^(1/root) * 2^32) mod 2^32, exactly: the double is a first guess for an integer root.
    const scaled = BigInt(n) << BigInt(32 * root);
    let r = BigInt(Math.floor(n ** (1 / root) * 2 ** 32));
    const power = (x: bigint): bigint => x ** BigInt(root);
    while (power(r) > scaled) r--;
    while (power(r + 1n) <= scaled) r++;
    out[i++] = Number(r & 0xffffffffn);
  }
  return out;
}

interface NodeCrypto { readonly createHash: (name: string) => { readonly update: (text: string) => { readonly digest: (as: 'hex') => string } } }
/** Node's own, which needs no warming up: the text of a library is hashed once a process. */
const native = (globalThis as { process?: { getBuiltinModule?: (id: string) => NodeCrypto | undefined } }).process?.getBuiltinModule?.('node:crypto');

/** SHA-256 of a text's UTF-8 bytes as 64 hex digits (FIPS 180-4). */
export const sha256 = (text: string): string => (native ? native.createHash('sha256').update(text).digest('hex') : portableSha256(text));

/** The same in TypeScript alone, for browsers. */
export function portableSha256(text: string): string {
  const bytes = new TextEncoder().encode(text), blocks = Math.floor((bytes.length + 8) / 64) + 1;
  const data = new Uint8Array(blocks * 64), view = new DataView(data.buffer);
  data.set(bytes);
  data[bytes.length] = 0x80;
  view.setUint32(data.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(data.length - 4, (bytes.length * 8) >>> 0);
  const k = constants(64, 3), h = constants(8, 2), w = new Uint32Array(64);
  for (let at = 0; at < data.length; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15]!, y = w[i - 2]!;
      w[i] = w[i - 16]! + (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) + w[i - 7]! + (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10));
    }
    let [a, b, c, d, e, f, g, hh] = h as unknown as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i++) {
      const t1 = (hh + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + k[i]! + w[i]!) | 0;
      const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [hh, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, hh].forEach((x, i) => { h[i] = h[i]! + x; });
  }
  return [...h].map((x) => x.toString(16).padStart(8, '0')).join('');
}
