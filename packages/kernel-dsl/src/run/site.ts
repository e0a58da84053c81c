import type { Loc, LoopKind } from '../ir/index.ts';
import { RunError } from './error.ts';
import type { RunErrorDetail, RunErrorId } from './error.ts';

/** The place in a kernel that a closure was compiled from: what a fault there has to tell. */
export interface Site {
  readonly loc: Loc | undefined;
  readonly step: string | undefined;
  /** The loop variables in scope, outermost first, with a way to see their values now. */
  readonly loops: readonly { readonly name: string; readonly kind: LoopKind; readonly now: () => number }[];
}

/** A node without a location is part of what encloses it. */
export const within = (s: Site, node: { readonly loc?: Loc | undefined; readonly step?: string | undefined }): Site =>
  node.loc || node.step ? { loc: node.loc ?? s.loc, step: node.step ?? s.step, loops: s.loops } : s;

export function raise(s: Site, id: RunErrorId, what: string, d: RunErrorDetail = {}): never {
  const vars = s.loops.map((l) => `${l.name} = ${l.now()}`).join(', ');
  throw new RunError(id, vars ? `${what} (${vars})` : what, { loc: s.loc, step: s.step, at: Object.fromEntries(s.loops.map((l) => [l.name, l.now()])), ...d });
}
