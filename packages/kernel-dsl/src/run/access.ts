import { bytesOf, isInt, printExpr } from '../ir/index.ts';
import type { Buffer, DType, Expr } from '../ir/index.ts';
import { readBytes } from './arith.ts';
import { memoryOf } from './context.ts';
import type { Context, Num, Vec } from './context.ts';
import { onLane } from './lane-race.ts';
import type { Memory } from './memory.ts';
import { onAtomic, onRead, onWrite } from './race.ts';
import { raise } from './site.ts';
import type { Site } from './site.ts';

/** How a node touches a buffer: its indices compiled, with what the node says for messages. */
interface Access {
  readonly m: Memory;
  readonly index: readonly Num[];
  readonly site: Site;
  readonly text: string;
  /** Elements touched in the innermost dimension from the index on, for one position. */
  readonly run: number;
}

export type Compile = { readonly num: (e: Expr, site: Site) => Num; readonly vec: (e: Expr, site: Site) => Vec };
type Guard = (at: number) => void;

function outside(a: Access, index: readonly number[]): never {
  const { m, site } = a, where = a.run > 1 ? ` and the ${a.run - 1} after it` : '';
  return raise(site, 'KD-RUN-OOB', `${a.text}: index [${index.join(', ')}]${where} is outside of ${m.buf.name}'s shape [${m.shape.join(', ')}]`, { buffer: m.buf.name, index });
}

/** The position of an element, each index checked against its own dimension. */
function position(a: Access): Num {
  const { m, index, run } = a, [i0, i1, i2] = index;
  const bad = (...i: number[]): never => outside(a, i);
  if (m.buf.space !== 'param') { // an alloc gets its shape when it runs, and begins at 0
    if (!i0) return () => 0;
    if (!i1) return () => { const x = i0(); return x >= 0 && x <= m.shape[0]! - run ? x : bad(x); };
    if (!i2) return () => { const x = i0(), y = i1(), { shape } = m; return x >= 0 && x < shape[0]! && y >= 0 && y <= shape[1]! - run ? x * shape[1]! + y : bad(x, y); };
    return general(a);
  }
  const { base, shape: [n0, n1, n2], strides: [s0, s1, s2] } = m as { base: number; shape: readonly number[]; strides: readonly number[] };
  if (!i0) return () => base;
  if (!i1) { const e0 = n0! - run; return () => { const x = i0(); return x >= 0 && x <= e0 ? base + x * s0! : bad(x); }; }
  if (!i2) { const e1 = n1! - run; return () => { const x = i0(), y = i1(); return x >= 0 && x < n0! && y >= 0 && y <= e1 ? base + x * s0! + y * s1! : bad(x, y); }; }
  if (index.length === 3) {
    const e2 = n2! - run;
    return () => {
      const x = i0(), y = i1(), z = i2();
      return x >= 0 && x < n0! && y >= 0 && y < n1! && z >= 0 && z <= e2 ? base + x * s0! + y * s1! + z * s2! : bad(x, y, z);
    };
  }
  return general(a);
}

function general(a: Access): Num {
  const { m, index, run } = a, rank = index.length;
  return () => {
    let at = m.base, ok = true;
    for (let d = 0; d < rank; d++) {
      const i = index[d]!(), n = d === rank - 1 ? m.shape[d]! - run : m.shape[d]! - 1;
      if (!(i >= 0 && i <= n)) ok = false;
      at += i * m.strides[d]!;
    }
    return ok ? at : outside(a, index.map((f) => f()));
  };
}

function both(f: Guard | undefined, g: Guard | undefined): Guard | undefined {
  return f && g ? (at) => { f(at); g(at); } : f ?? g;
}

/** Refuses a cell that nothing has written. */
function unwritten(a: Access): Guard | undefined {
  const { m, site } = a;
  return m.written && ((at) => {
    if (m.written![at - m.lo] === m.era) return;
    const what = m.buf.space === 'param' ? `the out parameter ${m.buf.name}` : `${m.buf.space} ${m.buf.name}`;
    const shape = m.shape.length ? ` of shape [${m.shape.join(', ')}]` : '';
    const index = a.index.map((f) => f()), more = at - index.reduce((p, i, d) => p + i * m.strides[d]!, m.base);
    const shown = index.map((i, d) => (d === index.length - 1 ? i + more / m.strides[d]! : i)); // the lane or byte of this access
    raise(site, 'KD-RUN-UNINIT', `${a.text} reads ${what}${shape} at [${shown.join(', ')}] before anything is written there`, { buffer: m.buf.name, index: shown });
  });
}

/** What a read checks: written before, and by no other iteration of a parallel loop. */
function readGuard(c: Context, a: Access): Guard | undefined {
  return both(c.parallel.reduce<Guard | undefined>((g, s) => both(g, onRead(s, a.m, a.site)), unwritten(a)), laneGuard(c, a, 'read'));
}

