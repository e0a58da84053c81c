import { perPlace } from './memory.ts';
import type { Memory } from './memory.ts';

/** Bytes of an element: half a one where two share a byte. */
const bytesEach = (m: Memory): number => m.data.BYTES_PER_ELEMENT / perPlace(m.buf);
const bytesAt = (m: Memory): { from: number; to: number } => {
  const size = bytesEach(m), from = m.data.byteOffset + Math.floor(m.lo * size);
  return { from, to: from + Math.ceil(m.span * size) };
};

/** Calls f with the position of every element until it returns true. */
function someElement(m: Memory, f: (at: number) => boolean, d = 0, at: number = m.base): boolean {
  if (d === m.shape.length) return f(at);
  for (let i = 0; i < m.shape[d]!; i++) if (someElement(m, f, d + 1, at + i * m.strides[d]!)) return true;
  return false;
}

/** Are two elements of the tensor certainly at different places? True for every ordinary layout: each stride steps over all that the smaller ones reach. */
function clearlyDistinct(m: Memory): boolean {
  const dims = m.shape.map((n, d) => ({ n, s: Math.abs(m.strides[d]!) })).filter((x) => x.n > 1).sort((a, b) => a.s - b.s);
  let reach = 0;
  return dims.every(({ n, s }) => { const ok = s > reach; reach += (n - 1) * s; return ok; });
}

/** A tensor that is written and shares an element with another parameter, or with itself, told as a sentence. Interleaved views that share none are fine. */
export function checkOverlap(params: readonly Memory[]): { what: string; buffer: string } | undefined {
  for (const m of params) {
    if (m.buf.access === 'in' || m.span === 0) continue;
    const mine = bytesAt(m), size = bytesEach(m);
    const near = params.filter((o) => o !== m && o.span > 0 && o.data.buffer === m.data.buffer && bytesAt(o).from < mine.to && mine.from < bytesAt(o).to);
    if (!near.length && clearlyDistinct(m)) continue;
    const taken = new Uint8Array(mine.to - mine.from);
    const twice = someElement(m, (at) => {
      const b = (at - m.lo) * size;
      if (b % 1 !== 0) return false; // the second element of a byte, which the first stands for
      if (taken[b]) return true;
      taken.fill(1, b, b + Math.ceil(size));
      return false;
    });
    if (twice) return { what: `${m.buf.name} is written, but two of its elements share one place (shape [${m.shape.join(', ')}], strides [${m.strides.join(', ')}])`, buffer: m.buf.name };
    for (const o of near) {
      const step = bytesEach(o), shift = o.data.byteOffset - mine.from;
      const shared = someElement(o, (at) => {
        for (let b = Math.floor(shift + at * step), i = 0; i < step; i++) if (taken[b + i]) return true;
        return false;
      });
      if (shared) return { what: `${m.buf.name} is written, but shares memory with ${o.buf.name}`, buffer: m.buf.name };
    }
  }
  return undefined;
}
