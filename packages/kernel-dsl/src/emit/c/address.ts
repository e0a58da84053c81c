import type { Buffer, Expr, Stmt } from '../../ir/index.ts';
import { exprKey, exprsOf, isConst, operands, visitExpr } from '../../ir/index.ts';
import { flatIndex, rampOf, splitIndex } from '../text/index.ts';
import type { Frame } from './frame.ts';
import { bufKey, nameOf } from './frame.ts';

/** A pointer (the buffer, or a name for a place in it) and the offset from there. */
export interface Address {
  readonly pointer: string;
  readonly offset: Expr;
}

const keyOf = (buf: Buffer, base: Expr): string => `${buf.id}:${exprKey(base)}`;

/** Where an element lies, from the nearest pointer that the scope has. `index` is scalar. */
export function addressOf(f: Frame, buf: Buffer, index: readonly Expr[]): Address {
  const { base, rest } = splitIndex(buf, index), pointer = f.pointers.get(keyOf(buf, base));
  return pointer === undefined ? { pointer: nameOf(f, bufKey(buf), buf.name), offset: flatIndex(buf, index) } : { pointer, offset: rest };
}

/** A place that many accesses share. */
export interface SharedPlace {
  readonly key: string;
  readonly buf: Buffer;
  readonly base: Expr;
}

const operations = (e: Expr): number => operands(e).reduce((n, x) => n + operations(x), e.kind === 'binary' ? 1 : 0);

/** The places in memory that a statement itself reads or writes. */
function placesOf(s: Stmt): SharedPlace[] {
  const out: SharedPlace[] = [];
  const visit = (buf: Buffer, index: readonly Expr[]): void => {
    const first = buf.space === 'reg' || buf.packed ? undefined : index.every((e) => e.lanes === 1) ? index : rampOf(buf, index)?.first;
    if (!first) return;
    const { base } = splitIndex(buf, first);
    out.push({ key: keyOf(buf, base), buf, base });
  };
  for (const e of exprsOf(s)) visitExpr(e, (x) => { if (x.kind === 'load') visit(x.buf, x.index); });
  if (s.kind === 'store' || s.kind === 'accum') visit(s.buf, s.index);
  if (s.kind === 'instr') for (const a of s.args) if (a.kind === 'place') visit(a.buf, a.index);
  return out;
}

const straight = (s: Stmt): boolean => s.kind === 'let' || s.kind === 'store' || s.kind === 'accum' || s.kind === 'instr';

/** For each straight-line statement the places that deserve a pointer from it on: used again and again, and long to write. */
export function pointersFor(scope: readonly Stmt[]): ReadonlyMap<Stmt, readonly SharedPlace[]> {
  const uses = new Map<string, { first: Stmt; place: SharedPlace; count: number }>();
  for (const s of scope) {
    if (!straight(s)) continue;
    for (const place of placesOf(s)) {
      const u = uses.get(place.key) ?? { first: s, place, count: 0 };
      u.count++;
      uses.set(place.key, u);
    }
  }
  const out = new Map<Stmt, SharedPlace[]>();
  for (const { first, place, count } of uses.values()) {
    const n = operations(place.base);
    if (isConst(place.base) || !((n >= 2 && count >= 2) || (n === 1 && count >= 4))) continue;
    out.set(first, [...(out.get(first) ?? []), place]);
  }
  return out;
}
