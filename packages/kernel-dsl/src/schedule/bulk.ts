import { DslError } from '../errors/index.ts';
import { add, affine, and, block, bytesOf, constant, exprKey, load, lt, mapExpr, mapExprs, mapStmt, mul, newBuffer, newVar, printExpr, sameExpr, upperBound, visitStmt } from '../ir/index.ts';
import type { Affine, Buffer, Expr, For, If, Instruction, Stmt, Var } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { accesses } from './access.ts';
import { conjuncts } from './mark.ts';
import { findLoop, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';
import { tileOf } from './tile.ts';

/**
 * Copies the tile of a tensor that one iteration of a loop of a workgroup uses into shared memory, in rows of 128 bytes, whose 16-byte chunks lie swizzled as products
 * of teams take them; zeros outside of the tensor. The copy engine does it for warpgroups, the lanes themselves for warps. Rows of several times 128 bytes are cut into
 * pieces, the first of all rows before the second; rows of bytes of another length, blocks of a format, lie as they are. Dimensions that the tile takes one index of come along. Belongs to programs of teams: the loop lies outside of them.
 */
export function bulk(st: State, name: string, axis: Axis, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-BULK', { name, axis: axis.name, why }, at); };
  if (!st.target.features.includes('tma') && !st.target.features.includes('ldmatrix')) throw new DslError('KD-S-NEEDS', { name: 'bulk copies', missing: 'tma or ldmatrix', isa: st.target.isa }, at);
  const param = st.ir.params.find((p) => p.kind === 'tensor' && p.name === name);
  if (param?.kind !== 'tensor') throw new DslError('KD-S-UNKNOWN', { what: `tensor ${name}` }, at);
  const src: Buffer = param.buf, { loop, path } = findLoop(st, axis, at);
  if (path.some((s) => s.kind === 'for' && (s.loop.startsWith('team.') || s.loop.startsWith('lane.')))) return refuse('it lies inside of a team');
  if (loop.loop !== 'seq' && !loop.loop.startsWith('block.')) return refuse(`it is ${loop.loop}`);
  if (src.shape.length < 2 || src.shape.length > 5 || src.strided || src.packed) return refuse(`${name} is no tensor of 2 to 5 dimensions whose rows are dense`);
  const uses = accesses(loop.body, src);
  visitStmt(loop.body, (x) => { if (x.kind === 'instr' && x.def.name === 'copy_tile' && accesses(x, src).length > 0) refuse('it is copied there already'); });
  if (uses.length === 0) throw new DslError('KD-S-STAGE-WHERE', { name, axis: axis.name }, at);
  if (uses.some((u) => u.kind !== 'load' || (src.dtype !== 'u8' && u.chain[0]!.kind === 'load' && u.chain[0].as))) return refuse('it is written there, or its bytes are read as another dtype');
  const inner = new Map<number, For>();
  visitStmt(loop.body, (s) => { if (s.kind === 'for') inner.set(s.v.id, s); });
  const tile = tileOf(src, uses, inner, (why) => refuse(why), (l) => { throw new DslError('KD-S-BOUND', { verb: `bulk(${name})`, axis: l.v.name }, at); });
  const last = src.shape.length - 1, tall = tile.dims.flatMap((d, i) => (i < last && d.n > 1 ? [i] : [])), across = tall[0] ?? last - 1;
  if (tall.length > 1) return refuse(`it takes several indices of dimensions ${tall.join(' and ')}, rows and columns are two`);
  const rows = tile.dims[across]!.n, cols = tile.dims[last]!.n, plain = src.dtype === 'u8' && cols % 128 !== 0 && cols % 4 === 0, deep = plain ? cols : 128 / bytesOf(src.dtype), pieces = cols / deep;
  if (!Number.isInteger(pieces)) return refuse(`its rows of ${cols} elements have ${cols * bytesOf(src.dtype)} bytes, not 128 or a multiple`);
  if (rows > 256 || rows % 8 !== 0) return refuse(`it has ${rows} rows: a multiple of 8 up to 256 is needed`);
  const ids = new Set(inner.keys());
  // Values of several bytes lie within the tile too.
  const reach = (e: Expr): number => { const a = affine(tile.dims[last]!.within(e), ids)!; return [...a.terms.values()].reduce((n, t) => n + Math.max(0, t.coef * ((upperBound(inner.get(t.v.id)!.extent) ?? Infinity) - 1)), a.offset); };
  for (const u of uses) { const l = u.chain[0]!; if (l.kind === 'load' && l.as && (!plain || reach(l.index.at(-1)!) + bytesOf(l.as) > cols)) return refuse(`values of ${l.as} in it go beyond its columns`); }
  /** Where a column lies: its piece, and its place there. The loops over columns are split where pieces end. */
  const column = (e: Expr): readonly [Expr, Expr] => {
    const a = affine(tile.dims[last]!.within(e), ids)!, whole = Math.floor(a.offset / deep);
    let piece: Expr = constant(whole), place: Expr = constant(a.offset - whole * deep), most = a.offset - whole * deep;
    for (const { v, coef } of a.terms.values()) {
      if (coef % deep === 0) { piece = add(piece, mul(v, constant(coef / deep))); continue; }
      place = add(place, mul(v, constant(coef)));
      most += coef * ((upperBound(inner.get(v.id)!.extent) ?? Infinity) - 1);
    }
    return coefsArePositive(a) && most < deep ? [piece, place] : refuse(`its columns at ${printExpr(e)} go beyond pieces of ${deep}: split that loop by ${deep}`);
  };
  const buf = newBuffer({ name: `${name}_shared`, dtype: src.dtype, space: 'shared', shape: [...(pieces > 1 ? [constant(pieces)] : []), constant(rows), constant(deep)], loc: at.loc });
  const placed = (index: readonly Expr[]): readonly Expr[] => { const row = tile.dims[across]!.within(index[across]!); return pieces > 1 ? (([p, c]) => [p, row, c])(column(index[last]!)) : [row, tile.dims[last]!.within(index[last]!)]; };
  // What is not there reads as zero: a guard may say so, of the tensor's own edges and nothing else.
  const isEdge = (c: Expr, index: readonly Expr[]): boolean => {
    const a = c.kind === 'cmp' && c.fn === 'lt' ? affine(c.a, ids) : undefined;
    return a !== undefined && c.kind === 'cmp' && index.some((e, d) => { const m = affine(e, ids); return m && sameExpr(c.b, src.shape[d]!) && exprKey(m.rest) === exprKey(a.rest) && m.offset === a.offset && m.terms.size === a.terms.size && [...m.terms].every(([id, t]) => a.terms.get(id)?.coef === t.coef); });
  };
  for (const u of uses) for (const c of [...u.guards, ...u.pads].flatMap(conjuncts)) {
    const a = c.kind === 'cmp' && c.fn === 'lt' ? affine(c.a, ids) : undefined;
    const mine = a && [...a.terms.keys()].some((id) => u.index.some((e) => affine(e, ids)?.terms.has(id)));
    if (!isEdge(c, u.index) && mine) return refuse(`the condition ${printExpr(c)} around it is not that an element exists`);
  }
  // A sum of products asks no more whether the elements are there: a product with zero adds nothing (but NaN, where the other factor is infinite or NaN).
  const asks = (s: Stmt): boolean => s.kind === 'if' && !s.else && !s.pad && s.then.kind === 'accum' && s.then.fn === 'add' && begins(st.ir.body, s.then.buf) && factors(s.then.value).some((f) => f.kind === 'load' && f.buf.id === src.id && conjuncts(s.cond).every((c) => isEdge(c, f.index)));
  const lifted = mapStmt(loop.body, (s) => { if (!asks(s)) return s; st.reassociates = true; return (s as If).then; })!;
  const body = mapExprs(lifted, (e) => (e.kind === 'load' && e.buf.id === src.id ? load(buf, placed(e.index), { loc: e.loc, ...(e.as && { as: e.as }) }) : e));
  const p = newVar(`${name}_piece`), r = newVar(`${name}_row`), c = newVar(`${name}_col`), origin = { loc: at.loc, step: at.step };
  // The copy stands before the names that the body makes.
  const names = new Map<number, Expr>(), whole = (e: Expr): Expr => mapExpr(e, (x) => { const named = x.kind === 'var' ? names.get(x.id) : undefined; return named ? whole(named) : x; });
  for (const x of loop.body.kind === 'block' ? loop.body.body : []) if (x.kind === 'let') names.set(x.v.id, x.value);
  const index = tile.dims.map((d) => ({ ...d, origin: whole(d.origin) })).map((d, i) => (i === across ? add(d.origin, r) : i === last ? add(pieces > 1 ? add(d.origin, mul(p, constant(deep))) : d.origin, c) : d.origin));
  const store = (value: Expr): Stmt => ({ kind: 'store', buf, index: [...(pieces > 1 ? [p] : []), r, c], value, ...origin });
  const inside = [across, last].map((i) => lt(index[i]!, src.shape[i]!)).reduce(and), loopOver = (v: Var, n: number, b: Stmt): Stmt => ({ kind: 'for', v, extent: constant(n), loop: 'seq', ...origin, body: b });
  const rest = loopOver(r, rows, loopOver(c, deep, { kind: 'if', cond: inside, then: store(load(src, index)), else: store(constant(0, src.dtype)), ...origin })), copy = pieces > 1 ? loopOver(p, pieces, rest) : rest;
  const def: Instruction = { name: 'copy_tile', needs: [], passing: {}, exact: true, c: undefined, get meaning(): never { throw new Error('a bulk copy is told by its loops'); } };
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, body: block([{ kind: 'alloc', buf, ...origin }, { kind: 'instr', def, args: [], body: copy, ...origin }, body]) }));
  st.filled.add(buf.id);
}

