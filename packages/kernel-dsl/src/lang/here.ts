import type { Loc } from '../ir/index.ts';

/** Frames of this package are not the author's. Both layouts count: sources under src/, built files under dist/. */
const OWN = new URL('..', import.meta.url).href.replace(/^file:\/\//, '');

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
    if (file.startsWith(OWN) || file.startsWith('node:')) continue;
    return { file, line: Number(m[2]), col: Number(m[3]) };
  }
  return undefined;
}