/** What an access checks among the lanes of a workgroup: memory of their own needs nothing. */
function laneGuard(c: Context, a: Access, touch: 'read' | 'written' | 'atomically updated'): Guard | undefined {
  const { m } = a, readOnly = m.buf.space === 'param' && m.buf.access === 'in';
  return c.inLanes && !readOnly && !c.laneOwn.has(m.buf.id) ? onLane(c.lanes, m, a.site, touch) : undefined;
}

/** What an atomic update checks and records: other atomic updates of the cell are no race. */
function atomicGuard(c: Context, a: Access): Guard | undefined {
  return c.parallel.reduce<Guard | undefined>((g, s) => both(g, onAtomic(s, a.m, a.site)), laneGuard(c, a, 'atomically updated'));
}

/** What a write checks and records. */
function writeGuard(c: Context, a: Access): Guard | undefined {
  const { m, site } = a;
  const init: Guard | undefined = m.written && ((at) => { m.written![at - m.lo] = m.era; });
  return both(both(c.parallel.reduce<Guard | undefined>((g, s) => both(g, onWrite(s, m, site)), undefined), laneGuard(c, a, 'written')), init);
}

/** Runs before each access of a vector whose indices are vectors: sets the lane that `index` then yields. */
interface Gather { readonly prepare: () => void; readonly lane: (l: number) => void }

function access(c: Context, buf: Buffer, index: readonly Expr[], site: Site, by: Compile, run: number, what: string, gather?: { g?: Gather }): Access {
  const m = memoryOf(c, buf, site), text = `${what} ${buf.name}[${index.map(printExpr).join(', ')}]`;
  if (index.length !== buf.shape.length) raise(site, 'KD-RUN-IR', `${text}: ${buf.name} has ${buf.shape.length} dimensions`);
  for (const e of index) if (!isInt(e.dtype)) raise(site, 'KD-RUN-IR', `${text}: an index is ${e.dtype}`);
  if (run > 1 && index.length === 0) raise(site, 'KD-RUN-IR', `${text}: ${buf.name} has no dimension for ${run} neighbours`);
  if (!gather) return { m, index: index.map((e) => by.num(e, site)), site, text, run };
  let now = 0;
  const cells = index.map((e): { get: Num; prepare: () => void } => {
    if (e.lanes === 1) { const f = by.num(e, site); let x = 0; return { get: () => x, prepare: () => { x = f(); } }; }
    const f = by.vec(e, site);
    let v: Float64Array = new Float64Array(0);
    return { get: () => v[now]!, prepare: () => { v = f(); } };
  });
  gather.g = { prepare: () => { for (const x of cells) x.prepare(); }, lane: (l) => { now = l; } };
  return { m, index: cells.map((x) => x.get), site, text, run };
}

/** Refuses indices that do not have the value's lanes; tells whether there are any vector indices. */
function isGather(index: readonly Expr[], lanes: number, site: Site): boolean {
  const wide = index.filter((e) => e.lanes > 1);
  for (const e of wide) if (e.lanes !== lanes) raise(site, 'KD-RUN-IR', `an index has ${e.lanes} lanes, the access ${lanes}`);
  return wide.length > 0;
}

/** What a node reads at a position, and how many neighbours in the innermost dimension that covers: 1, or the bytes of `as`. */
function reader(c: Context, m: Memory, as: DType | undefined, site: Site): { read: (at: number) => number; bytes: number } {
  const check = (x: number): number => (Number.isSafeInteger(x) ? x : raise(site, 'KD-RUN-RANGE', `${m.buf.name} holds ${x}, which is beyond 2^53`, { buffer: m.buf.name }));
  if (!as) return { read: m.buf.dtype === 'i64' ? (at) => check(m.read(at)) : m.buf.space === 'param' ? m.read : (at) => m.read(at), bytes: 1 };
  if (m.buf.dtype !== 'u8') raise(site, 'KD-RUN-IR', `${m.buf.name} is ${m.buf.dtype}, but only u8 can be read as ${as}`);
  const inner = m.strides.length - 1;
  if (m.buf.space === 'param' && inner >= 0 && m.strides[inner] !== 1 && m.shape[inner]! > 1) {
    raise(site, 'KD-RUN-ARG', `${m.buf.name} is read as ${as}, but its bytes are ${m.strides[inner]} apart`, { buffer: m.buf.name, fix: 'Pass a tensor whose innermost stride is 1.' });
  }
  let data = m.data, view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return {
    bytes: bytesOf(as),
    read: (at) => {
      if (data !== m.data) { data = m.data; view = new DataView(data.buffer, data.byteOffset, data.byteLength); }
      return as === 'i64' ? check(readBytes(view, at, as)) : readBytes(view, at, as);
    },
  };
}

const spread = (g: Guard, n: number): Guard => (n === 1 ? g : (at) => { for (let b = 0; b < n; b++) g(at + b); });

export function compileLoad(c: Context, e: Extract<Expr, { kind: 'load' }>, site: Site, by: Compile): Num {
  const { read, bytes } = reader(c, memoryOf(c, e.buf, site), e.as, site);
  const a = access(c, e.buf, e.index, site, by, bytes, e.as ? `load as ${e.as} of` : 'load of'), at = position(a), g = readGuard(c, a), guard = g && spread(g, bytes);
  return guard ? () => { const p = at(); guard(p); return read(p); } : () => read(at());
}

