import type { Loc } from '../ir/index.ts';

/** Frames of this package are not the author's. Built files lie under dist/; with source maps on, Node names their sources under src/. */
const OWN = ['src/', 'dist/'].map((folder) => new URL(`../../${folder}`, import.meta.url).href.replace(/^file:\/\//, ''));
const plain = (file: string): string => file.replace(/^file:\/\//, '');
const isOwn = (file: string): boolean => OWN.some((folder) => file.startsWith(folder)) || file.startsWith('node:');

/** Most authors are near; the others are looked for in as many frames as this. */
const NEAR = 6, FAR = 16;

/** Where a frame is in the code that runs: its file, and the character of it. */
interface Place { readonly file: string; readonly at: number }
/** What {@link here} found for a place. */
const known = new Map<string, Map<number, Loc | undefined>>();

/** The position that {@link locatedAt} tells, while it does. */
let told: { readonly loc: Loc | undefined } | undefined;

/** Runs `f`, all of which stands at one position of the author's: nothing looks for it again. Nothing that `f` calls may be the author's. */
export function locatedAt<T>(loc: Loc | undefined, f: () => T): T {
  const before = told;
  told = { loc };
  try { return f(); } finally { told = before; }
}

/**
 * The author's position: the innermost stack frame outside of this package.
 * To write a stack down as text, and to look every frame up in source maps, takes longer than to trace the statement that asks. One
 * place in the code is one position in its source, so that is done once for each place.
 */
export function here(): Loc | undefined {
  if (told) return told.loc;
  const limit = Error.stackTraceLimit;
  const place = running(NEAR) ?? running(FAR), found = place && known.get(place.file);
  let loc = place && found?.get(place.at);
  if (loc === undefined && !(place && found?.has(place.at))) {
    Error.stackTraceLimit = FAR;
    loc = written();
    if (found) found.set(place!.at, loc);
    else if (place) known.set(place.file, new Map([[place.at, loc]]));
  }
  Error.stackTraceLimit = limit;
  return loc;
}

/** Whether the file of a frame, as the engine names it, is of this package. */
const own = new Map<string, boolean>();
function ownFile(name: string): boolean {
  let is = own.get(name);
  if (is === undefined) own.set(name, is = isOwn(plain(name)));
  return is;
}
const asFrames = (_: Error, frames: readonly NodeJS.CallSite[]): unknown => frames;

/** The author's frame as the engine has it, before source maps; undefined where frames cannot be had, or do not tell whose they are. */
function running(limit: number): Place | undefined {
  const { prepareStackTrace } = Error;
  Error.stackTraceLimit = limit;
  Error.prepareStackTrace = asFrames;
  const frames = new Error().stack as unknown as readonly NodeJS.CallSite[] | string | undefined;
  Error.prepareStackTrace = prepareStackTrace;
  // In a bundle, only its source map says which frames are ours.
  if (typeof frames !== 'object' || !ownFile(frames[0]?.getFileName() ?? '')) return undefined;
  for (const frame of frames) {
    const file = frame.getFileName() ?? undefined;
    if (file === undefined) {
      if (frame.getLineNumber() === null) continue; // a function of the engine, such as Array.map
      return undefined;
    }
    if (!ownFile(file)) return { file, at: frame.getPosition() };
  }
  return undefined;
}

/** The author's frame in the text of the stack, where source maps have been applied. */
function written(): Loc | undefined {
  for (const line of (new Error().stack ?? '').split('\n').slice(1)) {
    const m = /\(?((?:file:\/\/)?(?:[a-z]+:\/\/)?[^()\s]+):(\d+):(\d+)\)?$/.exec(line);
    if (!m) continue;
    const file = plain(m[1]!);
    if (isOwn(file)) continue;
    return { file, line: Number(m[2]), col: Number(m[3]) };
  }
  return undefined;
}
