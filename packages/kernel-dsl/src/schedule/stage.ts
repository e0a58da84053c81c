import { DslError } from '../errors/index.ts';
import { and, block, boundBy, buffersOf, bytesOf, constant, exprKey, identity, isConst, load, mapChildren, mapOperands, mapOwnExprs, newBuffer, newVar, operands, printExpr, substituteExpr, upperBound, usesVar, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, ReduceFn, Stmt, Var } from '../ir/index.ts';
import { Axis } from '../lang/index.ts';
import { accesses, foldable } from './access.ts';
import type { Access } from './access.ts';
import { conjuncts, holdsThroughout } from './mark.ts';
import { stageShared } from './shared.ts';
import type { StageOptions } from './stage-options.ts';
import { findLoop, refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';
import { variables } from './touch.ts';

interface Copy { readonly order: readonly For[]; readonly vars: readonly Var[]; readonly extents: readonly Expr[]; readonly rename: (e: Expr) => Expr }

/** Fresh loops over the staged region, in the order of the copy's dimensions. */
function copyLoops(order: readonly For[]): Copy {
  const vars = order.map((l) => newVar(l.v.name, 'i64', 1, l.v.loc));
  const map = new Map<number, Expr>(order.map((l, i) => [l.v.id, vars[i]!]));
  const rename = (e: Expr): Expr => substituteExpr(e, map);
  return { order, vars, rename, extents: order.map((l) => rename(l.extent)) };
}
const nest = (c: Copy, body: Stmt, at: At, keepKinds: boolean): Stmt =>
  c.order.reduceRight<Stmt>((b, l, i) => ({ kind: 'for', v: c.vars[i]!, extent: c.extents[i]!, loop: keepKinds && (l.loop === 'unroll' || l.loop === 'vector') ? l.loop : 'seq', body: b, loc: l.loc, step: at.step }), body);

/**
 * Copies the part of a tensor that a loop's body uses into a dense buffer of its own: registers or a packed panel.
 * Reads, accumulations and writes go to the copy; what was written is copied back at the end of the body.
 * Guards around the uses become guards of the copies: elements that do not exist are zero in the copy.
 * With `partial`, nothing is read at the start and the sums are added at the end: their order changes, the schedule remembers that.
 */
export function stage(st: State, name: string, axis: Axis, space: 'pack' | 'reg' | 'shared' | 'image', o: StageOptions, at: At): Readonly<Record<string, Axis>> {
  if (space === 'image') return stageImage(st, name, findLoop(st, axis, at).loop, at);
  if (space !== 'reg' && space !== 'pack' && space !== 'shared') throw new DslError('KD-S-SPACE', { name, space: String(space) }, at);
  const { loop } = findLoop(st, axis, at), src = sourceOf(st, name, loop, at);
  if (space === 'shared') return stageShared(st, src, axis, o, at);
  for (const [what, x] of Object.entries({ vector: o.vector, pad: o.pad, turned: o.turned })) if (x !== undefined) throw new DslError('KD-S-STAGE-OPTION', { name, what, space }, at);
  const uses = accesses(loop.body, src);
  const first = uses[0];
  if (!first) throw new DslError('KD-S-STAGE-WHERE', { name, axis: axis.name }, at);
  const key = (a: Access): string => a.index.map(exprKey).join();
  const other = uses.find((u) => key(u) !== key(first));
  const show = (a: Access): string => `${name}[${a.index.map(printExpr).join(', ')}]`;
  if (other) throw new DslError('KD-S-STAGE-SHAPE', { name, a: show(first), b: show(other) }, at);

  const inner = first.loops.filter((l) => first.index.some((e) => usesVar(e, l.v)));
  if (o.panel && !inner.some((l) => l.v.id === o.panel!.v.id)) throw new DslError('KD-S-PANEL', { name, axis: o.panel.name }, at);
  const order = o.panel ? [...inner.filter((l) => l.v.id !== o.panel!.v.id), ...inner.filter((l) => l.v.id === o.panel!.v.id)] : inner;
  for (const [i, l] of order.entries()) {
    const later = order.slice(i + 1).find((m) => usesVar(l.extent, m.v));
    if (later) throw new DslError('KD-S-DEPENDS', { axis: later.v.name, other: l.v.name }, at);
  }
  const shape = order.map((l) => {
    const n = upperBound(l.extent);
    if (n === undefined) throw new DslError('KD-S-BOUND', { verb: `stage(${name})`, axis: l.v.name }, at);
    return constant(n);
  });
  const kept = first.loops.filter((l) => !order.includes(l));
  const guards = (u: Access): readonly Expr[] => (st.filled.has(src.id) ? [] : u.guards.flatMap(conjuncts));
  const lifted = (u: Access): readonly Expr[] => guards(u).filter((g) => !u.loops.some((l) => !order.includes(l) && usesVar(g, l.v)));
  // A guard over loops that the copy lacks is left to the uses, unless it also tells which elements exist.
  const places = variables(first.index);
  for (const u of uses) {
    const odd = guards(u).find((g) => readsMemory(g) || (!lifted(u).includes(g) && [...variables([g])].some((id) => places.has(id))));
    if (odd) throw new DslError('KD-S-STAGE-GUARD', { name, a: printExpr(odd), b: readsMemory(odd) ? 'reads memory' : 'ties its elements to another loop' }, at);
    if (lifted(u).map(exprKey).join() !== lifted(first).map(exprKey).join()) throw new DslError('KD-S-STAGE-GUARD', { name, a: [...lifted(first), ...lifted(u)].map(printExpr).join(', '), b: 'does not hold around all of its uses' }, at);
  }
  const guard = lifted(first).reduce<Expr | undefined>((a, b) => (a ? and(a, b) : b), undefined);

  const inside = new Set<number>();
  let mayStop = false;
  visitStmt(loop.body, (s) => { const v = boundBy(s); if (v) inside.add(v.id); mayStop ||= s.kind === 'while'; });
  for (const l of order) inside.delete(l.v.id);
  const stray = (e: Expr): Expr | undefined => (e.kind === 'var' && inside.has(e.id) ? e : operands(e).map(stray).find((x) => x !== undefined));
  for (const e of [...first.index, ...(guard ? [guard] : []), ...order.map((l) => l.extent)]) {
    const v = stray(e);
    if (v) throw new DslError('KD-S-STAGE-NAME', { name, index: printExpr(e), v: printExpr(v), axis: axis.name }, at);
  }

  const adds = o.partial ? onlyAdds(uses) : undefined;
  if (o.partial && !adds) throw new DslError('KD-S-PARTIAL', { name, axis: axis.name }, at);
  const reads = uses.filter((u) => u.kind === 'load');
  // Is every element of the copy written before anything reads it? Then what it held before does not matter.
  const overwritten = first.kind === 'store' && !mayStop && first.guards.flatMap(conjuncts).length === lifted(first).length && kept.every((l) => isConst(l.extent) && l.extent.value > 0)
    && uses.every((u) => first.loops.every((l, i) => u.loops[i] === l));
  if (src.access === 'out' && !overwritten && !adds) throw new DslError('KD-S-STAGE-OUT', { name, axis: axis.name }, at);
  const value = o.fold && reads.length === uses.length ? foldable(reads[0]!.chain) : load(src, first.index, { loc: reads[0]?.chain[0]?.loc });
  const buf = newBuffer({ name: o.name ?? `${name}_${space}`, dtype: value.dtype, space, shape, loc: at.loc });
  const slot = order.map((l) => l.v);
  const body = redirect(loop.body, src, buf, slot, exprKey(value));

  const origin = { loc: at.loc, step: at.step };
  const out: Stmt[] = [{ kind: 'alloc', buf, ...origin }];
  const copies: Copy[] = [];
  const written = uses.some((u) => u.kind !== 'load');
  if (uses.some((u) => u.stmt.kind === 'atomic' && u.stmt.buf.id === src.id)) throw new DslError('KD-S-ATOMIC', { name, axis: axis.name }, at);
  if (written && src.packed) throw new DslError('KD-S-PACKED', { name }, at);
  if (adds) {
    const c = copyLoops(order);
    copies.push(c);
    out.push(nest(c, { kind: 'store', buf, index: c.vars, value: identity(adds, buf.dtype), ...origin }, at, buf.space === 'reg'));
    st.reassociates = true;
  } else if (overwritten && guard && space === 'reg') {
    const c = copyLoops(order);
    copies.push(c);
    out.push(nest(c, { kind: 'store', buf, index: c.vars, value: constant(0, buf.dtype), ...origin }, at, true));
  } else if (!overwritten) {
    const c = copyLoops(order);
    copies.push(c);
    out.push(copyIn(st, c, buf, c.rename(value), guard && c.rename(guard), at, copies));
  }
  out.push(body);
  if (written) {
    const c = copyLoops(order);
    copies.push(c);
    out.push(copyOut(st, c, buf, src, first.index.map(c.rename), guard && c.rename(guard), adds, at, copies));
  }
  if (space === 'reg') for (const c of copies) c.order.forEach((l, i) => st.twins.set(l.v.id, [...(st.twins.get(l.v.id) ?? []), c.vars[i]!]));
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, body: block(out) }));
  const main = copies[0]!;
  return Object.fromEntries(main.order.map((l, i) => [l.v.name, new Axis(l.v.name, main.extents[i]!, main.vars[i]!, l.loc)]));
}

