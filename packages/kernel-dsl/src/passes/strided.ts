import { block, constant, exprKey, isConst, load, mapChildren, mapOperands, newVar, operands, shuffle } from '../ir/index.ts';
import type { Buffer, Expr, KernelIR, Let, Load, Loc, Stmt, Store, Var } from '../ir/index.ts';
import { simplifyExpr } from './affine.ts';

/**
 * Reads and writes whole vectors where lanes lie a power of two apart and neighbouring accesses fill the gaps: the real and imaginary parts of
 * complex numbers, the columns of a transposed block. R accesses with stride R to places next to each other become R contiguous ones and the
 * shuffles between; not a byte is touched that was not touched before. Within a run of statements without control flow, and for buffers whose
 * rows are contiguous.
 */
export const strided = (k: KernelIR): KernelIR => ({ ...k, body: visit(k.body) });

function visit(s: Stmt): Stmt {
  if (s.kind !== 'block') return mapChildren(s, visit);
  const out: Stmt[] = [];
  for (let i = 0; i < s.body.length;) {
    const end = s.body.findIndex((x, j) => j >= i && !isPlain(x));
    const run = s.body.slice(i, end < 0 ? s.body.length : end);
    out.push(...stores(loads(run)));
    const next = s.body[i + run.length];
    if (next) out.push(visit(next));
    i += run.length + 1;
  }
  return block(out, { loc: s.loc, step: s.step });
}

const isPlain = (s: Stmt): boolean => s.kind === 'let' || s.kind === 'store' || s.kind === 'alloc';

/** One access of a group: its place among the `stride` ones, and what the group has in common. */
interface Member {
  readonly key: string;
  readonly offset: number;
  readonly stride: number;
  readonly lanes: number;
  /** Where the group's block begins: an expression; and its constant part, with the key of all but that. */
  readonly base: Expr;
  readonly start: number;
  readonly family: string;
}

const MOST = 64;

/** Where an access with a constant power-of-two stride along contiguous rows belongs. */
function member(buf: Buffer, index: readonly Expr[], lanes: number): Member | undefined {
  const last = index.at(-1);
  if (buf.strided || buf.packed || buf.space === 'reg' || last?.kind !== 'ramp' || !isConst(last.stride) || index.slice(0, -1).some((x) => x.lanes > 1)) return undefined;
  const stride = last.stride.value;
  if (lanes < 2 || stride < 2 || stride > MOST || (stride & (stride - 1)) !== 0 || (lanes & (lanes - 1)) !== 0) return undefined;
  const e = simplifyExpr(last.base), plus = e.kind === 'binary' && e.fn === 'add' && isConst(e.b) ? e.b.value : isConst(e) ? e.value : 0;
  const offset = ((plus % stride) + stride) % stride, less = (by: number): Expr => simplifyExpr({ kind: 'binary', fn: 'sub', dtype: 'i64', lanes: 1, a: e, b: constant(by) });
  const start = plus - offset, family = [buf.id, stride, lanes, ...index.slice(0, -1).map(exprKey), exprKey(less(plus))].join(' ');
  return { key: `${family} from ${start}`, offset, stride, lanes, base: less(offset), start, family };
}

/** The w-th vector of a group's contiguous block. */
const place = (index: readonly Expr[], m: Member, w: number): readonly Expr[] =>
  [...index.slice(0, -1), simplifyExpr({ kind: 'binary', fn: 'add', dtype: 'i64', lanes: 1, a: m.base, b: constant(w * m.lanes) })];

const named = (name: string, value: Expr, loc: Loc | undefined): Let => ({ kind: 'let', v: newVar(name, value.dtype, value.lanes, loc), value, loc });

