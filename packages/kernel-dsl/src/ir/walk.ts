import { and, binary, bitcast, block, broadcast, cast, compare, dot4, fma, reduce, select, unary } from './build.ts';
import type { Buffer, Expr, Var } from './expr.ts';
import type { CallArg, InstrArg } from './stmt.ts';
import type { Stmt } from './stmt.ts';

/** The operands of an expression, in order. */
export function operands(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'const': case 'size': case 'stride': case 'scalar': case 'var': return [];
    case 'load': return e.index;
    case 'cast': case 'bitcast': case 'unary': case 'broadcast': case 'reduce': return [e.x];
    case 'binary': case 'cmp': case 'shuffle': return [e.a, e.b];
    case 'join': return e.parts;
    case 'fma': return [e.a, e.b, e.c];
    case 'select': return [e.cond, e.a, e.b];
    case 'subgroup': return e.lane ? [e.x, e.lane] : [e.x];
    case 'dot4': return [e.acc, e.a, e.b];
    case 'ramp': return [e.base, e.stride];
  }
}

/** Rebuilds an expression with f applied to each operand (folding again); returns it unchanged where nothing changed. */
export function mapOperands(e: Expr, f: (x: Expr) => Expr): Expr {
  switch (e.kind) {
    case 'const': case 'size': case 'stride': case 'scalar': case 'var': return e;
    case 'load': {
      const index = mapList(e.index, f);
      return index === e.index ? e : { ...e, index };
    }
    case 'cast': { const x = f(e.x); return x === e.x ? e : cast(x, e.dtype, e.loc); }
    case 'bitcast': { const x = f(e.x); return x === e.x ? e : e.lanes === e.x.lanes ? bitcast(x, e.dtype, e.loc) : { ...e, x }; }
    case 'unary': { const x = f(e.x); return x === e.x ? e : unary(e.fn, x, e.loc); }
    case 'broadcast': { const x = f(e.x); return x === e.x ? e : broadcast(x, e.lanes); }
    case 'reduce': { const x = f(e.x); return x === e.x ? e : reduce(e.fn, x, e.loc); }
    case 'subgroup': { const x = f(e.x), lane = e.lane && f(e.lane); return x === e.x && lane === e.lane ? e : { ...e, x, ...(lane && { lane }) }; }
    case 'binary': { const a = f(e.a), b = f(e.b); return a === e.a && b === e.b ? e : e.dtype === 'bool' && e.fn === 'and' ? and(a, b) : binary(e.fn, a, b, e.loc); }
    case 'shuffle': { const a = f(e.a), b = f(e.b); return a === e.a && b === e.b ? e : { ...e, a, b }; }
    case 'join': { const parts = mapList(e.parts, f); return parts === e.parts ? e : { ...e, parts }; }
    case 'cmp': { const a = f(e.a), b = f(e.b); return a === e.a && b === e.b ? e : compare(e.fn, a, b, e.loc); }
    case 'fma': { const a = f(e.a), b = f(e.b), c = f(e.c); return a === e.a && b === e.b && c === e.c ? e : fma(a, b, c, e.loc); }
    case 'select': { const c = f(e.cond), a = f(e.a), b = f(e.b); return c === e.cond && a === e.a && b === e.b ? e : select(c, a, b, e.loc); }
    case 'dot4': { const c = f(e.acc), a = f(e.a), b = f(e.b); return c === e.acc && a === e.a && b === e.b ? e : dot4(c, a, b, e.loc); }
    case 'ramp': { const base = f(e.base), stride = f(e.stride); return base === e.base && stride === e.stride ? e : { ...e, base, stride }; }
  }
}

/** Bottom-up rewrite: f sees every node after its operands. */
export function mapExpr(e: Expr, f: (x: Expr) => Expr): Expr {
  const go = (x: Expr): Expr => f(mapOperands(x, go));
  return go(e);
}

/** Visits an expression and everything under it, parents first. By kind, without a list of operands: most of a compilation is this. */
export function visitExpr(e: Expr, f: (x: Expr) => void): void {
  f(e);
  switch (e.kind) {
    case 'const': case 'size': case 'stride': case 'scalar': case 'var': return;
    case 'binary': case 'cmp': case 'shuffle': visitExpr(e.a, f); visitExpr(e.b, f); return;
    case 'cast': case 'bitcast': case 'unary': case 'broadcast': case 'reduce': visitExpr(e.x, f); return;
    case 'ramp': visitExpr(e.base, f); visitExpr(e.stride, f); return;
    default: for (const x of operands(e)) visitExpr(x, f);
  }
}

