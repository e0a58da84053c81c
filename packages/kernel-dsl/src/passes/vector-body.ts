import { DslError } from '../errors/index.ts';
import { add, block, broadcast, bytesOf, constant, isConst, load, mapExpr, mapOperands, mul, newBuffer, newVar, operands, printExpr, shuffle, sub, substituteExpr } from '../ir/index.ts';
import type { Accum, Buffer, DType, Expr, For, Let, Load, Stmt, Store, Var } from '../ir/index.ts';
import { simplifyExpr } from './affine.ts';
import type { Chunk } from './lanes.ts';

/** Translates the body of one vector loop: every statement becomes one statement for each chunk of lanes. */
interface Scope {
  readonly loop: For;
  readonly chunks: readonly Chunk[];
  readonly lanes: number;
  /** Names whose value differs from lane to lane: their vectors, one a chunk. */
  readonly vectors: Map<number, readonly Var[]>;
  /** Names for indices that differ from lane to lane: the arithmetic itself. */
  readonly indices: Map<number, Expr>;
  /** Buffers made inside of the loop: one element a lane, in a new innermost dimension. */
  readonly own: Map<number, Buffer>;
}

/**
 * The body of vector loop `loop` for all its lanes, without the loop.
 * A statement runs for all lanes before the next one starts, so loops inside are entered once.
 */
export function vectorBody(loop: For, lanes: number, chunks: readonly Chunk[]): readonly Stmt[] {
  return statements(loop.body, { loop, chunks, lanes, vectors: new Map(), indices: new Map(), own: new Map() });
}

/** Does this value differ from lane to lane? */
function varies(e: Expr, sc: Scope): boolean {
  if (e.kind === 'var') return e.id === sc.loop.v.id || sc.vectors.has(e.id) || sc.indices.has(e.id);
  if (e.kind === 'load' && sc.own.has(e.buf.id)) return true;
  return operands(e).some((x) => varies(x, sc));
}

/** e = base + coef * v, where neither depends on the lane. */
interface Affine { readonly base: Expr; readonly coef: Expr }

function affine(e: Expr, sc: Scope): Affine | undefined {
  if (e.dtype !== 'i64' || e.lanes !== 1) return undefined;
  if (!varies(e, sc)) return { base: e, coef: constant(0) };
  if (e.kind === 'var') {
    if (e.id === sc.loop.v.id) return { base: constant(0), coef: constant(1) };
    const index = sc.indices.get(e.id);
    return index && affine(index, sc);
  }
  if (e.kind !== 'binary') return undefined;
  const a = affine(e.a, sc), b = affine(e.b, sc);
  if (!a || !b) return undefined;
  const of = (base: Expr, coef: Expr): Affine => ({ base: simplifyExpr(base), coef: simplifyExpr(coef) });
  if (e.fn === 'add') return of(add(a.base, b.base), add(a.coef, b.coef));
  if (e.fn === 'sub') return of(sub(a.base, b.base), sub(a.coef, b.coef));
  if (e.fn === 'mul' && isConst(b.coef, 0)) return of(mul(a.base, b.base), mul(a.coef, b.base));
  if (e.fn === 'mul' && isConst(a.coef, 0)) return of(mul(a.base, b.base), mul(a.base, b.coef));
  return undefined;
}

/** Base of a chunk's first lane. */
const from = (a: Affine, c: Chunk): Expr => simplifyExpr(add(a.base, mul(a.coef, constant(c.start))));

/** The values of e in the lanes of a chunk; a scalar where all lanes agree. */
function vector(e: Expr, k: number, sc: Scope): Expr {
  if (!varies(e, sc)) return e;
  const chunk = sc.chunks[k]!, a = affine(e, sc);
  if (a) return chunk.lanes === 1 || isConst(a.coef, 0) ? from(a, chunk) : { kind: 'ramp', dtype: 'i64', lanes: chunk.lanes, base: from(a, chunk), stride: a.coef, loc: e.loc };
  switch (e.kind) {
    case 'var': return sc.vectors.get(e.id)?.[k] ?? vector(sc.indices.get(e.id)!, k, sc);
    case 'load': {
      const row = repeatedRow(e, k, sc);
      if (row) return row;
      const at = address(e.buf, e.index, e.as, k, sc);
      return load(at.buf, at.index, { lanes: at.lanes, as: e.as, loc: e.loc });
    }
    case 'ramp': case 'broadcast': case 'reduce': case 'shuffle':
      throw new DslError('KD-L-VECTOR-NEST', { axis: sc.loop.v.name, inner: `vector value (${printExpr(e)})` }, { loc: e.loc ?? sc.loop.loc, step: sc.loop.step });
    default: return mapOperands(e, (x) => vector(x, k, sc));
  }
}

