import type { Loc } from '../ir/index.ts';
import { showLoc } from '../ir/index.ts';

/** What an error has to say, in parts. */
export interface Report {
  readonly id: string;
  /** One sentence. */
  readonly text: string;
  readonly fix: string;
  readonly loc: Loc | undefined;
  /** The schedule call that caused it, as text, and where it stands. */
  readonly step: string | undefined;
  readonly stepLoc: Loc | undefined;
  /** Other places that have to do with it, and a counterexample. */
  readonly notes: readonly Note[];
}
/** A line of explanation, with a place of its own or without. */
export interface Note { readonly text: string; readonly loc?: Loc | undefined }

/** Gives the text of a file of the author's, or undefined where it cannot be had. */
export type SourceReader = (file: string) => string | undefined;

function excerpt(loc: Loc | undefined, source: SourceReader | undefined): readonly string[] {
  const line = loc && source?.(loc.file)?.split(/\r?\n/)[loc.line - 1];
  if (!loc || line === undefined) return [];
  const number = String(loc.line), margin = ' '.repeat(number.length);
  // The caret keeps the line's tabs, so that it stands where the column is.
  return [`  ${margin} |`, `  ${number} | ${line}`, `  ${margin} | ${line.slice(0, loc.col - 1).replace(/[^\t]/g, ' ')}^`];
}

/** An error as text: what, where, why and what to do; with `source`, the author's lines with a caret under the place. */
export function renderReport(r: Report, source?: SourceReader): string {
  const at = (l: Loc | undefined): string => (l ? ` at ${showLoc(l)}` : '');
  return [
    `${r.id} ${r.text}`,
    `  --> ${showLoc(r.loc)}`, ...excerpt(r.loc, source),
    ...(r.step ? [`  in ${r.step}${at(r.stepLoc)}`, ...(r.stepLoc && showLoc(r.stepLoc) !== showLoc(r.loc) ? excerpt(r.stepLoc, source) : [])] : []),
    ...r.notes.flatMap((n) => [`  ${n.text}${at(n.loc)}`, ...excerpt(n.loc, source)]),
    `  fix: ${r.fix}`,
  ].join('\n');
}
