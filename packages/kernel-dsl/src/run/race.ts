import type { Memory } from './memory.ts';
import type { Site } from './site.ts';
import { raise } from './site.ts';

/**
 * What the iterations of one parallel loop did to one buffer that outlives an iteration. Each cell holds the stamps of its last writer,
 * of its first reader and of its first atomic update. One reader is enough: iterations run one after another, so where the first reader is the iteration at hand, no other has read the cell.
 * Stamps grow from run to run of the loop, so nothing is cleared.
 */
interface Shadow { readonly m: Memory; writer: Float64Array; reader: Float64Array; atomic: Float64Array }

/** A parallel loop that is being run. Iteration i has the stamp `first + i`; older stamps are from earlier runs of the loop. */
export interface ParallelScope {
  readonly name: string;
  first: number;
  now: number;
  /** Stamps handed out so far; 0 means none. */
  last: number;
  /** By buffer id; only buffers that some iteration writes. */
  readonly shadows: ReadonlyMap<number, Shadow>;
}

export function parallelScope(name: string, written: readonly Memory[]): ParallelScope {
  const none = new Float64Array(0);
  return { name, first: 1, now: 0, last: 0, shadows: new Map(written.map((m) => [m.buf.id, { m, writer: none, reader: none, atomic: none }])) };
}

/** Called when the loop is entered with n iterations. */
export function enter(s: ParallelScope, n: number): void {
  s.first = s.last + 1;
  s.last += n;
  for (const x of s.shadows.values()) {
    if (x.writer.length >= x.m.span) continue;
    x.writer = new Float64Array(x.m.span);
    x.reader = new Float64Array(x.m.span);
    x.atomic = new Float64Array(x.m.span);
  }
}

/** The indices of the element at a position, for messages. */
export function indexAt(m: Memory, at: number): number[] {
  const order = m.shape.map((_, d) => d).sort((a, b) => Math.abs(m.strides[b]!) - Math.abs(m.strides[a]!));
  const index = new Array<number>(m.shape.length).fill(0);
  let rest = at - m.lo;
  for (const d of order) {
    const s = m.strides[d]!, n = m.shape[d]!;
    if (n === 1 || s === 0) continue;
    const i = Math.min(n - 1, Math.floor(rest / Math.abs(s)));
    rest -= i * Math.abs(s);
    index[d] = s < 0 ? n - 1 - i : i;
  }
  return index;
}

type Touch = 'written' | 'read' | 'atomically updated';

function race(site: Site, s: ParallelScope, m: Memory, at: number, first: Touch, stamp: number, then: Touch): never {
  const index = indexAt(m, at);
  return raise(site, 'KD-RUN-RACE', `${m.buf.name}[${index.join(', ')}] is ${first} by iteration ${s.name} = ${stamp - s.first} and ${then} by iteration ${s.name} = ${s.now - s.first} of the parallel loop ${s.name}`, { buffer: m.buf.name, index });
}

/** The check that a read of `m` makes for a parallel loop around it, or undefined where no iteration writes that buffer. */
export function onRead(s: ParallelScope, m: Memory, site: Site): ((at: number) => void) | undefined {
  const x = s.shadows.get(m.buf.id);
  return x && ((at) => {
    const c = at - m.lo, w = x.writer[c]!, now = s.now;
    if (w >= s.first && w !== now) race(site, s, m, at, 'written', w, 'read');
    const u = x.atomic[c]!;
    if (u >= s.first && u !== now) race(site, s, m, at, 'atomically updated', u, 'read');
    if (x.reader[c]! < s.first) x.reader[c] = now;
  });
}

/** The check that a write makes; see {@link onRead}. */
export function onWrite(s: ParallelScope, m: Memory, site: Site): ((at: number) => void) | undefined {
  const x = s.shadows.get(m.buf.id);
  return x && ((at) => {
    const c = at - m.lo, w = x.writer[c]!, now = s.now;
    if (w >= s.first && w !== now) race(site, s, m, at, 'written', w, 'written');
    const u = x.atomic[c]!;
    if (u >= s.first && u !== now) race(site, s, m, at, 'atomically updated', u, 'written');
    const r = x.reader[c]!;
    if (r >= s.first && r !== now) race(site, s, m, at, 'read', r, 'written');
    x.writer[c] = now;
  });
}

/** The check that an atomic update makes; see {@link onRead}. */
export function onAtomic(s: ParallelScope, m: Memory, site: Site): ((at: number) => void) | undefined {
  const x = s.shadows.get(m.buf.id);
  return x && ((at) => {
    const c = at - m.lo, now = s.now, w = x.writer[c]!, r = x.reader[c]!;
    if (w >= s.first && w !== now) race(site, s, m, at, 'written', w, 'atomically updated');
    if (r >= s.first && r !== now) race(site, s, m, at, 'read', r, 'atomically updated');
    if (x.atomic[c]! < s.first) x.atomic[c] = now;
  });
}