export function compileVectorLoad(c: Context, e: Extract<Expr, { kind: 'load' }>, site: Site, by: Compile): Vec {
  const { lanes } = e, { read, bytes } = reader(c, memoryOf(c, e.buf, site), e.as, site), out = new Float64Array(lanes);
  const what = `load x${lanes} of`;
  if (isGather(e.index, lanes, site)) {
    const h: { g?: Gather } = {}, a = access(c, e.buf, e.index, site, by, bytes, what, h), at = position(a), g = readGuard(c, a), guard = g && spread(g, bytes), { prepare, lane } = h.g!;
    return () => {
      prepare();
      for (let l = 0; l < lanes; l++) { lane(l); const p = at(); guard?.(p); out[l] = read(p); }
      return out;
    };
  }
  const a = access(c, e.buf, e.index, site, by, bytes * lanes, what), at = position(a), g = readGuard(c, a), guard = g && spread(g, bytes), { m } = a, inner = m.buf.shape.length - 1;
  return () => {
    const p = at(), step = bytes * m.strides[inner]!;
    if (guard) for (let l = 0; l < lanes; l++) guard(p + l * step);
    for (let l = 0; l < lanes; l++) out[l] = read(p + l * step);
    return out;
  };
}

/** A write of `value` at `index`, or with `op` an update: cell = cell op value. */
export function compileStore(c: Context, buf: Buffer, index: readonly Expr[], value: Expr, site: Site, by: Compile, op?: (acc: number, v: number) => number): () => void {
  const m = memoryOf(c, buf, site), { lanes } = value;
  if (buf.access === 'in' && buf.space === 'param') raise(site, 'KD-RUN-READONLY', `${buf.name} is an in parameter, but is written`, { buffer: buf.name });
  if (value.dtype !== buf.dtype) raise(site, 'KD-RUN-IR', `a ${value.dtype} is written to ${buf.name}, which holds ${buf.dtype}`);
  const gathers = isGather(index, lanes, site), h: { g?: Gather } = {};
  const each = buf.packed ? 2 : 1; // a packed store writes the next element too
  const a = access(c, buf, index, site, by, gathers ? each : lanes * each, op ? 'update of' : 'store to', gathers ? h : undefined), at = position(a);
  const old = op && readGuard(c, a), mark = writeGuard(c, a);
  const even = (p: number): number => (p % 2 === 0 ? p : raise(site, 'KD-RUN-IR', `${a.text} begins in the middle of a byte`));
  const put = op
    ? (p: number, v: number): void => { old?.(p); mark?.(p); m.write(p, op(m.read(p), v)); }
    : buf.packed ? (p: number, v: number): void => { mark?.(even(p)); mark?.(p + 1); m.write(p, v); }
    : mark ? (p: number, v: number): void => { mark(p); m.write(p, v); } : (p: number, v: number): void => m.write(p, v);
  if (lanes === 1) {
    const v = by.num(value, site);
    if (buf.packed) return () => { const p = even(at()); put(p, v()); };
    if (op || mark) return () => { const p = at(); put(p, v()); };
    return () => { const p = at(); m.write(p, v()); };
  }
  const v = by.vec(value, site);
  if (gathers) {
    const { prepare, lane } = h.g!;
    return () => {
      prepare();
      const x = v();
      for (let l = 0; l < lanes; l++) { lane(l); put(at(), x[l]!); }
    };
  }
  const inner = buf.shape.length - 1;
  return () => {
    const p = at(), x = v(), step = m.strides[inner]! * each;
    for (let l = 0; l < lanes; l++) put(p + l * step, x[l]!);
  };
}

/** An atomic update of one cell; the closure returns what the cell held. */
export function compileUpdate(c: Context, buf: Buffer, index: readonly Expr[], value: Expr, site: Site, by: Compile, op: (acc: number, v: number) => number): Num {
  if (value.dtype !== buf.dtype || value.lanes !== 1 || buf.packed || buf.space === 'reg') raise(site, 'KD-RUN-IR', `an atomic update of ${buf.space} ${buf.name} by ${value.dtype} x ${value.lanes}`);
  if (buf.access === 'in' && buf.space === 'param') raise(site, 'KD-RUN-READONLY', `${buf.name} is an in parameter, but is written`, { buffer: buf.name });
  const m = memoryOf(c, buf, site), a = access(c, buf, index, site, by, 1, 'atomic update of'), at = position(a), guard = atomicGuard(c, a), init = unwritten(a), v = by.num(value, site);
  return () => {
    const p = at();
    init?.(p);
    guard?.(p);
    const x = v(), old = m.read(p), now = op(old, x);
    if (!Number.isSafeInteger(now) && buf.dtype === 'i64') raise(site, 'KD-RUN-RANGE', `${buf.name} becomes ${now}, which is beyond 2^53`, { buffer: buf.name });
    m.write(p, now);
    return old;
  };
}
