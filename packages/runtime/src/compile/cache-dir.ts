import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { FileError } from '../errors/index.ts';

/** A folder that holds compiled kernels. */
export interface CacheDir {
  readonly path: string;
  /** Which rule named it. */
  readonly source: 'QUERN_CACHE_DIR' | 'XDG_CACHE_HOME' | 'home' | 'temporary';
}

function candidates(): CacheDir[] {
  const chosen = process.env['QUERN_CACHE_DIR'];
  if (chosen) return [{ path: chosen, source: 'QUERN_CACHE_DIR' }];
  const list: CacheDir[] = [];
  const xdg = process.env['XDG_CACHE_HOME'];
  if (xdg) list.push({ path: join(xdg, 'quern'), source: 'XDG_CACHE_HOME' });
  try {
    list.push({ path: join(homedir(), '.cache', 'quern'), source: 'home' });
  } catch { /* a user without a home */ }
  list.push({ path: join(tmpdir(), `quern-cache-${userId()}`), source: 'temporary' });
  return list;
}

function userId(): number {
  return typeof process.getuid === 'function' ? process.getuid() : userInfo().uid;
}

/** Makes a folder and those above it. Node's own `recursive` never returns where a file system answers ENOENT for good, as /proc does. */
export function makeDir(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDir(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been quicker.
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  }
}

/** Why the folder cannot be used, or undefined. Code is loaded from it: nobody else may be able to write there. */
function problem({ path, source }: CacheDir): string | undefined {
  try {
    makeDir(path);
    if (source === 'temporary') {
      const { uid } = lstatSync(path);
      if (uid !== userId() || !lstatSync(path).isDirectory()) return 'it belongs to another user';
      chmodSync(path, 0o700);
    }
    const probe = join(path, `.probe-${process.pid}-${Math.random().toString(36).slice(2)}`);
    writeFileSync(probe, '');
    rmSync(probe);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * The folder for compiled kernels, which exists and can be written: QUERN_CACHE_DIR, else the user's cache folder, else
 * one of the user's own among temporary files.
 *
 * @throws FileError when none can be used.
 */
export function cacheDir(): CacheDir {
  const problems: string[] = [];
  for (const candidate of candidates()) {
    const why = problem(candidate);
    if (why === undefined) return candidate;
    problems.push(`  ${candidate.path} (${candidate.source}): ${why}`);
  }
  throw new FileError(`no folder for compiled kernels can be used:\n${problems.join('\n')}`, { fix: 'set QUERN_CACHE_DIR to a folder that can be written' });
}