const coefsArePositive = (a: Affine): boolean => [...a.terms.values()].every((t) => t.coef > 0);
/** Do sums begin wherever they may be added to: in registers, whose first store is under no condition? */
function begins(all: Stmt, sum: Buffer): boolean {
  const stores: boolean[] = [];
  const go = (s: Stmt, free: boolean): void => visitStmt(s, (x) => {
    if (x.kind === 'store' && x.buf.id === sum.id) stores.push(free);
    if (x.kind !== 'if' || x.pad || !free) return undefined;
    go(x.then, false);
    if (x.else) go(x.else, false);
    return false;
  });
  go(all, true);
  return sum.space !== 'param' && stores[0] === true;
}
/** The factors of a product, looked at through casts and through what keeps some bits of them: zero stays zero. */
const factors = (e: Expr): readonly Expr[] => (e.kind === 'cast' || e.kind === 'bitcast' ? factors(e.x) : e.kind === 'binary' && e.fn === 'and' ? factors(e.a) : e.kind === 'binary' && e.fn === 'mul' ? [...factors(e.a), ...factors(e.b)] : [e]);

/** The bulk copies at the start of a loop's body run `stages` - 1 iterations ahead of what uses them, into a ring of tiles. No bit changes. */
export function ring(st: State, axis: Axis, stages: number, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-PIPELINE', { axis: axis.name, stages, why }, at); };
  if (!Number.isInteger(stages) || stages < 2) return refuse('a ring has two tiles or more');
  const { loop } = findLoop(st, axis, at), list = loop.body.kind === 'block' ? loop.body.body : [loop.body];
  if (loop.loop !== 'seq') return refuse(`it is ${loop.loop}`);
  if (!list.some((s) => s.kind === 'instr' && s.def.name === 'copy_tile')) return refuse('no bulk copy is in its body');
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, ring: stages }));
}