/** Turns complete groups of loads into contiguous loads, made where the first member stands. */
function loads(run: readonly Stmt[]): readonly Stmt[] {
  const versions = new Map<number, number>(), found = new Map<string, Map<number, Load>>();
  const keyOf = (e: Load): { key: string; m: Member } | undefined => {
    const m = e.as ? undefined : member(e.buf, e.index, e.lanes);
    return m && { m, key: `${m.key} @${versions.get(e.buf.id) ?? 0}` };
  };
  const each = (e: Expr, f: (x: Load) => void): void => { if (e.kind === 'load') f(e); for (const x of operands(e)) each(x, f); };
  const written = (s: Stmt): void => { if (s.kind === 'store') versions.set(s.buf.id, (versions.get(s.buf.id) ?? 0) + 1); };
  for (const s of run) {
    if (s.kind === 'let' || s.kind === 'store') each(s.value, (x) => {
      const g = keyOf(x);
      if (g) found.set(g.key, (found.get(g.key) ?? new Map<number, Load>()).set(g.m.offset, x));
    });
    written(s);
  }
  versions.clear();
  const out: Stmt[] = [], made = new Map<string, readonly Var[]>();
  for (const s of run) {
    const before: Stmt[] = [];
    const swap = (e: Expr): Expr => {
      const g = e.kind === 'load' ? keyOf(e) : undefined;
      if (e.kind !== 'load' || !g || found.get(g.key)!.size < g.m.stride) return mapOperands(e, swap);
      let vars = made.get(g.key);
      if (!vars) {
        const stem = e.buf.name.toLowerCase(), bind = (x: Expr): Expr => { const l = named(stem, x, e.loc); before.push(l); return l.v; };
        const rows = Array.from({ length: g.m.stride }, (_, w) => bind(load(e.buf, place(e.index, g.m, w), { lanes: g.m.lanes, loc: e.loc })));
        vars = apart(rows, g.m.lanes, bind) as readonly Var[];
        made.set(g.key, vars);
      }
      return vars[g.m.offset]!;
    };
    const x = s.kind === 'let' || s.kind === 'store' ? { ...s, value: swap(s.value) } : s;
    out.push(...before, x);
    written(s);
  }
  return out;
}

/** Turns complete groups of stores into contiguous stores, made where the last member stands. Values are computed where they were. */
function stores(run: readonly Stmt[]): readonly Stmt[] {
  const groups = new Map<string, Map<number, number>>(), last = new Map<number, readonly number[]>();
  // Groups of one buffer grow side by side while they cannot meet: same rows, same stride, blocks apart. A load from the buffer, or any other store
  // to it, ends them all.
  const epoch = new Map<number, number>(), open = new Map<number, { readonly family: string; readonly starts: Set<number> }>();
  const touch = (buf: Buffer): void => { epoch.set(buf.id, (epoch.get(buf.id) ?? 0) + 1); open.delete(buf.id); };
  const reads = (e: Expr): void => { if (e.kind === 'load') touch(e.buf); operands(e).forEach(reads); };
  run.forEach((s, i) => {
    if (s.kind !== 'let' && s.kind !== 'store') return;
    reads(s.value);
    if (s.kind !== 'store') return;
    s.index.forEach(reads);
    const m = member(s.buf, s.index, s.value.lanes);
    if (!m) return touch(s.buf);
    const { start, family } = m, near = open.get(s.buf.id);
    const fits = near && near.family === family && [...near.starts].every((x) => x === start || Math.abs(x - start) >= m.stride * m.lanes);
    if (near && !fits) touch(s.buf);
    let key = `${m.key} @${epoch.get(s.buf.id) ?? 0}`;
    if (groups.get(key)?.has(m.offset)) {
      touch(s.buf);
      key = `${m.key} @${epoch.get(s.buf.id) ?? 0}`;
    }
    const at = groups.get(key) ?? new Map<number, number>(), side = open.get(s.buf.id) ?? { family, starts: new Set<number>() };
    groups.set(key, at.set(m.offset, i));
    side.starts.add(start);
    open.set(s.buf.id, side);
    if (at.size === m.stride) last.set(i, Array.from({ length: m.stride }, (_, u) => at.get(u)!));
  });
  const moved = new Set([...last.values()].flat()), values = new Map<number, Var>();
  return run.flatMap((s, i): Stmt[] => {
    if (!moved.has(i) || s.kind !== 'store') return [s];
    const out: Stmt[] = [], bind = (x: Expr): Expr => { const l = named(s.buf.name.toLowerCase(), x, s.loc); out.push(l); return l.v; };
    values.set(i, bind(s.value) as Var);
    const members = last.get(i);
    if (members) {
      const m = member(s.buf, s.index, s.value.lanes)!;
      together(members.map((j) => values.get(j)!), m.lanes, bind).forEach((value, w) => out.push({ ...s, index: place(s.index, m, w), value } satisfies Store));
    }
    return out;
  });
}

