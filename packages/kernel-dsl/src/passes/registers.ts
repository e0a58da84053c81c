import { DslError } from '../errors/index.ts';
import { block, buffersOf, constant, isConst, mapExpr, mapOwnExprs, mapStmt, newBuffer, printExpr, visitExprs, visitStmt } from '../ir/index.ts';
import type { Alloc, Buffer, Expr, Instr, InstrArg, KernelIR, Loc, Stmt } from '../ir/index.ts';
import { simplifyExpr } from './affine.ts';

/** One access to a register buffer: the constant index of its first element, and how many neighbours it takes. */
interface Access { readonly index: readonly number[]; readonly lanes: number }

/**
 * Gives every register a name: a `reg` buffer becomes one buffer for each scalar or vector that is used of it, e.g. C_reg: f32[6, 64] on
 * vectors of 16 becomes C_0_0 … C_5_3. After this a register has shape [] or [lanes] and is read and written whole. (Compilers keep named
 * vectors in registers at every optimisation level; arrays of them they may not.)
 * @throws DslError KD-L-REG-…: an index that is not constant, or accesses that overlap in part.
 */
export function registers(k: KernelIR): KernelIR {
  const names = new Set([...k.params.map((p) => p.name), ...k.sizes, ...[...buffersOf(k.body).values()].map(({ buf }) => buf.name)]);
  const split = new Map<number, ReadonlyMap<string, Buffer>>();
  const allocs: Alloc[] = [];
  visitStmt(k.body, (s) => { if (s.kind === 'alloc' && s.buf.space === 'reg') allocs.push(s); });
  if (allocs.length === 0) return k;
  const all = accesses(k.body, new Set(allocs.map((s) => s.buf.id)));
  for (const s of allocs) split.set(s.buf.id, splitBuffer(s, [...(all.get(s.buf.id)?.values() ?? [])], names));

  const named = (buf: Buffer, index: readonly Expr[], lanes: number): Buffer | undefined => {
    const parts = split.get(buf.id);
    return parts && parts.get(keyOf(constantAccess(buf, index, lanes, undefined)));
  };
  const zero = (b: Buffer): readonly Expr[] => b.shape.map(() => constant(0));
  const body = mapStmt(k.body, (s) => {
    if (s.kind === 'alloc') { const parts = split.get(s.buf.id); return parts ? block([...parts.values()].map((buf) => ({ ...s, buf }))) : s; }
    const x = mapOwnExprs(s, (e) => mapExpr(e, (y) => {
      const buf = y.kind === 'load' ? named(y.buf, y.index, y.lanes) : undefined;
      return y.kind === 'load' && buf ? { ...y, buf, index: zero(buf) } : y;
    }));
    if (x.kind === 'instr') return { ...x, args: x.args.map((a, i): InstrArg => {
      const buf = a.kind === 'place' ? named(a.buf, a.index, Math.max(1, a.lanes)) : undefined;
      return a.kind === 'place' && buf ? { ...a, buf, index: zero(buf), walk: denseWalk(x, i) } : a;
    }) };
    if (x.kind !== 'store' && x.kind !== 'accum') return x;
    const buf = named(x.buf, x.index, x.value.lanes);
    return buf ? { ...x, buf, index: zero(buf) } : x;
  });
  return { ...k, body: body ?? { kind: 'block', body: [] } };
}

/** How an operand walks over a register that holds it whole. */
function denseWalk(s: Instr, arg: number): readonly (readonly number[])[] {
  const p = s.def.meaning.params[arg];
  return p?.kind === 'tensor' ? p.buf.shape.map((_, k) => [p.buf.shape.slice(k + 1).reduce((n, e) => n * (isConst(e) ? e.value : 1), 1)]) : [];
}

const keyOf = (a: Access): string => `${a.index.join(',')}x${a.lanes}`;

