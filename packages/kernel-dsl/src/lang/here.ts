import type { Loc } from '../ir/index.ts';

/** Frames of this package are not the author's. Built files lie under dist/; with source maps on, Node names their sources under src/. */
const OWN = ['src/', 'dist/'].map((folder) => new URL(`../../${folder}`, import.meta.url).href.replace(/^file:\/\//, ''));

/** The author's position: the innermost stack frame outside of this package. */
export function here(): Loc | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 16;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = limit;
  for (const line of stack.split('\n').slice(1)) {
    const m = /\(?((?:file:\/\/)?(?:[a-z]+:\/\/)?[^()\s]+):(\d+):(\d+)\)?$/.exec(line);
    if (!m) continue;
    const file = m[1]!.replace(/^file:\/\//, '');
    if (OWN.some((folder) => file.startsWith(folder)) || file.startsWith('node:')) continue;
    return { file, line: Number(m[2]), col: Number(m[3]) };
  }
  return undefined;
}
