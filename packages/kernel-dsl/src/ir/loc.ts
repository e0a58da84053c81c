/** A place in the author's source. `col` and `line` start at 1. */
export interface Loc {
  readonly file: string;
  readonly line: number;
  readonly col: number;
}

/** Renders a location the way editors and terminals link it: `file:line:col`. */
export const showLoc = (l: Loc | undefined): string => (l ? `${l.file}:${l.line}:${l.col}` : '(no source location)');
