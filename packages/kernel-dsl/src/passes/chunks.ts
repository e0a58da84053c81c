import { COPY_CHUNK, FETCH_CHUNK, STORE_CHUNK } from '../instructions/index.ts';
import type { ChunkFunction } from '../instructions/index.ts';
import { add, binary, block, bytesOf, cast, compare, constant, isConst, mul, newBuffer, newVar, select, sub, substituteExpr, visitStmt } from '../ir/index.ts';
import type { Buffer, CallArg, Expr, If, Stmt, Store, Var } from '../ir/index.ts';

/** Bytes that a lane copies at once. */
export const CHUNK = 16;

/** A tile: all its places in a ring, how the chunks of its rows are swizzled (0: they lie as they are, and may be words), and the register that holds the place in use, where it is of a ring. */
export interface Tile { readonly buf: Buffer; readonly swizzle: number; readonly slot: Buffer | undefined }

/** A bulk copy by the lanes of a workgroup, each of which takes some chunks of the tile. */
export interface Copies {
  /** Copies a part of the tile of the iteration, number `part` of `parts`, to a place of the ring. */
  readonly copy: (slot: Expr, part?: number, parts?: number) => Stmt;
  /** Fetches it to registers; `keep` stores them. */
  readonly fetch: () => Stmt;
  readonly keep: (slot: Expr) => Stmt;
  readonly held: Buffer;
}

/** What a bulk copy says of itself: its store, and where an element exists: the row in its dimension, the column in its own. */
function read(s: Stmt): { readonly store: Store; readonly from: Extract<Expr, { kind: 'load' }>; readonly row: Expr } {
  let store: Store | undefined, guard: If | undefined;
  visitStmt(s, (x) => {
    if (x.kind === 'if') guard = x;
    if (x.kind === 'store' && x.value.kind === 'load') store ??= x;
  });
  if (store?.value.kind !== 'load' || guard?.cond.kind !== 'binary') throw new Error('a bulk copy is a guarded copy');
  return { store, from: store.value, row: guard.cond.a };
}

/** The chunks of a bulk copy, dealt out over lanes: neighbours take neighbouring chunks of a row. */
export function chunkCopies(s: Stmt, tile: Tile, thread: Var, lanes: number): Copies {
  const { store, from, row: exists } = read(s), { buf } = from, size = bytesOf(buf.dtype), words = tile.swizzle ? 4 : 1, per = (4 * words) / size, at = { loc: s.loc, step: s.step };
  const shape = store.buf.shape.map((e) => (isConst(e) ? e.value : 0)), rows = shape.at(-2)!, wide = shape.at(-1)! / per, total = shape.slice(0, -1).reduce((x, y) => x * y, wide), each = Math.ceil(total / lanes);
  const held = newBuffer({ name: `${buf.name}_next`, dtype: 'u32', space: 'local', shape: [constant(words * each)], loc: s.loc });
  /** What is done with each of so many chunks of the lane: where it lies in the tile and in the tensor, and how many elements from it on exist. */
  const chunks = (first: number, count: number, what: (x: { readonly q: Expr; readonly place: readonly Expr[]; readonly from: CallArg; readonly left: CallArg }) => Stmt): Stmt => {
    if (count <= 0) return block([]);
    // Whole rows at once, where lanes allow: then a lane's chunk of a row is always the same.
    const v = newVar('q'), q = add(v, constant(first)), flat = add(mul(q, constant(lanes)), thread), even = lanes % wide === 0;
    const line = even ? add(mul(q, constant(lanes / wide)), binary('div', thread, constant(wide))) : binary('div', flat, constant(wide)), chunk = binary('mod', even ? thread : flat, constant(wide));
    const piece = shape.length > 2 ? [binary('div', line, constant(rows))] : [], row = shape.length > 2 ? binary('mod', line, constant(rows)) : line;
    const where = new Map([...piece, row, mul(chunk, constant(per))].map((e, d): [number, Expr] => [(store.index[d] as Var).id, e])), index = from.index.map((e) => substituteExpr(e, where));
    const left = select(substituteExpr(exists, where), sub(buf.shape.at(-1)!, index.at(-1)!), constant(0));
    const swizzled = mul(tile.swizzle ? binary('xor', chunk, mul(binary('mod', row, constant(tile.swizzle)), constant(8 / tile.swizzle))) : chunk, constant(per));
    const one = what({ q, place: [...piece, row, swizzled], from: { kind: 'place', buf, index, writes: false, chunk: per }, left: { kind: 'value', value: cast(left, 'i32') } });
    const body: Stmt = total % lanes === 0 ? one : { kind: 'if', cond: compare('lt', flat, constant(total)), then: one, ...at };
    return { kind: 'for', v, extent: constant(count), loop: 'seq', unrolled: true, body, ...at };
  };
  const call = ({ fn, unaligned }: ChunkFunction, ...args: readonly CallArg[]): Stmt => ({ kind: 'call', fn, unaligned, args, ...at });
  const registers = (q: Expr, writes: boolean): CallArg => ({ kind: 'place', buf: held, index: [mul(q, constant(words))], writes });
  return {
    held,
    copy: (slot, part = 0, parts = 1) => {
      const share = Math.ceil(each / parts), first = part * share;
      return chunks(first, Math.min(share, each - first), (x) => call(COPY_CHUNK(size, words), { kind: 'place', buf: tile.buf, index: [slot, ...x.place], writes: true }, x.from, x.left));
    },
    fetch: () => chunks(0, each, (x) => call(FETCH_CHUNK(size, words), registers(x.q, true), x.from, x.left)),
    keep: (slot) => chunks(0, each, (x) => ({ kind: 'call', fn: STORE_CHUNK(words), args: [{ kind: 'place', buf: tile.buf, index: [slot, ...x.place], writes: true }, registers(x.q, false)], ...at })),
  };
}