function constantAccess(buf: Buffer, index: readonly Expr[], lanes: number, loc: Loc | undefined): Access {
  const at = index.map((e) => simplifyExpr(e)), bad = at.find((e) => !isConst(e));
  if (bad) throw new DslError('KD-L-REG-INDEX', { name: buf.name, index: printExpr(bad) }, { loc: bad.loc ?? loc ?? buf.loc });
  return { index: at.map((e) => (isConst(e) ? e.value : 0)), lanes };
}

/** Every different access to each register buffer, in order of appearance: writes, then what instructions touch, then reads. */
function accesses(body: Stmt, bufs: ReadonlySet<number>): ReadonlyMap<number, ReadonlyMap<string, Access>> {
  const found = new Map([...bufs].map((id) => [id, new Map<string, Access>()]));
  const see = (buf: Buffer, index: readonly Expr[], lanes: number, loc: Loc | undefined): void => {
    const of = found.get(buf.id);
    if (!of) return;
    const a = constantAccess(buf, index, lanes, loc);
    of.set(keyOf(a), a);
  };
  visitStmt(body, (s) => { if (s.kind === 'store' || s.kind === 'accum') see(s.buf, s.index, s.value.lanes, s.loc); });
  visitStmt(body, (s) => { if (s.kind === 'instr') for (const a of s.args) if (a.kind === 'place') see(a.buf, a.index, Math.max(1, a.lanes), s.loc); });
  visitExprs(body, (e, s) => { if (e.kind === 'load') see(e.buf, e.index, e.lanes, e.loc ?? s.loc); });
  return found;
}

/** The named registers of a buffer, by access, in the order of their elements. */
function splitBuffer(s: Alloc, all: readonly Access[], names: Set<string>): ReadonlyMap<string, Buffer> {
  const { buf } = s, at = { loc: s.loc ?? buf.loc, step: s.step };
  const shape = buf.shape.map((e) => {
    const n = simplifyExpr(e);
    if (!isConst(n)) throw new DslError('KD-L-REG-SHAPE', { name: buf.name, shape: buf.shape.map(printExpr).join(', ') }, at);
    return n.value;
  });
  const owner = new Map<number, Access>();
  for (const a of all) {
    const inside = a.index.every((x, d) => x >= 0 && x + (d === shape.length - 1 ? a.lanes : 1) <= shape[d]!);
    if (!inside) throw new DslError('KD-L-REG-RANGE', { name: buf.name, shape: shape.join(', '), index: `[${a.index.join(', ')}]` }, at);
    const first = a.index.reduce((o, x, d) => o * shape[d]! + x, 0);
    for (let l = first; l < first + a.lanes; l++) {
      const other = owner.get(l);
      if (other) throw new DslError('KD-L-REG-SLICE', { name: buf.name, a: describe(other), b: describe(a) }, at);
      owner.set(l, a);
    }
  }
  const conforms = shape.length === 0 || (shape.length === 1 && all.length === 1 && all[0]!.lanes === shape[0] && shape[0] > 1);
  if (conforms) return new Map(all.map((a) => [keyOf(a), buf]));

  const sorted = [...new Set([...owner].sort((x, y) => x[0] - y[0]).map(([, a]) => a))], stem = buf.name.replace(/_reg$/, '');
  const row = (a: Access): string => a.index.slice(0, -1).join();
  const { id: _, ...facts } = buf;
  return new Map(sorted.map((a) => {
    // The last number counts the registers of a row: vectors are not named by their first lane.
    const place = [...a.index.slice(0, -1), sorted.filter((b) => row(b) === row(a)).indexOf(a)];
    const name = sorted.length === 1 ? buf.name : unused(`${stem}_${place.join('_')}`, names);
    return [keyOf(a), newBuffer({ ...facts, name, shape: a.lanes === 1 ? [] : [constant(a.lanes)] })];
  }));
}

const describe = (a: Access): string => (a.lanes === 1 ? `element [${a.index.join(', ')}]` : `a vector of ${a.lanes} from [${a.index.join(', ')}]`);

function unused(name: string, names: Set<string>): string {
  let n = name;
  while (names.has(n)) n += '_';
  names.add(n);
  return n;
}
