import { DslError } from '../errors/index.ts';
import { affine, block, bytesOf, constant, exprKey, load, mapExprs, newBuffer, newVar, printExpr, sameExpr, visitStmt, add, lt, and } from '../ir/index.ts';
import type { Buffer, Expr, For, Instruction, Stmt } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { accesses } from './access.ts';
import { conjuncts } from './mark.ts';
import { findLoop, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';
import { tileOf } from './tile.ts';

/**
 * Copies the tile of a matrix that one iteration of a loop of a workgroup uses into shared memory, by the copy engine: rows of 128 bytes, whose 16-byte chunks
 * lie swizzled as products of warpgroups take them; zeros outside of the matrix. Belongs to programs of teams: the loop lies outside of them.
 */
export function bulk(st: State, name: string, axis: Axis, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-BULK', { name, axis: axis.name, why }, at); };
  if (!st.target.features.includes('tma')) throw new DslError('KD-S-NEEDS', { name: 'bulk copies', missing: 'tma', isa: st.target.isa }, at);
  const param = st.ir.params.find((p) => p.kind === 'tensor' && p.name === name);
  if (param?.kind !== 'tensor') throw new DslError('KD-S-UNKNOWN', { what: `tensor ${name}` }, at);
  const src: Buffer = param.buf, { loop, path } = findLoop(st, axis, at);
  if (path.some((s) => s.kind === 'for' && (s.loop.startsWith('team.') || s.loop.startsWith('lane.')))) return refuse('it lies inside of a team');
  if (loop.loop !== 'seq') return refuse(`it is ${loop.loop}`);
  if (src.shape.length !== 2 || src.strided || src.packed) return refuse(`${name} is no matrix whose rows are dense`);
  const uses = accesses(loop.body, src);
  if (uses.length === 0) throw new DslError('KD-S-STAGE-WHERE', { name, axis: axis.name }, at);
  if (uses.some((u) => u.kind !== 'load' || (u.chain[0]!.kind === 'load' && u.chain[0].as))) return refuse('it is written there, or its bytes are read as another dtype');
  const inner = new Map<number, For>();
  visitStmt(loop.body, (s) => { if (s.kind === 'for') inner.set(s.v.id, s); });
  const tile = tileOf(src, uses, inner, (why) => refuse(why), (l) => { throw new DslError('KD-S-BOUND', { verb: `bulk(${name})`, axis: l.v.name }, at); });
  const [rows, cols] = tile.dims.map((d) => d.n) as [number, number];
  if (cols * bytesOf(src.dtype) !== 128) return refuse(`its rows of ${cols} elements have ${cols * bytesOf(src.dtype)} bytes, not 128`);
  if (rows > 256 || rows % 8 !== 0) return refuse(`it has ${rows} rows: a multiple of 8 up to 256 is needed`);
  // What is not there reads as zero: a guard may say so, of the matrix's own edges and nothing else.
  const ids = new Set(inner.keys());
  for (const u of uses) for (const c of [...u.guards, ...u.pads].flatMap(conjuncts)) {
    const a = c.kind === 'cmp' && c.fn === 'lt' ? affine(c.a, ids) : undefined;
    const edge = a && c.kind === 'cmp' && u.index.some((e, d) => { const m = affine(e, ids); return m && sameExpr(c.b, src.shape[d]!) && exprKey(m.rest) === exprKey(a.rest) && m.offset === a.offset && m.terms.size === a.terms.size && [...m.terms].every(([id, t]) => a.terms.get(id)?.coef === t.coef); });
    const mine = a && [...a.terms.keys()].some((id) => u.index.some((e) => affine(e, ids)?.terms.has(id)));
    if (!edge && mine) return refuse(`the condition ${printExpr(c)} around it is not that an element exists`);
  }
  const buf = newBuffer({ name: `${name}_shared`, dtype: src.dtype, space: 'shared', shape: [constant(rows), constant(cols)], loc: at.loc });
  const body = mapExprs(loop.body, (e) => (e.kind === 'load' && e.buf.id === src.id ? load(buf, e.index.map((x, d) => tile.dims[d]!.within(x)), { loc: e.loc }) : e));
  const r = newVar(`${name}_row`), c = newVar(`${name}_col`), index = [add(tile.dims[0]!.origin, r), add(tile.dims[1]!.origin, c)], origin = { loc: at.loc, step: at.step };
  const store = (value: Expr): Stmt => ({ kind: 'store', buf, index: [r, c], value, ...origin });
  const inside = and(lt(index[0]!, src.shape[0]!), lt(index[1]!, src.shape[1]!));
  const copy: Stmt = { kind: 'for', v: r, extent: constant(rows), loop: 'seq', ...origin, body: { kind: 'for', v: c, extent: constant(cols), loop: 'seq', ...origin, body: { kind: 'if', cond: inside, then: store(load(src, index)), else: store(constant(0, src.dtype)), ...origin } } };
  const def: Instruction = { name: 'copy_tile', needs: ['tma'], passing: {}, exact: true, c: undefined, get meaning(): never { throw new Error('a bulk copy is told by its loops'); } };
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, body: block([{ kind: 'alloc', buf, ...origin }, { kind: 'instr', def, args: [], body: copy, ...origin }, body]) }));
  st.filled.add(buf.id);
}

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
