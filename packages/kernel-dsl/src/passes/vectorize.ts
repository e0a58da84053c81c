import { DslError } from '../errors/index.ts';
import { block, buffersOf, isConst, mapChildren, printExpr, usesVar, visitExprs, visitStmt } from '../ir/index.ts';
import type { Expr, For, KernelIR, Stmt } from '../ir/index.ts';
import type { Target } from '../targets/index.ts';
import { simplifyExpr } from './affine.ts';
import { chunks, nativeLanes, widestIn } from './lanes.ts';
import { vectorBody } from './vector-body.ts';
import { narrow } from './wide.ts';

/**
 * Replaces every `vector` loop by vector statements. A vector is as wide as the target's registers for the widest dtype in the loop; a longer
 * loop becomes several vectors, side by side in each statement. Elements that are neighbours become vector loads and stores, one element for
 * all lanes a broadcast, anything else a gather or scatter.
 * @throws DslError KD-L-VECTOR-…: what a vector loop cannot express (see the catalogue).
 */
export function vectorize(k: KernelIR, target: Target): KernelIR {
  const lanes = loopLanes(k.body, target);
  const expand = (s: Stmt): Stmt => {
    if (s.kind !== 'for' || s.loop !== 'vector') return mapChildren(s, expand);
    const extent = constantExtent(s);
    return block(vectorBody(s, extent, chunks(extent, lanes.loops.get(s.v.id)!)), { loc: s.loc, step: s.step });
  };
  const body = expand(k.body);
  return { ...k, body: narrow(body, target, lanes.registers) };
}

function constantExtent(s: For): number {
  const extent = simplifyExpr(s.extent);
  if (!isConst(extent)) throw new DslError('KD-L-VECTOR-EXTENT', { axis: s.v.name, extent: printExpr(extent) }, s);
  return extent.value;
}

/** Lanes of each vector loop by its variable, and of each register buffer: loops that share registers cut them alike. */
function loopLanes(body: Stmt, target: Target): { readonly loops: ReadonlyMap<number, number>; readonly registers: ReadonlyMap<number, number> } {
  const found: { readonly id: number; readonly registers: readonly number[] }[] = [];
  const loops = new Map<number, number>(), registers = new Map<number, number>();
  visitStmt(body, (s) => {
    if (s.kind !== 'for' || s.loop !== 'vector') return;
    const used = [...buffersOf(s).values()].filter(({ buf }) => buf.space === 'reg' && variesAlong(s, buf.id));
    found.push({ id: s.v.id, registers: used.map(({ buf }) => buf.id) });
    loops.set(s.v.id, nativeLanes(target, widestIn(s.body)));
  });
  for (let changed = true; changed;) {
    changed = false;
    for (const { id, registers: regs } of found) {
      const least = Math.min(loops.get(id)!, ...regs.map((r) => registers.get(r) ?? Infinity));
      changed ||= least !== loops.get(id) || regs.some((r) => registers.get(r) !== least);
      loops.set(id, least);
      for (const r of regs) registers.set(r, least);
    }
  }
  return { loops, registers };
}

/** Is this buffer indexed by the variable of the loop? */
function variesAlong(s: For, buffer: number): boolean {
  let found = false;
  const check = (index: readonly Expr[]): void => { found ||= index.some((e) => usesVar(e, s.v)); };
  visitStmt(s.body, (x) => { if ((x.kind === 'store' || x.kind === 'accum') && x.buf.id === buffer) check(x.index); });
  visitExprs(s.body, (e) => { if (e.kind === 'load' && e.buf.id === buffer) check(e.index); });
  return found;
}