/** The expressions that a statement holds itself (not those of statements inside it). */
export function exprsOf(s: Stmt): readonly Expr[] {
  switch (s.kind) {
    case 'for': return [s.extent];
    case 'while': return [s.max, s.cond];
    case 'if': case 'assume': return [s.cond];
    case 'let': return [s.value];
    case 'store': case 'accum': case 'atomic': return [...s.index, s.value];
    case 'print': return s.values;
    case 'instr': return s.args.flatMap((a) => (a.kind === 'value' ? [a.value] : a.index));
    case 'call': return s.args.flatMap((a) => (a.kind === 'value' ? [a.value] : a.kind === 'place' ? a.index : []));
    default: return [];
  }
}

/** The variable that a statement binds, if it does. */
export function boundBy(s: Stmt): Var | undefined {
  return s.kind === 'for' || s.kind === 'while' || s.kind === 'let' ? s.v : s.kind === 'atomic' ? s.old : undefined;
}

/** The statements directly inside a statement. */
export function childrenOf(s: Stmt): readonly Stmt[] {
  switch (s.kind) {
    case 'block': return s.body;
    case 'for': case 'while': case 'region': return [s.body];
    case 'instr': return s.body ? [s.body] : [];
    case 'call': return s.meaning ? [s.meaning] : [];
    case 'if': return s.else ? [s.then, s.else] : [s.then];
    default: return [];
  }
}

/** Visits a statement and everything under it, parents first. `f` may return false to stay out of the children. */
export function visitStmt(s: Stmt, f: (x: Stmt) => void | false): void {
  if (f(s) === false) return;
  switch (s.kind) {
    case 'block': for (const c of s.body) visitStmt(c, f); return;
    case 'for': case 'while': case 'region': visitStmt(s.body, f); return;
    case 'store': case 'let': case 'accum': case 'alloc': return;
    default: for (const c of childrenOf(s)) visitStmt(c, f);
  }
}

/** Visits every expression under a statement, with the statement that holds it. */
export function visitExprs(s: Stmt, f: (e: Expr, holder: Stmt) => void): void {
  visitStmt(s, (x) => {
    const each = (e: Expr): void => f(e, x);
    switch (x.kind) {
      case 'block': case 'region': case 'alloc': case 'barrier': return;
      case 'let': visitExpr(x.value, each); return;
      case 'store': case 'accum': for (const e of x.index) visitExpr(e, each); visitExpr(x.value, each); return;
      default: for (const e of exprsOf(x)) visitExpr(e, each);
    }
  });
}

/** Rebuilds a statement's children; `null` removes one. */
export function mapChildren(s: Stmt, f: (x: Stmt) => Stmt | null): Stmt {
  const empty = (x: Stmt | null): Stmt => x ?? { kind: 'block', body: [] };
  switch (s.kind) {
    case 'block': {
      const body = s.body.map(f);
      // What nothing changed in stays the same object: statements are found by identity.
      return body.every((x, i) => x === s.body[i]) ? s : block(body.filter((x): x is Stmt => x !== null), { loc: s.loc, step: s.step });
    }
    case 'for': case 'while': { const body = empty(f(s.body)); return body === s.body ? s : { ...s, body }; }
    case 'region': { const body = empty(f(s.body)); return body === s.body ? s : { ...s, body }; }
    case 'call': { if (!s.meaning) return s; const meaning = empty(f(s.meaning)); return meaning === s.meaning ? s : { ...s, meaning }; }
    case 'instr': { if (!s.body) return s; const body = empty(f(s.body)); return body === s.body ? s : { ...s, body }; }
    case 'if': {
      const then = empty(f(s.then)), els = s.else ? f(s.else) ?? undefined : undefined;
      return then === s.then && els === s.else ? s : { ...s, then, else: els };
    }
    default: return s;
  }
}

/** Bottom-up rewrite of statements. */
export function mapStmt(s: Stmt, f: (x: Stmt) => Stmt | null): Stmt | null {
  return f(mapChildren(s, (c) => mapStmt(c, f)));
}

/** The list itself where f changes none of it. */
function mapList<T>(list: readonly T[], f: (x: T) => T): readonly T[] {
  let out: T[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const x = list[i]!, y = f(x);
    if (out) out.push(y);
    else if (y !== x) { out = list.slice(0, i); out.push(y); }
  }
  return out ?? list;
}

