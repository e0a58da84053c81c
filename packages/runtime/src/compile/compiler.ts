import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { KernelCompileError, type Reason } from '../errors/index.ts';
import { makeDir } from './cache-dir.ts';

/** A C compiler of this machine. */
export interface Compiler {
  /** Program and leading arguments: `['ccache', 'gcc']`. */
  readonly command: readonly string[];
  /** What `--version` prints: its identity in cache keys. */
  readonly version: string;
}

/** Which compilers there are, and why the others are not. */
export interface CompilerSearch {
  readonly compiler: Compiler | undefined;
  readonly reasons: readonly Reason[];
}

const known = new Map<string, Compiler | string>();

/** The program file of a compiler, and what changes when it is replaced. undefined: a launcher or script, behind which another compiler may come to stand. */
function fileOf(command: readonly string[]): { readonly file: string; readonly state: string } | undefined {
  const [program = ''] = command;
  if (command.length !== 1) return undefined;
  for (const at of program.includes('/') ? [program] : (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, program))) {
    try {
      const file = realpathSync(at), { size, mtimeMs, ctimeMs, ino } = statSync(file);
      return /^([\w.]+-)*(gcc|clang)(-[\d.]+)?$/.test(basename(file)) && isElf(file) ? { file, state: [size, mtimeMs, ctimeMs, ino].join(' ') } : undefined;
    } catch { /* not there */ }
  }
  return undefined;
}

function isElf(file: string): boolean {
  const head = Buffer.alloc(4), fd = openSync(file, 'r');
  try { return readSync(fd, head) === 4 && head.readUInt32BE() === 0x7f454c46; } finally { closeSync(fd); }
}

/** The answers of compilers whose files have not changed since: to start one takes longer than to load a kernel. */
type Answers = Record<string, { readonly state: string; readonly version: string } | undefined>;
function answers(path: string): Answers {
  try {
    const all: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof all === 'object' && all !== null ? all as Answers : {};
  } catch {
    return {};
  }
}
function remember(path: string, file: string, answer: NonNullable<Answers[string]>): void {
  const draft = `${path}.${process.pid}`;
  try {
    makeDir(dirname(path));
    writeFileSync(draft, JSON.stringify({ ...answers(path), [file]: answer }, null, 2));
    renameSync(draft, path);
  } catch { /* asked again next time */ }
}

function identify(command: readonly string[], folder: string | undefined): Compiler | string {
  const key = command.join(' ');
  let found = known.get(key);
  if (found === undefined) {
    const path = folder === undefined ? undefined : join(folder, 'compilers.json'), at = path === undefined ? undefined : fileOf(command), old = at && answers(path!)[at.file];
    if (old && old.state === at.state && typeof old.version === 'string') found = { command, version: old.version };
    else {
      const [program = '', ...rest] = command;
      const result = spawnSync(program, [...rest, '--version'], { encoding: 'utf8', timeout: 20_000 });
      found = result.error !== undefined ? ((result.error as { code?: string }).code === 'ENOENT' ? 'not found' : result.error.message)
        : result.status === 0 ? { command, version: result.stdout.trim() } : `\`${key} --version\` ended with status ${result.status}`;
      if (at && typeof found !== 'string') remember(path!, at.file, { state: at.state, version: found.version });
    }
    known.set(key, found);
  }
  return found;
}

/** Looks for a C compiler: CC (a program with arguments), then cc, gcc, clang. CC, when set, is the only candidate. What a compiler says of itself is kept in `folder`, where one is given. */
export function findCompiler(folder?: string): CompilerSearch {
  const cc = process.env['CC']?.trim();
  const candidates = cc ? [cc.split(/\s+/)] : [['cc'], ['gcc'], ['clang']];
  const reasons: Reason[] = [];
  for (const command of candidates) {
    const found = identify(command, folder);
    const candidate = command.join(' ');
    if (typeof found !== 'string') {
      reasons.push({ candidate, verdict: 'chosen', code: cc ? 'CC' : 'found', detail: found.version.split('\n')[0] ?? '' });
      return { compiler: found, reasons };
    }
    reasons.push({ candidate, verdict: 'unavailable', code: 'not-found', detail: found });
  }
  return { compiler: undefined, reasons };
}

/** The C compiler; `folder` as for `findCompiler`. @throws KernelCompileError when there is none. */
export function compiler(folder?: string): Compiler {
  const { compiler: found, reasons } = findCompiler(folder);
  if (found !== undefined) return found;
  const log = reasons.map((r) => `${r.candidate}: ${r.detail}`).join('\n');
  throw new KernelCompileError('no C compiler was found', { log, command: reasons.map((r) => r.candidate).join(', ') }, {
    fix: process.env['CC'] ? 'correct or unset CC' : 'install gcc or clang (Debian: apt-get install gcc), or set CC',
  });
}
