import { DslError } from '../errors/index.ts';
import { block, constant, isConst, load, mapExpr, mapExprs, mapStmt, newBuffer, newVar, operands, printStmt, sub, substitute, substituteExpr, visitStmt } from '../ir/index.ts';
import type { Buffer, Expr, Stmt, Var } from '../ir/index.ts';
import { Axis } from '../lang/index.ts';
import { simplifyExpr } from '../passes/index.ts';
import { dependence } from './depend.ts';
import { readsMemory } from './lane-access.ts';
import { nestOf } from './nest.ts';
import { findLoop, replaceStmt, setBody } from './state.ts';
import type { At, State } from './state.ts';

/**
 * Loop distribution with scalar expansion: each statement inside of a nest of loops gets these loops for itself. Registers and working memory made inside become
 * arrays with an element for each iteration; loops named in `through`, branches and names that are the same in all iterations stay outside. The iterations must not
 * depend on each other; what each of them computes, and in which order, stays. Returns the loops around each inner loop, by its name.
 */
export function distribute(st: State, order: readonly Axis[], through: readonly Axis[], at: At): Readonly<Record<string, readonly Axis[]>> {
  const refuse = (why: string): never => { throw new DslError('KD-S-DISTRIBUTE', { axes: order.map((a) => a.name).join(', '), why }, at); };
  for (const a of through) findLoop(st, a, at);
  const { outer, loops, guards, body } = nestOf(st, 'distribute', order, at, refuse), ranges = new Map(loops.map((l): [number, { readonly lo: number; readonly hi: number }] => [l.v.id, { lo: 0, hi: (isConst(l.extent) ? l.extent.value : 0) - 1 }]));

  const origin = { loc: outer.loc, step: at.step }, vars: readonly Var[] = loops.map((l) => l.v), own = new Set(vars.map((v) => v.id));
  const wide = new Map<number, Buffer>(), names = new Map<number, Expr>(), handles: Record<string, readonly Axis[]> = {};
  const widen = (b: Buffer): Buffer => newBuffer({ ...b, space: 'reg', shape: [...loops.map((l) => l.extent), ...b.shape] });
  const widened = (s: Stmt): Stmt => {
    const reads = mapExprs(substitute(s, names), (e) => { const w = e.kind === 'load' ? wide.get(e.buf.id) : undefined; return e.kind === 'load' && w ? { ...e, buf: w, index: [...vars, ...e.index] } : e; });
    return mapStmt(reads, (x) => { const w = x.kind === 'store' || x.kind === 'accum' ? wide.get(x.buf.id) : undefined; return (x.kind === 'store' || x.kind === 'accum') && w ? { ...x, buf: w, index: [...vars, ...x.index] } : x; })!;
  };
  const facts = { range: (id: number) => ranges.get(id), below: () => [], value: () => undefined, holds: () => false };
  const tidy = (e: Expr): Expr => simplifyExpr(mapExpr(substituteExpr(e, names), (x) => { const w = x.kind === 'load' ? wide.get(x.buf.id) : undefined; return x.kind === 'load' && w ? { ...x, buf: w, index: [...vars, ...x.index] } : x; }), facts);
  const differs = (e: Expr): boolean => (e.kind === 'var' && own.has(e.id)) || operands(e).some(differs);

  let first = true;
  /** One statement with loops of its own: the first keeps the variables, so that the handles stay good; the others have twins of them. */
  const apart = (s: Stmt): Stmt => {
    let param = false;
    visitStmt(s, (x) => { param ||= (x.kind === 'store' || x.kind === 'accum' || x.kind === 'atomic') && x.buf.space === 'param'; });
    // Where elements that do not exist are computed in registers, nothing comes of it; memory is written where they do.
    const guarded = guards.reduceRight<Stmt>((b, g) => ({ kind: 'if', cond: g.cond, then: b, ...(g.pad && !param && { pad: true }), loc: g.loc, step: g.step }), s);
    const fresh = first ? vars : vars.map((v) => newVar(v.name, 'i64', 1, v.loc)), map = new Map<number, Expr>(vars.map((v, i) => [v.id, fresh[i]!]));
    if (!first) vars.forEach((v, i) => st.twins.set(v.id, [...(st.twins.get(v.id) ?? []), fresh[i]!]));
    const nest = loops.reduceRight<Stmt>((b, l, i) => ({ ...l, v: fresh[i]!, body: b }), first ? guarded : substitute(guarded, map));
    first = false;
    visitStmt(s, (x) => { if (x.kind === 'for') handles[x.v.name] ??= fresh.map((v, i) => new Axis(v.name, loops[i]!.extent, v, v.loc)); });
    return nest;
  };
  const go = (s: Stmt): readonly Stmt[] => {
    switch (s.kind) {
      case 'block': return s.body.flatMap(go);
      case 'region': return [{ ...s, body: block(go(s.body)) }];
      case 'alloc': {
        if (s.buf.shape.some((e) => !isConst(e))) return refuse(`${s.buf.name} has no constant shape`);
        if (s.buf.space === 'shared') return refuse(`lanes share ${s.buf.name}`);
        const w = widen(s.buf);
        wide.set(s.buf.id, w);
        return [{ ...s, buf: w }];
      }
      case 'let': {
        const value = tidy(s.value);
        // What a condition guards is not read outside of it.
        if (!differs(value) && !(guards.length > 0 && readsMemory(value))) return [{ ...s, value }];
        const together = value.kind === 'subgroup'; // a statement of its own wherever it stands
        if (!readsMemory(value) && !together) { names.set(s.v.id, value); return []; }
        const w = newBuffer({ name: s.v.name, dtype: s.v.dtype, space: 'reg', shape: loops.map((l) => l.extent), loc: s.loc });
        const store: Stmt = { kind: 'store', buf: w, index: vars, value: together ? s.v : value, loc: s.loc, step: s.step };
        const made: readonly Stmt[] = [{ kind: 'alloc', buf: w, loc: s.loc, step: s.step }, apart(together ? block([{ ...s, value }, store]) : store)];
        names.set(s.v.id, load(w, vars));
        return made;
      }
      case 'if': {
        const cond = tidy(s.cond);
        return differs(cond) || (guards.length > 0 && readsMemory(cond)) ? [apart(widened(s))] : [{ ...s, cond, then: block(go(s.then)), else: s.else && block(go(s.else)) }];
      }
      case 'for': {
        if (!through.some((a) => a.v.id === s.v.id)) return [apart(widened(s))];
        const extent = tidy(s.extent);
        if (differs(extent) || (guards.length > 0 && readsMemory(extent))) return refuse(`the extent of ${s.v.name} is not the same in all of them`);
        return [{ ...s, extent, body: block(go(s.body)) }];
      }
      case 'store': case 'accum': return [apart(widened(s))];
      default: return refuse(`'${printStmt(s).trim().split('\n')[0]}' stands inside of them`);
    }
  };
  const out = go(body);
  for (const a of through) if (!out.some((s) => { let found = false; visitStmt(s, (x) => { found ||= x.kind === 'for' && x.v.id === a.v.id; }); return found; })) return refuse(`${a.name} does not lie inside of them`);
  setBody(st, replaceStmt(st.ir.body, outer, block(out, origin)));
  return handles;
}

/** The iterations of a loop, which must not depend on each other, in the opposite order: the last one first. */
export function reverse(st: State, axis: Axis, at: At): void {
  const { loop } = findLoop(st, axis, at), why = dependence(loop);
  if (why !== undefined) throw new DslError('KD-S-CARRIED', { verb: 'reverse', axis: axis.name, why }, at);
  const from = sub(sub(loop.extent, constant(1)), loop.v);
  setBody(st, replaceStmt(st.ir.body, loop, { ...loop, body: substitute(loop.body, new Map<number, Expr>([[loop.v.id, from]])) }));
}