/** Applies f to every expression that a statement itself holds; returns the statement itself where nothing changed. */
export function mapOwnExprs(s: Stmt, f: (e: Expr) => Expr): Stmt {
  switch (s.kind) {
    case 'for': { const extent = f(s.extent); return extent === s.extent ? s : { ...s, extent }; }
    case 'while': { const max = f(s.max), cond = f(s.cond); return max === s.max && cond === s.cond ? s : { ...s, max, cond }; }
    case 'if': case 'assume': { const cond = f(s.cond); return cond === s.cond ? s : { ...s, cond }; }
    case 'let': { const value = f(s.value); return value === s.value ? s : { ...s, value }; }
    case 'store': case 'accum': case 'atomic': { const index = mapList(s.index, f), value = f(s.value); return index === s.index && value === s.value ? s : { ...s, index, value }; }
    case 'print': { const values = mapList(s.values, f); return values === s.values ? s : { ...s, values }; }
    case 'instr': { const args = mapList(s.args, (a): InstrArg => mapArg(a, f)); return args === s.args ? s : { ...s, args }; }
    case 'call': { const args = mapList(s.args, (a): CallArg => mapArg(a, f)); return args === s.args ? s : { ...s, args }; }
    default: return s;
  }
}
function mapArg<A extends CallArg | InstrArg>(a: A, f: (e: Expr) => Expr): A {
  if (a.kind === 'value') { const value = f(a.value); return value === a.value ? a : { ...a, value }; }
  if (a.kind !== 'place') return a;
  const index = mapList(a.index, f);
  return index === a.index ? a : { ...a, index };
}

/** Rewrites every expression under a statement, bottom-up. */
export function mapExprs(s: Stmt, f: (e: Expr) => Expr): Stmt {
  return mapStmt(s, (x) => mapOwnExprs(x, (e) => mapExpr(e, f))) ?? { kind: 'block', body: [] };
}

/** Replaces variables by expressions. */
export function substitute(s: Stmt, map: ReadonlyMap<number, Expr>): Stmt {
  return mapExprs(s, (e) => (e.kind === 'var' ? map.get(e.id) ?? e : e));
}
/** Replaces variables, by their ids, in one expression, folding again. */
export function substituteExpr(e: Expr, map: ReadonlyMap<number, Expr>): Expr {
  return mapExpr(e, (x) => (x.kind === 'var' ? map.get(x.id) ?? x : x));
}

/** Does an expression mention this variable? */
export function usesVar(e: Expr, v: Var): boolean {
  return e.kind === 'var' ? e.id === v.id : operands(e).some((x) => usesVar(x, v));
}

/** Every buffer that is read or written under a statement. */
export function buffersOf(s: Stmt): ReadonlyMap<number, { buf: Buffer; reads: number; writes: number }> {
  const out = new Map<number, { buf: Buffer; reads: number; writes: number }>();
  const entry = (buf: Buffer): { buf: Buffer; reads: number; writes: number } => {
    const e = out.get(buf.id) ?? { buf, reads: 0, writes: 0 };
    out.set(buf.id, e);
    return e;
  };
  visitStmt(s, (x) => {
    if (x.kind === 'store' || x.kind === 'accum' || x.kind === 'atomic') entry(x.buf).writes++;
    if (x.kind === 'accum' || x.kind === 'atomic') entry(x.buf).reads++;
    if (x.kind === 'call') for (const a of x.args) if (a.kind !== 'value') { if (a.kind === 'array' || (a.kind === 'place' && a.writes)) entry(a.buf).writes++; entry(a.buf).reads++; }
    if (x.kind === 'instr') {
      x.args.forEach((a, i) => {
        const p = x.def.meaning.params[i];
        if (a.kind !== 'place' || p?.kind !== 'tensor') return;
        if (p.buf.access !== 'in') entry(a.buf).writes++;
        if (p.buf.access !== 'out') entry(a.buf).reads++;
      });
    }
  });
  visitExprs(s, (e) => { if (e.kind === 'load') entry(e.buf).reads++; });
  return out;
}

/** A text that is equal for structurally equal expressions (locations do not count). */
export function exprKey(e: Expr): string {
  switch (e.kind) {
    case 'const': return `${Object.is(e.value, -0) ? '-0' : e.value}:${e.dtype}`;
    case 'size': return `#${e.name}`;
    case 'stride': return `s${e.buf.id}.${e.dim}`;
    case 'scalar': return `$${e.name}`;
    case 'var': return `v${e.id}`;
    case 'load': return `b${e.buf.id}${e.as ?? ''}x${e.lanes}[${e.index.map(exprKey).join(',')}]`;
    case 'binary': case 'cmp': case 'unary': case 'reduce': case 'subgroup': return `${e.fn}.${e.dtype}x${e.lanes}(${operands(e).map(exprKey).join(',')})`;
    case 'shuffle': return `shuffle.${e.dtype}[${e.pick.join()}](${exprKey(e.a)},${exprKey(e.b)})`;
    default: return `${e.kind}.${e.dtype}x${e.lanes}(${operands(e).map(exprKey).join(',')})`;
  }
}
/** Are they structurally equal? Locations do not count; buffers and variables must be the same ones. */
export const sameExpr = (a: Expr, b: Expr): boolean => a === b || exprKey(a) === exprKey(b);
