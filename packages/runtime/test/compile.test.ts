/** C at run time: the compiler found or missed, errors with its words, and a cache that never lies. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ArgumentError, cacheDir, compileC, compileGenerated, compileLibrary, cpuInfo, FileError, findCompiler, isaFlags, KernelCompileError, openLibrary, parseManifest, zeros,
} from '../src/index.ts';
import { axpyMeta, sampleSource, temporaryDir } from './support/sample.ts';
import { thrown, withEnv } from './support/thrown.ts';

const source = { path: 'sample.c', text: sampleSource };
const cache = temporaryDir();

describe('the cache', () => {
  test('compiles once, then finds it, with source and command beside it', () => {
    const first = compileC([source], { name: 'axpy', cacheDir: cache });
    const second = compileC([source], { name: 'axpy', cacheDir: cache });
    expect([first.cache, second.cache]).toEqual(['miss', 'hit']);
    expect(second.path).toBe(first.path);
    expect(second.command).toBe(first.command);
    expect(first.command).toContain('-ffp-contract=off');
    expect(readFileSync(join(first.dir, 'sample.c'), 'utf8')).toBe(sampleSource);
    expect(readdirSync(first.dir).sort()).toEqual(['entry.json', 'kernels.so', 'sample.c']);
    // Nothing half-made is left behind.
    expect(readdirSync(join(cache, 'kernels')).filter((f) => f.startsWith('.'))).toEqual([]);
  });

  test('everything that the result depends on is in the key', () => {
    const key = (text: string, options: Parameters<typeof compileC>[1] = {}): string => compileC([{ path: 'sample.c', text }], { cacheDir: cache, ...options }).key;
    const keys = [
      key(sampleSource), key(`${sampleSource}\n`), key(sampleSource, { isa: 'generic' }), key(sampleSource, { flags: ['-O1', '-fPIC'] }), key(sampleSource, { version: '2' }),
    ];
    const flags = ['-O2', '-fPIC'];
    keys.push(key(sampleSource, { flags, isa: 'generic' }), key(sampleSource, { flags, isa: 'x86-64' }));
    expect(new Set(keys).size).toBe(keys.length);
    expect(key(sampleSource)).toBe(keys[0]);
  });

  test('another compiler, or another version of it under the same name, is another key', async () => {
    const dir = temporaryDir();
    const compilerOf = (name: string, version: string): string => {
      mkdirSync(join(dir, name), { recursive: true });
      writeFileSync(join(dir, name, 'mycc'), `#!/bin/sh\n[ "$1" = --version ] && echo 'mycc ${version}' || exec cc "$@"\n`);
      chmodSync(join(dir, name, 'mycc'), 0o755);
      return join(dir, name, 'mycc');
    };
    const key = (CC: string): Promise<string> => withEnv({ CC }, () => compileC([source], { cacheDir: dir }).key);
    const one = await key(compilerOf('a', '1'));
    expect(await key(compilerOf('b', '1'))).not.toBe(one);
    // Its identity is asked for once in a process: the same file with another version, asked for under another spelling.
    compilerOf('a', '2');
    expect(await key(join(dir, 'a', '.', 'mycc').replace('/a/', '/./a/'))).not.toBe(one);
  });

  test.each<[string, (dir: string) => void]>([
    ['a truncated library', (dir) => truncateSync(join(dir, 'kernels.so'), 100)],
    ['an empty library', (dir) => truncateSync(join(dir, 'kernels.so'), 0)],
    ['a flipped bit', (dir) => {
      const bytes = readFileSync(join(dir, 'kernels.so'));
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(join(dir, 'kernels.so'), bytes);
    }],
    ['another source', (dir) => writeFileSync(join(dir, 'sample.c'), 'int x;')],
    ['an entry that is not JSON', (dir) => writeFileSync(join(dir, 'entry.json'), '{')],
    ['an entry of something else', (dir) => writeFileSync(join(dir, 'entry.json'), '{}')],
  ])('%s is noticed and made anew', (name, damage) => {
    const options = { name: 'damaged', version: name, cacheDir: cache };
    const { dir } = compileC([source], options);
    damage(dir);
    const again = compileLibrary([source], options);
    expect(again.compiled.cache).toBe('repaired');
    expect(again.library.kernel('axpy').entry.name).toBe('axpy');
    expect(compileC([source], options).cache).toBe('hit');
  });

  test('a missing entry.json is a miss, and what lies there gives way', () => {
    const options = { name: 'half', cacheDir: cache };
    const { dir } = compileC([source], options);
    writeFileSync(join(dir, 'kernels.so'), 'garbage');
    rmSync(join(dir, 'entry.json'));
    expect(compileC([source], options).cache).toBe('miss');
    expect(openLibrary(compileC([source], options).path).hash).toBe('sample');
  });

  test('QUERN_CACHE_DIR decides; where it cannot be written the error says so', async () => {
    const dir = temporaryDir();
    await withEnv({ QUERN_CACHE_DIR: join(dir, 'a', 'b') }, () => {
      expect(cacheDir()).toEqual({ path: join(dir, 'a', 'b'), source: 'QUERN_CACHE_DIR' });
      expect(compileC([source]).path.startsWith(join(dir, 'a', 'b'))).toBe(true);
    });
    writeFileSync(join(dir, 'file'), '');
    await withEnv({ QUERN_CACHE_DIR: join(dir, 'file') }, () => {
      const error = thrown(() => cacheDir());
      expect(error).toBeInstanceOf(FileError);
      expect(error.fix).toContain('QUERN_CACHE_DIR');
    });
    await withEnv({ QUERN_CACHE_DIR: undefined, XDG_CACHE_HOME: join(dir, 'xdg') }, () => {
      expect(cacheDir()).toEqual({ path: join(dir, 'xdg', 'quern'), source: 'XDG_CACHE_HOME' });
    });
    await withEnv({ QUERN_CACHE_DIR: undefined, XDG_CACHE_HOME: undefined, HOME: join(dir, 'file') }, () => {
      expect(cacheDir().source).toBe('temporary');
    });
  });
});

describe('the compiler', () => {
  test('is found, and says what it is', () => {
    const { compiler, reasons } = findCompiler();
    expect(compiler?.version).toMatch(/gcc|clang|GCC|Free Software/);
    expect(reasons.at(-1)?.verdict).toBe('chosen');
  });

  test('is asked again what it is when its file has changed, not before; scripts always are', async () => {
    const dir = temporaryDir(), asked = join(dir, 'asked'), folder = join(dir, 'cache');
    writeFileSync(join(dir, 'fake.c'), `#include <stdio.h>\nint main(void) { FILE *f = fopen("${asked}", "a"); fputc('!', f); fclose(f); puts(VERSION); return 0; }\n`);
    const build = (version: string): void => { execFileSync('cc', [`-DVERSION="${version}"`, join(dir, 'fake.c'), '-o', join(dir, 'fake-gcc-9')]); };
    // Within a process an answer is kept by its command: another spelling each time.
    let spelling = dir;
    const ask = (name: string): Promise<string | undefined> => withEnv({ CC: `${spelling += '/.'}/${name}` }, () => findCompiler(folder).compiler?.version);
    const times = (): number => readFileSync(asked, 'utf8').length;
    build('one');
    expect([await ask('fake-gcc-9'), await ask('fake-gcc-9'), times()]).toEqual(['one', 'one', 1]);
    build('other');
    expect([await ask('fake-gcc-9'), await ask('fake-gcc-9'), times()]).toEqual(['other', 'other', 2]);
    for (const damage of ['', '[]', '{"x', JSON.stringify({ [join(dir, 'fake-gcc-9')]: 7 })]) {
      writeFileSync(join(folder, 'compilers.json'), damage);
      expect(await ask('fake-gcc-9')).toBe('other');
    }
    expect(times()).toBe(6);
    writeFileSync(join(dir, 'my-gcc'), `#!/bin/sh\nexec ${join(dir, 'fake-gcc-9')}\n`, { mode: 0o755 });
    symlinkSync(join(dir, 'my-gcc'), join(dir, 'gcc'));
    expect([await ask('gcc'), await ask('gcc'), times()]).toEqual(['other', 'other', 8]);
  });

  test('its refusal is an error with its words and the command', () => {
    const error = thrown(() => compileC([{ path: 'bad.c', text: 'int f(void) { return nonsense; }' }], { name: 'bad', cacheDir: cache })) as KernelCompileError;
    expect(error).toBeInstanceOf(KernelCompileError);
    expect(error.log).toMatch(/bad\.c:1.*nonsense/);
    expect(error.command).toMatch(/-shared/);
    expect(error.message).toContain(error.command);
    expect(readdirSync(join(cache, 'kernels')).filter((f) => f.startsWith('.') || f.startsWith('bad'))).toEqual([]);
  });

  test('CC is the only candidate when it is set, arguments and all', async () => {
    await withEnv({ CC: 'no-such-compiler -x' }, () => {
      const error = thrown(() => compileC([source], { cacheDir: temporaryDir() }));
      expect(error).toBeInstanceOf(KernelCompileError);
      expect(error.message).toMatch(/no C compiler[^]*no-such-compiler -x: not found[^]*CC/);
    });
    await withEnv({ CC: 'false' }, () => expect(findCompiler().reasons[0]?.detail).toMatch(/status 1/));
    const dir = temporaryDir();
    const wrapper = join(dir, 'wrapped');
    writeFileSync(wrapper, '#!/bin/sh\nshift\nexec cc "$@"\n');
    chmodSync(wrapper, 0o755);
    await withEnv({ CC: `${wrapper} argument` }, () => expect(compileC([source], { cacheDir: dir }).command).toMatch(/wrapped argument .*sample\.c/));
  });

  test('names that could leave the folder or be taken for flags are refused', () => {
    for (const path of ['../x.c', '/tmp/x.c', '-x.c', 'x.so', 'a b.c', '']) expect(thrown(() => compileC([{ path, text: '' }]))).toBeInstanceOf(ArgumentError);
    expect(thrown(() => compileC([source], { name: '../x' }))).toBeInstanceOf(ArgumentError);
    expect(thrown(() => compileC([source, source]))).toBeInstanceOf(ArgumentError);
    expect(thrown(() => compileC([{ path: 'x.h', text: '' }]))).toBeInstanceOf(ArgumentError);
  });

  test('flags for every instruction set that this CPU can have', () => {
    for (const isa of cpuInfo().isas) expect(Array.isArray(isaFlags(isa))).toBe(true);
    expect(thrown(() => isaFlags('x86-64-v9'))).toBeInstanceOf(ArgumentError);
  });
});

describe('generated files', () => {
  const isa = process.arch === 'x64' ? 'x86-64' : 'generic';
  const manifest = (sources: unknown, hash = 'sample'): string => JSON.stringify({ name: 'generated', hash, sources, kernels: [{ ...axpyMeta, isa: 'x86-64-v3' }, { ...axpyMeta, isa }] });
  const flags = ['-O2', '-fPIC', '-fvisibility=hidden'];

  test.each([
    ['one set of flags', [{ path: 'sample.c', isa, cflags: flags }, { path: 'extra.c', cflags: flags }]],
    ['flags of their own', [{ path: 'sample.c', isa, cflags: flags }, { path: 'extra.c', isa: 'generic', cflags: [...flags, '-O1'] }]],
  ])('are compiled with %s and bound to their descriptions', (_, sources) => {
    const { kernel, compiled } = compileGenerated([source, { path: 'extra.c', text: 'int quern_extra(void) { return 1; }' }, { path: 'manifest.json', text: manifest(sources) }].map((f) => ({ ...f })), { cacheDir: cache });
    const y = zeros([2]);
    kernel('axpy').run({ x: Float32Array.of(1, 2), y, a: 2 });
    expect([...y.read()]).toEqual([2, 4]);
    expect(compiled.command.includes('&&')).toBe(sources.length === 2 && sources[1]?.isa !== undefined);
    expect(thrown(() => kernel('sum')).message).toMatch(/does not describe kernel 'sum'/);
  });

  test('a manifest that does not fit is an ArgumentError', () => {
    expect(thrown(() => compileGenerated([source])).message).toMatch(/have none/);
    expect(thrown(() => compileGenerated([source, { path: 'manifest.json', text: manifest([{ path: 'other.c', cflags: [] }]) }])).message).toMatch(/'other.c'/);
    for (const text of ['', '{}', 'null', '[]', '{"name":1}']) expect(thrown(() => parseManifest(text))).toBeInstanceOf(ArgumentError);
  });
});

test('a cache folder that exists is used as it is', () => {
  const dir = temporaryDir();
  mkdirSync(join(dir, 'kernels'));
  expect(compileC([source], { cacheDir: dir }).cache).toBe('miss');
});
