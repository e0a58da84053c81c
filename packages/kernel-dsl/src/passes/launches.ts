import { DslError } from '../errors/index.ts';
import { block, boundBy, buffersOf, load, mapChildren, mapExpr, mapOwnExprs, mapStmt, newBuffer, printExpr, visitExprs, visitStmt } from '../ir/index.ts';
import type { Alloc, Buffer, Expr, KernelIR, Stmt } from '../ir/index.ts';
import { rename } from './fresh.ts';
import { holds, isGrid, onHost } from './grid.ts';
import { workgroup } from './blocks.ts';

/**
 * Readies a program for launches: every nest of block and lane loops is one, and so is each run of statements between them (by one thread). What launches
 * hand on to each other lies in device memory; sizes and scalars alone decide which of them run.
 * @throws DslError KD-L-HOST, KD-L-GRID, KD-L-LANES
 */
export function launches(k: KernelIR): KernelIR {
  if (!holds(k.body, isGrid)) return k;
  const units = unitsOf(k.body), body = handedOn(k.body, units);
  return { ...k, body: hostLevel(body, new Set()) };
}

/** What runs in one launch. */
type Units = ReadonlyMap<Stmt, number>;

/** Numbers the statements outside of grids by the launch that will hold them, and the grids. */
function unitsOf(body: Stmt): Units {
  const units = new Map<Stmt, number>();
  let next = 0, plain = false;
  const go = (s: Stmt): void => {
    if (isGrid(s)) { units.set(s, ++next); plain = false; return; }
    if (holds(s, isGrid)) {
      plain = false;
      if (s.kind === 'block') s.body.forEach(go);
      else if (s.kind === 'region' || s.kind === 'for' || s.kind === 'while') go(s.body);
      else if (s.kind === 'if') { go(s.then); plain = false; if (s.else) go(s.else); }
      plain = false;
      return;
    }
    if (s.kind === 'block') { s.body.forEach(go); return; }
    if (!plain) next++;
    plain = true;
    units.set(s, next);
  };
  go(body);
  return units;
}

/** Memory and names that more than one launch uses go to device memory. */
function handedOn(body: Stmt, units: Units): Stmt {
  const used = new Map<number, Set<number>>(), note = (id: number, unit: number): void => { used.set(id, (used.get(id) ?? new Set()).add(unit)); };
  for (const [s, unit] of units) {
    for (const { buf } of buffersOf(s).values()) note(-buf.id, unit);
    visitExprs(s, (e) => { if (e.kind === 'var') note(e.id, unit); });
  }
  const crosses = (id: number, own: number): boolean => [...(used.get(id) ?? [])].some((u) => u !== own);
  const buffers = new Map<number, Buffer>(), cells = new Map<number, Buffer>(), known = hostVars(body, units);
  for (const [s, unit] of units) {
    if (s.kind === 'alloc' && s.buf.space !== 'pack' && crosses(-s.buf.id, unit)) buffers.set(s.buf.id, newBuffer({ ...s.buf, space: 'pack' }));
    const v = isGrid(s) ? undefined : boundBy(s);
    if (v && (s.kind === 'let' || s.kind === 'atomic') && !known.has(v.id) && crosses(v.id, unit)) cells.set(v.id, newBuffer({ name: v.name, dtype: v.dtype, space: 'pack', shape: [], loc: v.loc }));
  }
  if (buffers.size === 0 && cells.size === 0) return body;
  const through = (e: Expr): Expr => mapExpr(e, (x) => { const cell = x.kind === 'var' ? cells.get(x.id) : undefined; return cell ? load(cell, [], { loc: x.loc }) : x; });
  return mapStmt(rename(body, { vars: new Map(), buffers }), (s) => {
    const x = mapOwnExprs(s, through), v = x.kind === 'let' || x.kind === 'atomic' ? boundBy(x) : undefined, cell = v && cells.get(v.id);
    if (!v || !cell) return x;
    const make: Alloc = { kind: 'alloc', buf: cell, loc: s.loc, step: s.step };
    return block([make, x, { kind: 'store', buf: cell, index: [], value: v, loc: s.loc, step: s.step }]);
  })!;
}

/** Names outside of grids that a host can tell, and variables of its loops. */
function hostVars(body: Stmt, units: Units): ReadonlySet<number> {
  const known = new Set<number>();
  visitStmt(body, (s) => {
    if (isGrid(s)) return false;
    if (units.has(s) && s.kind !== 'let') return false;
    if (s.kind === 'for') known.add(s.v.id);
    if (s.kind === 'let' && onHost(s.value, (id) => known.has(id))) known.add(s.v.id);
    return undefined;
  });
  return known;
}

/** Statements that a host goes through. `known`: variables that it can tell. */
function hostLevel(s: Stmt, known: Set<number>): Stmt {
  if (isGrid(s)) return workgroup(s, (id) => known.has(id));
  if (s.kind === 'let' && onHost(s.value, (id) => known.has(id))) known.add(s.v.id);
  if (!holds(s, isGrid)) return s;
  const told = (e: Expr, what: string): void => {
    if (!onHost(e, (id) => known.has(id))) throw new DslError('KD-L-HOST', { what, value: printExpr(e) }, { loc: e.loc ?? s.loc, step: s.step });
  };
  switch (s.kind) {
    case 'for': told(s.extent, `the loop ${s.v.name}`); known.add(s.v.id); return { ...s, loop: s.loop === 'parallel' ? 'seq' : s.loop, body: hostLevel(s.body, known) };
    case 'if': told(s.cond, 'a condition'); break;
    case 'while': throw new DslError('KD-L-HOST', { what: 'a loopWhile', value: printExpr(s.cond) }, s);
    default: break;
  }
  return mapChildren(s, (x) => hostLevel(x, known));
}