/** Has a tensor read as an image: texels of four elements, of any type of up to 32 bits. */
function stageImage(st: State, name: string, loop: For, at: At): Readonly<Record<string, Axis>> {
  const refuse = (why: string): never => { throw new DslError('KD-S-IMAGE', { name, why }, at); }, buf = sourceOf(st, name, loop, at);
  const reads = (s: Stmt): number => { let n = 0; visitExprs(s, (e) => { if (e.kind === 'load' && e.buf.id === buf.id) { n++; if (e.as) refuse('its bytes are read as numbers of another type'); } }); return n; };
  if (!st.target.features.includes('images')) refuse(`${st.target.isa} has no images`);
  if (buf.space !== 'param' || buf.access !== 'in') refuse('it is no tensor that is only read');
  if (buf.packed || bytesOf(buf.dtype) > 4) refuse(`no texel holds ${buf.packed ?? buf.dtype}`);
  const here = reads(loop.body);
  if (here === 0) throw new DslError('KD-S-STAGE-WHERE', { name, axis: loop.v.name }, at);
  if (here < reads(st.ir.body)) refuse(`it is read outside of ${loop.v.name} too`);
  st.ir = { ...st.ir, images: [...new Set([...st.ir.images ?? [], name])] };
  return {};
}

/** The tensor, or the memory that a loop around makes, of a name. Only tensors may be written through a copy. */
function sourceOf(st: State, name: string, loop: For, at: At): Buffer {
  const param = st.ir.params.find((p) => p.kind === 'tensor' && p.name === name);
  if (param?.kind === 'tensor') return param.buf;
  const found = new Map<number, Buffer>(), inside = new Set<number>();
  visitStmt(st.ir.body, (s) => { if (s.kind === 'alloc' && s.buf.name === name && s.buf.space !== 'reg') found.set(s.buf.id, s.buf); });
  visitStmt(loop.body, (s) => { if (s.kind === 'alloc') inside.add(s.buf.id); });
  const used = buffersOf(loop.body), near = [...found.values()].find((b) => used.has(b.id)) ?? [...found.values()][0];
  if (!near) throw new DslError('KD-S-UNKNOWN', { what: `tensor ${name}` }, at);
  if (inside.has(near.id)) throw new DslError('KD-S-STAGE-WORK', { name, why: `${loop.v.name} makes it anew in each iteration` }, at);
  if ((used.get(near.id)?.writes ?? 0) > 0) throw new DslError('KD-S-STAGE-WORK', { name, why: `it is written inside of ${loop.v.name}` }, at);
  return near;
}

