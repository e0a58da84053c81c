import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArgumentError, KernelCompileError } from '../errors/index.ts';
import { cpuInfo } from '../machine/index.ts';
import { ABI } from '../native/index.ts';
import { type KernelLibrary, openLibrary } from '../library/index.ts';
import { cacheDir, makeDir } from './cache-dir.ts';
import { type Compiler, compiler } from './compiler.ts';
import { isaFlags } from './flags.ts';

/** A C file to compile; it may include "quern.h". */
export interface CSource {
  /** File name, such as `axpy.c`. */
  readonly path: string;
  readonly text: string;
  /** More flags for this file alone. */
  readonly flags?: readonly string[];
}

/** How to compile. */
export interface CompileOptions {
  /** For people who look into the cache; letters, digits, dot, dash, underscore. */
  readonly name?: string;
  /** The instruction set to compile for; default: the best of this CPU. */
  readonly isa?: string;
  /** Instead of the flags of the instruction set. */
  readonly flags?: readonly string[];
  /** Anything else that the result depends on, such as the version of the generator. */
  readonly version?: string;
  /** Default: `cacheDir()`. */
  readonly cacheDir?: string;
}

/** A compiled library and how it came to be. */
export interface Compiled {
  /** The shared object. */
  readonly path: string;
  /** The folder with the sources, the shared object and `entry.json`. */
  readonly dir: string;
  readonly key: string;
  /** `hit`: found in the cache; `miss`: compiled; `repaired`: what the cache held was damaged, so it was compiled again. */
  readonly cache: 'hit' | 'miss' | 'repaired';
  readonly command: string;
  /** The compiler's output; empty on a hit. */
  readonly log: string;
}

const include = fileURLToPath(new URL('../../native/include/', import.meta.url));

/** Flags that every run-time compilation has. Products and sums round separately, as the interpreter's do. */
export const BASE_FLAGS: readonly string[] = ['-std=gnu11', '-O2', '-ffp-contract=off', '-fPIC', '-fvisibility=hidden'];

function sha256(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  // Lengths go in too: no two lists of parts look alike.
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex');
}

interface Entry {
  readonly key: string;
  readonly library: string;
  readonly command: string;
}

/** Whether the folder holds what the key promises, byte for byte. */
function intact(dir: string, key: string, sources: readonly CSource[]): 'yes' | 'absent' | 'damaged' {
  let text: string;
  try {
    text = readFileSync(join(dir, 'entry.json'), 'utf8');
  } catch {
    return 'absent';
  }
  try {
    const entry = JSON.parse(text) as Partial<Entry>;
    if (entry.key !== key || sha256(readFileSync(join(dir, 'kernels.so'))) !== entry.library) return 'damaged';
    return sources.every((s) => readFileSync(join(dir, s.path), 'utf8') === s.text) ? 'yes' : 'damaged';
  } catch {
    return 'damaged';
  }
}

