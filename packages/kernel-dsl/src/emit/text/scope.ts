import type { Buffer, Expr, Stmt, Store } from '../../ir/index.ts';
import { buffersOf, exprsOf, operands } from '../../ir/index.ts';
import { EmitError } from '../error.ts';
import type { Live } from './live.ts';

/** What stands in one C scope: blocks and regions do not open a scope of their own. */
export function flatten(s: Stmt): Stmt[] {
  if (s.kind === 'block') return s.body.flatMap(flatten);
  return s.kind === 'region' ? [{ ...s, body: { kind: 'block', body: [] } }, ...flatten(s.body)] : [s];
}

/** Does a statement only make what nothing uses? */
export function isDead(live: Live, s: Stmt): boolean {
  if (s.kind === 'let') return !live.vars.has(s.v.id);
  return (s.kind === 'alloc' || s.kind === 'store' || s.kind === 'accum') && s.buf.space === 'reg' && !live.regs.has(s.buf.id);
}

/** Is the first thing that happens to a register, on every way through these statements, that it is written? */
export function writtenFirst(buf: Buffer, following: readonly Stmt[]): Store | 'branches' | undefined {
  for (const s of following) {
    const use = buffersOf(s).get(buf.id);
    if (!use) continue;
    if (s.kind === 'store') return use.reads === 0 ? s : undefined;
    if (s.kind !== 'if' || !s.else || exprsOf(s).some((e) => reads(e, buf))) return undefined;
    return writtenFirst(buf, flatten(s.then)) && writtenFirst(buf, flatten(s.else)) ? 'branches' : undefined;
  }
  return undefined;
}
const reads = (e: Expr, buf: Buffer): boolean => (e.kind === 'load' && e.buf.id === buf.id) || operands(e).some((x) => reads(x, buf));

/** How many elements a buffer of constant shape has. */
export function elements(b: Buffer): number {
  return b.shape.reduce((n, d) => {
    if (d.kind !== 'const') throw new EmitError(`${b.name} has a dimension that is not a constant`, b.loc);
    return n * d.value;
  }, 1);
}