const readsMemory = (e: Expr): boolean => e.kind === 'load' || operands(e).some(readsMemory);

/** The operator with which all uses accumulate, if that is all they do. */
function onlyAdds(uses: readonly Access[]): ReduceFn | undefined {
  const fns = uses.map((u) => (u.kind === 'accum' && u.stmt.kind === 'accum' ? u.stmt.fn : undefined));
  return fns.every((f) => f === fns[0]) ? fns[0] : undefined;
}

/** Every use of `src` under s goes to `buf` instead. */
function redirect(s: Stmt, src: Buffer, buf: Buffer, slot: readonly Expr[], folded: string): Stmt {
  const expr = (e: Expr): Expr => (exprKey(e) === folded && e.kind !== 'const' ? load(buf, slot, { loc: e.loc }) : mapOperands(e, expr));
  const go = (x: Stmt): Stmt => {
    const y = mapOwnExprs(mapChildren(x, go), expr);
    return (y.kind === 'store' || y.kind === 'accum') && y.buf.id === src.id ? { ...y, buf, index: slot } : y;
  };
  return go(s);
}

function copyIn(st: State, c: Copy, buf: Buffer, value: Expr, guard: Expr | undefined, at: At, copies: Copy[]): Stmt {
  const to = (b: Buffer, v: Expr): Stmt => ({ kind: 'store', buf: b, index: c.vars, value: v, loc: at.loc, step: at.step });
  const guarded = (b: Buffer): Stmt => (guard ? { kind: 'if', cond: guard, then: to(b, value), else: to(b, constant(0, buf.dtype)), loc: at.loc, step: at.step } : to(b, value));
  if (buf.space === 'pack' || !guard) return nest(c, guarded(buf), at, buf.space === 'reg');
  const whole = throughout(c, guard);
  if (st.target.gpu) return elementwise(c, whole, nest(c, to(buf, value), at, true), guarded(buf), at);
  const tmp = newBuffer({ name: `${buf.name}_edge`, dtype: buf.dtype, space: 'local', shape: buf.shape, loc: at.loc });
  const back = copyLoops(c.order);
  copies.push(back);
  const edge = block([
    { kind: 'alloc', buf: tmp, loc: at.loc, step: at.step },
    refresh(nest(c, guarded(tmp), at, false)),
    nest(back, { kind: 'store', buf, index: back.vars, value: load(tmp, back.vars), loc: at.loc, step: at.step }, at, true),
  ]);
  return whole ? { kind: 'if', cond: whole, then: nest(c, to(buf, value), at, true), else: edge, loc: at.loc, step: at.step } : edge;
}

