import { addConst, combineForms, formOf, isUnreachable, proves, rangeOfForm } from '../affine/index.ts';
import type { Form, Scope, Space } from '../affine/index.ts';
import { printExpr } from '../ir/index.ts';
import type { Access, Program } from './program.ts';

/** An access of which one bound is not proved: index `dim` may be below 0, or `beyond` the extent. */
export interface Unbounded { readonly access: Access; readonly dim: number; readonly side: 'below' | 'beyond'; readonly goal: Form; readonly space: Space }

/** Every bound of every access that is not proved: 0 <= index, and index + width <= extent. */
export function unbounded(p: Program): { readonly open: readonly Unbounded[]; readonly proved: number } {
  const open: Unbounded[] = [];
  let proved = 0;
  for (const a of p.accesses) {
    const space = a.lanes > 1 ? p.atLane(a.lanes) : p.space;
    const before = open.length;
    for (const [dim, e] of a.index.entries()) {
      const i = formOf(space, e), width = dim === a.index.length - 1 ? a.width : 1;
      if (!holds(space, i, a.place.scope)) { open.push({ access: a, dim, side: 'below', goal: i, space }); break; }
      const beyond = addConst(combineForms(formOf(p.space, a.buf.shape[dim]!), i, -1), -width);
      if (!holds(space, beyond, a.place.scope)) { open.push({ access: a, dim, side: 'beyond', goal: beyond, space }); break; }
    }
    if (open.length === before) proved++;
  }
  return { open, proved };
}

const holds = (s: Space, f: Form, at: Scope): boolean => rangeOfForm(s, f).lo >= 0 || proves(s, f, at) || (f.t.size === 0 && isUnreachable(s, at));

/** An access as people read it. */
export const showAccess = (a: Access): string => `${a.buf.name}[${a.index.map(printExpr).join(', ')}]`;
