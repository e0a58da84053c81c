import { DslError } from '../errors/index.ts';
import { add, binary, block, buffersOf, compare, constant, isConst, load, mapChildren, newBuffer, substitute, usesVar, visitExprs, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, For, Let, Stmt, Store } from '../ir/index.ts';
import type { Axis } from '../lang/index.ts';
import { inSlot } from './slot.ts';
import { findLoop, refresh, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * Double buffering by way of registers: what lanes copy into shared memory at the start of a loop's body is fetched one iteration ahead into registers, while the
 * body works on what was copied before, and stored to the other half of twice the memory at the end. No bit changes. For copies that `stage(…, 'shared')` made.
 */
export function prefetch(st: State, axis: Axis, at: At): void {
  const refuse = (why: string): never => { throw new DslError('KD-S-PREFETCH', { axis: axis.name, why }, at); };
  const { loop, names, copies, filled, rest } = sharedCopies(st, axis, at, refuse);

  const origin = { loc: at.loc, step: at.step }, two = constant(2), wide = new Map([...filled.values()].map((b): [number, Buffer] => [b.id, newBuffer({ ...b, shape: [two, ...b.shape] })]));
  const slot = (i: Expr): Expr => binary('mod', i, two), next = add(loop.v, constant(1));
  const halves = copies.map((c, n) => inHalves(c, `${[...buffersOf(c).values()].find((b) => b.writes > 0)!.buf.name}_next${n > 0 && copies.length > 2 ? n : ''}`, at, refuse));
  // Names and both halves are renewed together: the second half uses the names of the first.
  const ahead = refresh(substitute(block([
    ...names, ...halves.map((h): Stmt => ({ kind: 'alloc', buf: h.held, ...origin })),
    { kind: 'if', cond: compare('lt', loop.v, loop.extent), then: block(halves.map((h) => h.fetch)), ...origin },
    { kind: 'region', name: '', body: block([]) },
    { kind: 'if', cond: compare('lt', loop.v, loop.extent), then: block(halves.map((h) => inSlot(h.put, wide, slot(loop.v)))), ...origin },
  ]), new Map([[loop.v.id, next]]))) as Extract<Stmt, { kind: 'block' }>;
  const cut = ahead.body.findIndex((s) => s.kind === 'region' && s.name === ''), first = constant(0);
  const start = inSlot(refresh(substitute(block([...names, ...copies]), new Map([[loop.v.id, first]]))), wide, first);
  const body = block([...ahead.body.slice(0, cut), ...rest.map((s) => inSlot(s, wide, slot(loop.v))), ...ahead.body.slice(cut + 1)]);
  const out = block([{ kind: 'if', cond: compare('lt', first, loop.extent), then: start, ...origin }, { ...loop, body }]);
  const allocs = (s: Stmt): Stmt => (s.kind === 'alloc' && wide.has(s.buf.id) ? { ...s, buf: wide.get(s.buf.id)! } : mapChildren(s, allocs));
  setBody(st, allocs(replaceStmt(st.ir.body, loop, out)));
  for (const b of wide.values()) st.filled.add(b.id);
}

/** What a loop's body starts with: names and copies into shared memory, which nothing outside of the loop uses and nothing that follows writes. */
export function sharedCopies(st: State, axis: Axis, at: At, refuse: (why: string) => never): { readonly loop: For; readonly names: readonly Let[]; readonly copies: readonly Stmt[]; readonly filled: ReadonlyMap<number, Buffer>; readonly rest: readonly Stmt[] } {
  const { loop } = findLoop(st, axis, at);
  if (loop.loop !== 'seq') return refuse(`it is ${loop.loop}`);
  const list = loop.body.kind === 'block' ? loop.body.body : [loop.body], names: Let[] = [], copies: Stmt[] = [], filled = new Map<number, Buffer>();
  let from = 0;
  for (const [i, s] of list.entries()) {
    const own = new Set<number>();
    visitStmt(s, (x) => { if (x.kind === 'alloc') own.add(x.buf.id); });
    const used = s.kind === 'let' ? [] : [...buffersOf(s).values()], into = used.filter((b) => b.writes > 0 && !own.has(b.buf.id));
    // A copy of a copy is work on what was copied before.
    if (used.some((b) => b.reads > 0 && filled.has(b.buf.id))) break;
    if (s.kind === 'let') names.push(s);
    else if (into.length > 0 && into.every((b) => b.buf.space === 'shared' && st.filled.has(b.buf.id) && b.reads === 0)) { copies.push(s); into.forEach((b) => filled.set(b.buf.id, b.buf)); }
    else break;
    from = i + 1;
  }
  const rest = list.slice(from);
  if (copies.length === 0) return refuse('its body does not start with copies into shared memory: stage something at it first');
  for (const s of rest) {
    visitExprs(s, (e) => { if (names.some((n) => usesVar(e, n.v))) refuse('a name of its copies is used by what follows'); });
    for (const b of buffersOf(s).values()) if (b.writes > 0 && (filled.has(b.buf.id) || copies.some((c) => buffersOf(c).has(b.buf.id)))) refuse(`${b.buf.name} is written by what follows`);
  }
  let outside = false;
  visitStmt(st.ir.body, (s) => { if (s === loop) return false; visitHeld(s, (b) => { outside ||= filled.has(b.id); }); return undefined; });
  if (outside) return refuse('what it copies is used outside of it');
  return { loop, names, copies, filled, rest };
}

const visitHeld = (s: Stmt, f: (b: Buffer) => void): void => {
  if (s.kind === 'store' || s.kind === 'accum') f(s.buf);
  if (s.kind === 'let' || s.kind === 'store' || s.kind === 'accum' || s.kind === 'if') visitExprs(s.kind === 'if' ? { ...s, then: block([]), else: undefined } as Stmt : s, (e) => { if (e.kind === 'load') f(e.buf); });
};

/** A copy in two halves: into registers, and from there. */
function inHalves(copy: Stmt, name: string, at: At, refuse: (why: string) => never): { readonly held: Buffer; readonly fetch: Stmt; readonly put: Stmt } {
  const stores: { readonly s: Store; readonly loops: readonly For[] }[] = [];
  const find = (s: Stmt, loops: readonly For[]): void => {
    // Pieces are put together in registers first.
    if (s.kind === 'store') { if (s.buf.space !== 'reg') stores.push({ s, loops }); }
    else if (s.kind === 'for') find(s.body, [...loops, s]);
    else if (s.kind === 'if') { find(s.then, loops); if (s.else) find(s.else, loops); } else if (s.kind === 'block') s.body.forEach((c) => find(c, loops)); else if (s.kind !== 'let' && s.kind !== 'alloc') refuse(`a ${s.kind} is part of its copies`);
  };
  find(copy, []);
  const shape = stores[0]!.loops.map((l) => l.extent);
  for (const { s, loops } of stores) if (s.buf.id !== stores[0]!.s.buf.id || loops.length !== shape.length || loops.some((l, i) => !isConst(l.extent, (shape[i] as { value: number }).value))) return refuse('its copies do not have one shape');
  const held = newBuffer({ name, dtype: stores[0]!.s.buf.dtype, space: 'reg', shape, loc: at.loc });
  const to = new Map(stores.map(({ s, loops }): [Stmt, Stmt] => [s, { ...s, buf: held, index: loops.map((l) => l.v) }]));
  // Loops of copies are written out: registers have names.
  const fetch = (s: Stmt): Stmt => to.get(s) ?? mapChildren(s.kind === 'for' && s.loop === 'seq' ? { ...s, loop: 'unroll' } : s, fetch);
  // One store of those under a condition and its opposite: what does not exist is zero by now. Lanes that copy nothing store nothing.
  const from = new Map(stores.map((x): [Stmt, Stmt] => [x.s, { ...x.s, value: load(held, x.loops.map((l) => l.v)) }]));
  const put = (s: Stmt): Stmt => (s.kind === 'if' && s.else ? put(s.then) : from.get(s) ?? mapChildren(s.kind === 'for' && s.loop === 'seq' ? { ...s, loop: 'unroll' } : s, put));
  return { held, fetch: fetch(copy), put: refresh(put(copy)) };
}