function copyOut(st: State, c: Copy, buf: Buffer, dst: Buffer, index: readonly Expr[], guard: Expr | undefined, adds: ReduceFn | undefined, at: At, copies: Copy[]): Stmt {
  const from = (b: Buffer): Stmt => ({ ...(adds ? { kind: 'accum', fn: adds } : { kind: 'store' }), buf: dst, index, value: load(b, c.vars), loc: at.loc, step: at.step });
  const guarded = (b: Buffer): Stmt => (guard ? { kind: 'if', cond: guard, then: from(b), loc: at.loc, step: at.step } : from(b));
  if (buf.space === 'pack' || !guard) return nest(c, guarded(buf), at, buf.space === 'reg');
  const whole = throughout(c, guard);
  if (st.target.gpu) return elementwise(c, whole, nest(c, from(buf), at, true), guarded(buf), at);
  const tmp = newBuffer({ name: `${buf.name}_edge`, dtype: buf.dtype, space: 'local', shape: buf.shape, loc: at.loc });
  const spill = copyLoops(c.order);
  copies.push(spill);
  const edge = block([
    { kind: 'alloc', buf: tmp, loc: at.loc, step: at.step },
    nest(spill, { kind: 'store', buf: tmp, index: spill.vars, value: load(buf, spill.vars), loc: at.loc, step: at.step }, at, true),
    refresh(nest(c, guarded(tmp), at, false)),
  ]);
  return whole ? { kind: 'if', cond: whole, then: nest(c, from(buf), at, true), else: edge, loc: at.loc, step: at.step } : edge;
}

/** GPUs have no memory to spill to that is fast: where a tile is not whole, each element asks for itself, written out so that registers have names. */
function elementwise(c: Copy, whole: Expr | undefined, fast: Stmt, each: Stmt, at: At): Stmt {
  const edge = refresh(c.order.reduceRight<Stmt>((b, l, i) => ({ kind: 'for', v: c.vars[i]!, extent: c.extents[i]!, loop: 'unroll', body: b, loc: l.loc, step: at.step }), each));
  return whole ? { kind: 'if', cond: whole, then: fast, else: edge, loc: at.loc, step: at.step } : edge;
}

/** The condition under which a guard holds for the whole copied tile. */
function throughout(c: Copy, guard: Expr): Expr | undefined {
  let g: Expr | undefined = guard;
  c.vars.forEach((v, i) => {
    const n = c.extents[i]!;
    if (g && usesVar(g, v)) g = n.kind === 'const' ? holdsThroughout(g, v, n.value) : undefined;
  });
  return g;
}