type Bind = (x: Expr) => Expr;
const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Replaces each pair of rows whose numbers differ in one bit by two shuffles of them. */
function pairs(rows: readonly Expr[], bit: number, first: readonly number[], second: readonly number[], bind: Bind): readonly Expr[] {
  const out = [...rows];
  for (const w of range(rows.length)) {
    if (w & bit) continue;
    const a = rows[w]!, b = rows[w | bit]!;
    out[w] = bind(shuffle(a, b, first));
    out[w | bit] = bind(shuffle(a, b, second));
  }
  return out;
}

/*
 * The number of an element in the block is a row of bits: the upper ones choose a vector, the lower ones a lane. Reading a block apart makes its
 * lowest bits (which access) choose the vector and the others the lane. With as many accesses as lanes, or more, bit by bit changes places; with
 * fewer, the lowest lane bit becomes a vector bit and that one the topmost lane bit, once for each bit.
 */

/** Vectors of a contiguous block to vectors with stride `rows.length`. */
function apart(rows: readonly Expr[], lanes: number, bind: Bind): readonly Expr[] {
  const count = rows.length, even = range(lanes).map((i) => 2 * i), odd = even.map((i) => i + 1);
  if (count >= lanes) return order(swapBits(rows, lanes, bind), lanes, false);
  let out = rows;
  for (let bit = 1; bit < count; bit *= 2) out = pairs(out, bit, even, odd, bind);
  return out;
}

/** Vectors with stride `rows.length` to those of the contiguous block. */
function together(rows: readonly Expr[], lanes: number, bind: Bind): readonly Expr[] {
  const count = rows.length;
  if (count >= lanes) return swapBits(order(rows, lanes, true), lanes, bind);
  const zip = (from: number): number[] => range(lanes).map((i) => from + Math.floor(i / 2) + (i % 2) * lanes);
  let out = rows;
  for (let bit = count / 2; bit >= 1; bit /= 2) out = pairs(out, bit, zip(0), zip(lanes / 2), bind);
  return out;
}

/** Every lane bit changes places with a vector bit. */
function swapBits(rows: readonly Expr[], lanes: number, bind: Bind): readonly Expr[] {
  let out = rows;
  for (let d = 1; d < lanes; d *= 2) {
    const first = range(lanes).map((i) => (i & d ? i - d + lanes : i)), second = range(lanes).map((i) => (i & d ? i + lanes : i + d));
    out = pairs(out, d * (rows.length / lanes), first, second, bind);
  }
  return out;
}

/** Access u = block * lanes + row is, after the exchange, vector row * (count / lanes) + block; or the way back. */
function order(rows: readonly Expr[], lanes: number, back: boolean): readonly Expr[] {
  const blocks = rows.length / lanes, out: Expr[] = new Array<Expr>(rows.length);
  for (const u of range(rows.length)) {
    const w = (u % lanes) * blocks + Math.floor(u / lanes);
    if (back) out[w] = rows[u]!;
    else out[u] = rows[w]!;
  }
  return out;
}

