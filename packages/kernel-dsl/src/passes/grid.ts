import { isBound, operands, visitStmt } from '../ir/index.ts';
import type { DType, Expr, For, LoopKind, Stmt } from '../ir/index.ts';

/** The places of lanes, and of workgroups and lanes. */
export type LanePlace = Extract<LoopKind, `lane.${string}`>;
export type GridPlace = Extract<LoopKind, `block.${string}`> | LanePlace;

/** Is it a loop over workgroups or over the lanes of one? */
export const isGrid = (s: Stmt): s is For & { readonly loop: GridPlace } => s.kind === 'for' && isBound(s.loop);
/** Is it a loop over workgroups? */
export const isBlock = (s: Stmt): s is For => s.kind === 'for' && s.loop.startsWith('block.');
/** Is it a loop over the lanes of a workgroup? */
export const isLanes = (s: Stmt): s is For & { readonly loop: LanePlace } => s.kind === 'for' && s.loop.startsWith('lane.');

/** Is there a statement of this kind in s, itself included? */
export function holds(s: Stmt, is: (x: Stmt) => boolean): boolean {
  let found = false;
  visitStmt(s, (x) => { found ||= is(x); return found ? false : undefined; });
  return found;
}

const COUNTS: readonly DType[] = ['i64', 'i32', 'u32', 'i16', 'u16', 'i8', 'u8', 'bool'];

/** Can a host tell its value at launch? It is made of sizes, strides, integer scalars and variables for which `known` says so. */
export function onHost(e: Expr, known: (id: number) => boolean): boolean {
  if (e.lanes !== 1 || !COUNTS.includes(e.dtype)) return false;
  switch (e.kind) {
    case 'const': case 'size': case 'stride': case 'scalar': return true;
    case 'var': return known(e.id);
    case 'cast': case 'unary': case 'binary': case 'cmp': case 'select': return operands(e).every((x) => onHost(x, known));
    default: return false;
  }
}