/**
 * A load whose lanes walk over a few neighbours and start over, such as word[lane mod 4]: those few, and a shuffle that repeats them.
 * Undefined for every other load.
 */
function repeatedRow(e: Load, k: number, sc: Scope): Expr | undefined {
  const chunk = sc.chunks[k]!, last = e.index.at(-1), step = e.as ? bytesOf(e.as) : 1;
  if (chunk.lanes < 4 || !last || sc.own.has(e.buf.id) || e.buf.strided || affine(last, sc) || readsMemory(last) || e.index.slice(0, -1).some((x) => varies(x, sc))) return undefined;
  const places = Array.from({ length: chunk.lanes }, (_, i) => simplifyExpr(substituteExpr(unfold(last, sc), new Map([[sc.loop.v.id, constant(chunk.start + i)]]))));
  const apart = places.map((x) => simplifyExpr(sub(x, places[0]!)));
  const found = apart.findIndex((d, i) => i > 0 && isConst(d, 0)), period = found < 0 ? chunk.lanes : found;
  if (period < 2 || (period & (period - 1)) !== 0 || !apart.every((d, i) => isConst(d, (i % period) * step))) return undefined;
  const row = load(e.buf, [...e.index.slice(0, -1), places[0]!], { lanes: period, as: e.as, loc: e.loc });
  return period === chunk.lanes ? row : shuffle(row, row, apart.map((_, i) => i % period));
}

/** An index without the names that stand for lane-dependent indices. */
const unfold = (e: Expr, sc: Scope): Expr => mapExpr(e, (x) => (x.kind === 'var' ? sc.indices.get(x.id) ?? x : x));

interface Address {
  readonly buf: Buffer;
  readonly index: readonly Expr[];
  readonly lanes: number;
  /** All lanes in one place; neighbours; places known to differ; or anywhere. */
  readonly kind: 'same' | 'row' | 'apart' | 'anywhere';
}

/** Where the lanes of a chunk lie in a buffer. `step`: how far the next lane is in a row; 2 for stores to packed tensors, which write bytes. */
function address(buf: Buffer, index: readonly Expr[], as: DType | undefined, k: number, sc: Scope, step = 1): Address {
  const chunk = sc.chunks[k]!, own = sc.own.get(buf.id);
  if (own) {
    const at = index.map((x) => vector(x, k, sc)), lane = constant(chunk.start);
    if (at.every((x) => x.lanes === 1)) return { buf: own, index: [...at, lane], lanes: chunk.lanes, kind: 'row' };
    return { buf: own, index: [...at, { kind: 'ramp', dtype: 'i64', lanes: chunk.lanes, base: lane, stride: constant(1) }], lanes: chunk.lanes, kind: 'apart' };
  }
  const parts = index.map((x) => affine(x, sc)), last = parts.at(-1);
  if (parts.every((p) => p && isConst(p.coef, 0))) return { buf, index: parts.map((p) => p!.base), lanes: 1, kind: 'same' };
  if (last && isConst(last.coef, as ? bytesOf(as) : step) && parts.slice(0, -1).every((p) => p && isConst(p.coef, 0)))
    return { buf, index: parts.map((p) => from(p!, chunk)), lanes: chunk.lanes, kind: 'row' };
  const at = index.map((x) => vector(x, k, sc));
  const apart = parts.some((p) => p && isConst(p.coef) && p.coef.value !== 0);
  // Arithmetic may cancel the variable after all; a load of many lanes from one place would read neighbours.
  if (chunk.lanes > 1 && at.every((x) => x.lanes === 1)) return { buf, index: at, lanes: 1, kind: 'same' };
  return { buf, index: at, lanes: chunk.lanes, kind: apart ? 'apart' : 'anywhere' };
}

