import { boundBy, buffersOf, childrenOf, operands, showLoc, visitExprs, visitStmt } from '../ir/index.ts';
import type { Alloc, Block, Expr, For, Loc, Stmt, Store } from '../ir/index.ts';

/** A buffer that one nest of loops fills, element by element: what is needed to compute the elements elsewhere. */
export interface Producer {
  readonly alloc: Alloc;
  /** The block in which the buffer is visible, and the statement of it that holds the loops. */
  readonly scope: Block;
  readonly top: Stmt;
  readonly store: Store;
  /** The loop behind each dimension. */
  readonly loops: readonly For[];
}

/** ` (file:line:col)`, for messages that name two places. */
export const placeOf = (s: { readonly loc?: Loc | undefined }): string => (s.loc ? ` (${showLoc(s.loc)})` : '');

/** Finds the buffer `name` and the one store that fills it; `refuse` says why its elements cannot be computed elsewhere. */
export function findProducer(body: Stmt, name: string, refuse: (why: string) => never): Producer {
  let alloc: Alloc | undefined, scope: Block | undefined;
  visitStmt(body, (s) => { if (s.kind === 'block' && !alloc) { alloc = s.body.find((x): x is Alloc => x.kind === 'alloc' && x.buf.name === name); if (alloc) scope = s; } });
  if (!alloc || !scope) return refuse('the kernel makes no such register or memory');
  const { buf } = alloc, writers: { readonly s: Stmt; readonly path: readonly Stmt[] }[] = [];
  const go = (s: Stmt, path: readonly Stmt[]): void => {
    if (s.kind === 'store' && s.buf.id === buf.id) writers.push({ s, path });
    else if (childrenOf(s).length === 0 && (buffersOf(s).get(buf.id)?.writes ?? 0) > 0) writers.push({ s, path });
    for (const c of childrenOf(s)) go(c, [...path, s]);
  };
  go(scope, []);
  const [w, second] = writers;
  if (!w) return refuse('nothing writes it');
  if (second) return refuse(`it is written in two places${placeOf(w.s)} and${placeOf(second.s)}`);
  if (w.s.kind !== 'store') return refuse(`it is accumulated${placeOf(w.s)}, not stored once`);
  const store = w.s, inside = w.path.slice(1), top = inside[0] ?? store, around = inside.filter((s): s is For => s.kind === 'for');
  const branch = inside.find((s) => s.kind === 'if' || s.kind === 'while' || s.kind === 'instr');
  if (branch) return refuse(`it is written under a condition${placeOf(branch)}`);
  const loops = store.index.map((e) => around.find((l) => e.kind === 'var' && l.v.id === e.id) ?? refuse(`it is not written element by element along its loops${placeOf(store)}`));
  if (loops.length !== around.length || new Set(loops).size !== loops.length) return refuse(`a loop around its store does not index it${placeOf(store)}`);
  const own = new Set<number>();
  visitStmt(top, (s) => { const v = boundBy(s); if (v && !loops.some((l) => l === s)) own.add(v.id); });
  const uses = (e: Expr): boolean => (e.kind === 'var' && own.has(e.id)) || operands(e).some(uses);
  if (uses(store.value) || loops.some((l) => uses(l.extent))) return refuse(`its value needs a name that is bound beside it${placeOf(store)}`);
  for (const l of loops) if (operands(l.extent).some((x) => loops.some((m) => mentions(x, m.v.id))) || loops.some((m) => mentions(l.extent, m.v.id))) return refuse(`the extent of ${l.v.name} depends on another of its loops`);
  const from = scope.body.indexOf(top), written = new Set<number>();
  for (const s of scope.body.slice(from)) for (const { buf: b, writes } of buffersOf(s).values()) if (writes > 0 && b.id !== buf.id) written.add(b.id);
  let changed: string | undefined;
  visitExprs({ ...store, index: [] }, (e) => { if (e.kind === 'load' && written.has(e.buf.id)) changed ??= e.buf.name; });
  if (changed !== undefined) return refuse(`${changed}, which it is computed from${placeOf(store)}, is written later`);
  return { alloc, scope, top, store, loops };
}

const mentions = (e: Expr, id: number): boolean => (e.kind === 'var' ? e.id === id : operands(e).some((x) => mentions(x, id)));