/**
 * The products that the body of a ring's loop begins with are asked for one iteration ahead; what stands between them and the products that it ends with is done
 * while both run. No bit changes.
 */
export function overlap(st: State, axis: Axis, at: At): void {
  const { loop } = findLoop(st, axis, at), count = teamProducts(loop.body);
  if (!loop.ring) throw new DslError('KD-S-OVERLAP', { axis: axis.name, why: 'it has no ring' }, at);
  if (count < 2) throw new DslError('KD-S-OVERLAP', { axis: axis.name, why: `its body has ${count} of the teams' products` }, at);
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, overlap: true }));
}

/** How many loops of teams under a statement hold products. */
function teamProducts(s: Stmt): number {
  let n = 0;
  visitStmt(s, (x) => {
    if (x.kind !== 'for' || !x.loop.startsWith('team.')) return;
    let any = false;
    visitStmt(x.body, (y) => { any ||= y.kind === 'instr' && y.def.team !== undefined; });
    if (any) n++;
  });
  return n;
}

/**
 * The workgroups of two block loops, one directly in the other, stay: `workgroups` of them share all tiles, and copy ahead for the next one while they finish the
 * last. Tiles come in bands of `group` iterations of the outer loop, so that neighbours in time share rows and columns. Nothing but the order changes.
 */
export function persistent(st: State, outer: Axis, inner: Axis, o: { readonly workgroups: number; readonly group: number }, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-PERSISTENT', { outer: outer.name, inner: inner.name, why }, at); };
  const a = findLoop(st, outer, at).loop, b = findLoop(st, inner, at).loop;
  if (a.body !== b) return refuse('the second is not directly inside of the first');
  if (!a.loop.startsWith('block.') || !b.loop.startsWith('block.')) return refuse('they are not bound to workgroups');
  for (const [name, n] of Object.entries(o)) if (!Number.isInteger(n) || n < 1) refuse(`${name} is ${n}`);
  setBody(st, replaceStmt(st.ir.body, a, { ...a, persistent: o }));
}