function statements(s: Stmt, sc: Scope): readonly Stmt[] {
  const body = (x: Stmt): Stmt => block(statements(x, sc));
  const at = { loc: s.loc ?? sc.loop.loc, step: sc.loop.step };
  switch (s.kind) {
    case 'block': return s.body.flatMap((x) => statements(x, sc));
    case 'for':
      if (s.loop !== 'seq') throw new DslError('KD-L-VECTOR-NEST', { axis: sc.loop.v.name, inner: `${s.loop} loop (${s.v.name})` }, at);
      if (varies(s.extent, sc)) throw new DslError('KD-L-VECTOR-LOOP', { axis: sc.loop.v.name, inner: s.v.name, extent: printExpr(s.extent) }, at);
      return [{ ...s, body: body(s.body) }];
    case 'while':
      for (const e of [s.cond, s.max]) if (varies(e, sc)) throw new DslError('KD-L-VECTOR-WHILE', { axis: sc.loop.v.name, cond: printExpr(e) }, at);
      return [{ ...s, body: body(s.body) }];
    case 'atomic': throw new DslError('KD-L-VECTOR-ATOMIC', { axis: sc.loop.v.name, cell: `${s.buf.name}[${s.index.map(printExpr).join(', ')}]` }, at);
    case 'print': throw new DslError('KD-L-VECTOR-PRINT', { axis: sc.loop.v.name }, at);
    case 'if': case 'assume':
      if (varies(s.cond, sc)) throw new DslError('KD-L-VECTOR-IF', { axis: sc.loop.v.name, cond: printExpr(s.cond) }, at);
      return [s.kind === 'assume' ? s : { ...s, then: body(s.then), else: s.else && body(s.else) }];
    case 'let': return letVectors(s, sc);
    case 'alloc': {
      const { id, ...facts } = s.buf, buf = newBuffer({ ...facts, shape: [...s.buf.shape, constant(sc.lanes)] });
      sc.own.set(id, buf);
      return [{ ...s, buf }];
    }
    case 'store': case 'accum': return write(s, sc);
    case 'region': return [{ ...s, body: body(s.body) }];
    case 'call': throw new DslError('KD-L-VECTOR-NEST', { axis: sc.loop.v.name, inner: `call (${s.fn.name})` }, at);
    case 'instr': throw new DslError('KD-L-VECTOR-NEST', { axis: sc.loop.v.name, inner: `instruction (${s.def.name})` }, at);
    case 'barrier': return [s];
  }
}

const readsMemory = (e: Expr): boolean => e.kind === 'load' || operands(e).some(readsMemory);

function letVectors(s: Let, sc: Scope): readonly Stmt[] {
  if (!varies(s.value, sc)) return [s];
  if (s.v.dtype === 'i64' && !readsMemory(s.value)) {
    sc.indices.set(s.v.id, s.value);
    return [];
  }
  const values = sc.chunks.map((c, k) => broadcast(vector(s.value, k, sc), c.lanes));
  const vars = values.map((x, k) => newVar(values.length > 1 ? `${s.v.name}_${k}` : s.v.name, s.v.dtype, x.lanes, s.v.loc));
  sc.vectors.set(s.v.id, vars);
  return vars.map((v, k) => ({ ...s, v, value: values[k]! }));
}

function write(s: Store | Accum, sc: Scope): readonly Stmt[] {
  const fail = (id: 'KD-L-VECTOR-SAME' | 'KD-L-VECTOR-REDUCE' | 'KD-L-VECTOR-SCATTER'): never => {
    throw new DslError(id, { axis: sc.loop.v.name, cell: `${s.buf.name}[${s.index.map(printExpr).join(', ')}]` }, { loc: s.loc ?? sc.loop.loc, step: sc.loop.step });
  };
  const out: Stmt[] = [];
  for (const k of sc.chunks.keys()) {
    const { buf, index, lanes, kind } = address(s.buf, s.index, undefined, k, sc, s.buf.packed ? 2 : 1);
    if (s.kind === 'accum' && kind === 'same') fail('KD-L-VECTOR-REDUCE');
    if (s.kind === 'accum' && kind === 'anywhere') fail('KD-L-VECTOR-SCATTER');
    if (kind === 'same' && varies(s.value, sc)) fail('KD-L-VECTOR-SAME');
    if (kind === 'same') return [{ ...s, index }];
    out.push({ ...s, buf, index, value: broadcast(vector(s.value, k, sc), lanes) });
  }
  return out;
}
