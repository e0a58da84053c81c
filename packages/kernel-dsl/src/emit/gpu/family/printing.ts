import type { Expr, For, If, Loc, Region, Stmt, While } from '../../../ir/index.ts';
import { constant, isConst, sub, visitStmt } from '../../../ir/index.ts';
import { infix, oneLine, place } from '../../text/index.ts';
import type { Live, Text, Writer } from '../../text/index.ts';
import { varKey } from './frame.ts';
import type { Frame, Indexing } from './frame.ts';
import { interval } from './index-text.ts';
import { noteVarying } from './varying.ts';

/** What statements of one launch share besides the frame. */
export interface Printing<F = Frame> {
  readonly f: F;
  readonly w: Writer;
  readonly live: Live;
  /** Registers whose declaration waits for the store that gives them their first value. */
  readonly waiting: Set<number>;
  /** The author's line that was printed last. */
  at: string | undefined;
  /** How many branches and loops around this place are not taken alike by all lanes. */
  diverged: number;
}
/** Printing in any language: what its frames have in common. */
type AnyPrinting<B> = Printing<Indexing & Pick<Frame, 'namer' | 'nonNegative' | 'varying'> & { readonly symbols: { set(key: string, s: { readonly name: string; readonly bits: B }): unknown } }>;

/** The comment that opens a named part of the program. */
export function printRegion(p: Pick<Printing, 'w' | 'at'>, s: Region): void {
  const where = place(s.loc);
  p.w.heading(`${oneLine(s.name)}${where ? `   ${where}` : ''}`);
  if (where) p.at = where;
}

/** The author's line as a trailing comment, once while it stays the same. */
export function trailing(p: Pick<Printing, 'at'>, s: { readonly loc?: Loc | undefined }): string {
  const where = place(s.loc);
  if (!where || where === p.at) return '';
  p.at = where;
  return `   // ${where}`;
}

/** Is it one name or number, that need not get a name before a loop asks for it again and again? */
export const isSimple = (e: Expr): boolean => e.kind === 'const' || e.kind === 'size' || e.kind === 'var';

/** Binds the variable of a loop with this extent, and returns its name. */
export function bindLoopVar<B extends 32 | 64>(p: AnyPrinting<B>, s: For | While, extent: Expr, bits: B, differs: boolean): string {
  const { f } = p, name = f.namer.take(s.v.name), b = interval(f, extent);
  f.symbols.set(varKey(s.v), { name, bits });
  f.nonNegative.add(s.v.id);
  f.intervals.set(s.v.id, b && { lo: constant(0), hi: sub(b.hi, constant(1)) });
  if (differs) f.varying.add(varKey(s.v));
  return name;
}

/** Prints a body in which, if it `differs`, not all lanes may take part. */
export function inside(p: Pick<Printing, 'diverged'>, differs: boolean, body: () => void): void {
  if (differs) p.diverged++;
  body();
  if (differs) p.diverged--;
}

/** Registers that a loop changes differ from lane to lane from its first round on, if they do at its end. */
export function markWritten(p: { readonly f: Pick<Frame, 'varying'> }, body: Stmt, differs: boolean): void {
  for (let before = -1; before !== p.f.varying.size;) {
    before = p.f.varying.size;
    visitStmt(body, (x) => noteVarying(p.f, x, differs));
  }
}

/** A branch in braces. */
export function printBranches(p: Pick<Printing, 'w' | 'diverged'>, s: If, cond: string, differs: boolean, scope: (s: Stmt) => void): void {
  const { w } = p, other = s.else;
  w.open(`if (${cond}) {`);
  inside(p, differs, () => scope(s.then));
  if (other) { w.turn('} else {'); inside(p, differs, () => scope(other)); }
  w.locs = [];
  w.close();
}

/** The number of a workgroup along a direction, of grids that are numbered along x alone. `extent`: the grid's along x and y. */
export function blockOf(flat: Text, d: 0 | 1 | 2, grid: readonly Expr[], extent: (d: 0 | 1) => Text): Text {
  const one = (k: 1 | 2): boolean => isConst(grid[k]!, 1);
  if (d === 0) return one(1) && one(2) ? flat : infix('%', flat, extent(0));
  const above = infix('/', flat, extent(0));
  if (d === 1) return one(2) ? above : infix('%', above, extent(1));
  return infix('/', above, extent(1));
}
