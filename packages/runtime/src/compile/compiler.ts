import { spawnSync } from 'node:child_process';
import { KernelCompileError, type Reason } from '../errors/index.ts';

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

function identify(command: readonly string[]): Compiler | string {
  const key = command.join(' ');
  let found = known.get(key);
  if (found === undefined) {
    const [program = '', ...rest] = command;
    const result = spawnSync(program, [...rest, '--version'], { encoding: 'utf8', timeout: 20_000 });
    found = result.error !== undefined ? ((result.error as { code?: string }).code === 'ENOENT' ? 'not found' : result.error.message)
      : result.status === 0 ? { command, version: result.stdout.trim() } : `\`${key} --version\` ended with status ${result.status}`;
    known.set(key, found);
  }
  return found;
}

/** Looks for a C compiler: CC (a program with arguments), then cc, gcc, clang. CC, when set, is the only candidate. */
export function findCompiler(): CompilerSearch {
  const cc = process.env['CC']?.trim();
  const candidates = cc ? [cc.split(/\s+/)] : [['cc'], ['gcc'], ['clang']];
  const reasons: Reason[] = [];
  for (const command of candidates) {
    const found = identify(command);
    const candidate = command.join(' ');
    if (typeof found !== 'string') {
      reasons.push({ candidate, verdict: 'chosen', code: cc ? 'CC' : 'found', detail: found.version.split('\n')[0] ?? '' });
      return { compiler: found, reasons };
    }
    reasons.push({ candidate, verdict: 'unavailable', code: 'not-found', detail: found });
  }
  return { compiler: undefined, reasons };
}

/** The C compiler. @throws KernelCompileError when there is none. */
export function compiler(): Compiler {
  const { compiler: found, reasons } = findCompiler();
  if (found !== undefined) return found;
  const log = reasons.map((r) => `${r.candidate}: ${r.detail}`).join('\n');
  throw new KernelCompileError('no C compiler was found', { log, command: reasons.map((r) => r.candidate).join(', ') }, {
    fix: process.env['CC'] ? 'correct or unset CC' : 'install gcc or clang (Debian: apt-get install gcc), or set CC',
  });
}