function run(cc: Compiler, args: readonly string[], cwd: string, name: string): string {
  const [program = '', ...rest] = [...cc.command, ...args];
  const command = [program, ...rest].join(' ');
  const result = spawnSync(program, rest, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  const log = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  if (result.error !== undefined) throw new KernelCompileError(`the C compiler could not be started: ${result.error.message}`, { log, command });
  if (result.status !== 0) throw new KernelCompileError(`the C compiler refused '${name}' (${result.signal ?? `status ${result.status}`})`, { log, command });
  return log;
}

/** Compiles in `dir`; the sources are there already. One call, or one for each file when files have flags of their own. */
function build(cc: Compiler, flags: readonly string[], sources: readonly CSource[], dir: string, name: string): { command: string; log: string } {
  const own = sources.some((s) => (s.flags ?? []).length > 0);
  const link = ['-shared', '-Wl,-z,now', '-o', 'kernels.so'];
  const files = sources.map((s) => s.path).filter((p) => p.endsWith('.c'));
  if (!own) {
    const args = [...flags, `-I${include}`, ...files, ...link, '-lm'];
    return { log: run(cc, args, dir, name), command: [...cc.command, ...args].join(' ') };
  }
  const steps = [
    ...sources.filter((s) => s.path.endsWith('.c')).map((s) => [...flags, ...(s.flags ?? []), `-I${include}`, '-c', s.path, '-o', `${s.path}.o`]),
    [...files.map((f) => `${f}.o`), ...link, '-lm'],
  ];
  const log = steps.map((args) => run(cc, args, dir, name)).join('');
  for (const f of files) rmSync(join(dir, `${f}.o`), { force: true });
  return { log, command: steps.map((args) => [...cc.command, ...args].join(' ')).join(' && ') };
}

function check(sources: readonly CSource[], name: string): void {
  if (!/^\w[\w.-]*$/.test(name)) throw new ArgumentError(`name must consist of letters, digits, dot, dash and underscore, got '${name}'`);
  const bad = sources.find((s) => !/^\w[\w.-]*\.[ch]$/.test(s.path));
  if (bad !== undefined) throw new ArgumentError(`'${bad.path}' is no name for a C source: it must be a plain file name that ends in .c or .h`);
  if (!sources.some((s) => s.path.endsWith('.c'))) throw new ArgumentError('there is no C file to compile');
  if (new Set(sources.map((s) => s.path)).size !== sources.length) throw new ArgumentError('two sources have one name');
}

/**
 * Compiles C sources to a shared object, or finds it in the cache. The cache's key covers sources, flags, compiler, CPU,
 * kernel ABI and `version`; entries are checked byte for byte before they are used, and written under another name
 * first, so that processes can share a cache and a broken entry is made anew.
 *
 * @throws KernelCompileError with the compiler's output. @throws FileError when no cache folder can be written.
 * @example
 * const { path } = compileC([{ path: 'k.c', text: '...quern_library_get...' }]);
 * openLibrary(path, 'compiled').kernel('k');
 */
export function compileC(sources: readonly CSource[], options: CompileOptions = {}): Compiled {
  const name = options.name ?? 'kernel';
  check(sources, name);
  const isa = options.isa ?? cpuInfo().isas[0] ?? 'generic';
  const folder = options.cacheDir ?? cacheDir().path, cc = compiler(folder);
  const flags = options.flags ?? [...BASE_FLAGS, ...isaFlags(isa)];
  const key = sha256(
    JSON.stringify(sources.map((s) => [s.path, s.text, s.flags ?? []])), JSON.stringify(flags), cc.command.join(' '), cc.version, isa,
    String(ABI), readFileSync(join(include, 'quern.h')), options.version ?? '', process.platform, process.arch,
  );
  const parent = join(folder, 'kernels');
  const dir = join(parent, `${name}-${key.slice(0, 32)}`);
  const state = intact(dir, key, sources);
  if (state === 'yes') {
    const { command } = JSON.parse(readFileSync(join(dir, 'entry.json'), 'utf8')) as Entry;
    return { path: join(dir, 'kernels.so'), dir, key, cache: 'hit', command, log: '' };
  }
  const draft = join(parent, `.draft-${process.pid}-${randomBytes(6).toString('hex')}`);
  makeDir(draft);
  try {
    for (const s of sources) writeFileSync(join(draft, s.path), s.text);
    const { command, log } = build(cc, flags, sources, draft, name);
    const entry: Entry = { key, library: sha256(readFileSync(join(draft, 'kernels.so'))), command };
    writeFileSync(join(draft, 'entry.json'), JSON.stringify(entry, null, 2));
    settle(draft, dir, () => intact(dir, key, sources) === 'yes');
    return { path: join(dir, 'kernels.so'), dir, key, cache: state === 'damaged' ? 'repaired' : 'miss', command, log };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Moves a finished entry to its place. Another process may have been quicker, which is as good; a damaged entry gives way. */
function settle(draft: string, dir: string, done: () => boolean): void {
  for (let attempt = 0; ; attempt++) {
    try {
      renameSync(draft, dir);
      return;
    } catch (error) {
      if (done()) return;
      if (attempt === 3) throw error;
      // Moved aside, not overwritten: a process may have the damaged file mapped.
      const old = `${draft}-old-${attempt}`;
      try {
        renameSync(dir, old);
      } catch { /* somebody else moved it */ }
      rmSync(old, { recursive: true, force: true });
    }
  }
}

/** Compiles C sources and loads the library. @throws as `compileC` and `openLibrary` */
export function compileLibrary(sources: readonly CSource[], options: CompileOptions = {}): { readonly library: KernelLibrary; readonly compiled: Compiled } {
  const compiled = compileC(sources, options);
  return { library: openLibrary(compiled.path, 'compiled'), compiled };
}
