/** Where a package's kernel library comes from, and that a stale or broken one is never used. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compileC, findLibrary, libraryVariable, loadLibrary, openLibrary, ProviderLoadError } from '../src/index.ts';
import { platformTag } from '../src/native/index.ts';
import { sampleSource, temporaryDir } from './support/sample.ts';
import { thrown, withEnv } from './support/thrown.ts';

const cache = temporaryDir();
const build = (text: string): string => compileC([{ path: 'lib.c', text }], { cacheDir: cache }).path;
const good = build(sampleSource);

/** A package folder with libraries at the given places. */
function packageWith(files: Record<string, string>): URL {
  const root = temporaryDir();
  for (const [path, from] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    copyFileSync(from, join(root, path));
  }
  return pathToFileURL(root);
}

const built = 'native/build/Release/quern_test.so';
const shipped = `prebuilds/${platformTag()}/quern_test.so`;

describe('the search', () => {
  test('variable, then this checkout\'s build, then the shipped one', async () => {
    const both = packageWith({ [built]: good, [shipped]: good });
    expect(libraryVariable('quern_test')).toBe('QUERN_TEST_LIBRARY');
    expect(loadLibrary({ name: 'quern_test', root: both }).tier).toBe('build');
    expect(loadLibrary({ name: 'quern_test', root: packageWith({ [shipped]: good }) }).tier).toBe('prebuilt');
    await withEnv({ QUERN_TEST_LIBRARY: good }, () => {
      const library = loadLibrary({ name: 'quern_test', root: both });
      expect([library.tier, library.path]).toEqual(['env', good]);
    });
  });

  test('a stale library is refused by name, and a fresh one further on is taken', () => {
    const other = build(sampleSource.replace('"sample"', '"other"'));
    const { library, reasons } = findLibrary({ name: 'quern_test', root: packageWith({ [built]: other, [shipped]: good }), hash: 'sample' });
    expect(library?.tier).toBe('prebuilt');
    expect(reasons[0]).toMatchObject({ verdict: 'rejected', code: 'stale' });
    expect(reasons[0]?.detail).toMatch(/^stale: .*hash other.*says sample/);
    const error = thrown(() => loadLibrary({ name: 'quern_test', root: packageWith({ [built]: other }), hash: 'sample' })) as ProviderLoadError;
    expect(error).toBeInstanceOf(ProviderLoadError);
    expect(error.message).toMatch(/stale[^]*npm run build/);
    expect(error.reasons).toHaveLength(2);
  });

  test('nothing at all is an error that lists every place', () => {
    const error = thrown(() => loadLibrary({ name: 'quern_test', root: packageWith({}) }));
    expect(error.message).toMatch(/native\/build\/Release\/quern_test\.so: unavailable[^]*prebuilds[^]*QUERN_TEST_LIBRARY/);
  });
});

describe('libraries that are refused', () => {
  const row = (entry: string, abi = 'QUERN_ABI', count = '1'): string => `#include "quern.h"
static int32_t f(const quern_ctx *c, void *const *b, const int64_t *s, const quern_scalar *a) { (void)c, (void)b, (void)s, (void)a; return 0; }
static const quern_entry e[] = {${entry}};
static const quern_library l = {${abi}, ${count}, "h", e};
__attribute__((visibility("default"))) const quern_library *quern_library_get(void) { (void)f; return &l; }`;
  const fine = '{"k", "generic", f, 0, 0, 0, 0, 0}';

  test.each([
    ['another ABI', row(fine, '99'), /kernel ABI 99, this runtime has 1/],
    ['a negative count', row(fine, 'QUERN_ABI', '-1'), /claims -1 entries/],
    ['an entry without a function', row('{"k", "generic", 0, 0, 0, 0, 0, 0}'), /entry 0/],
    ['an entry without a name', row('{0, "generic", f, 0, 0, 0, 0, 0}'), /entry 0/],
    ['negative scratch', row('{"k", "generic", f, 0, 0, 0, -1, 0}'), /entry 0/],
    ['no table', '#include "quern.h"\n__attribute__((visibility("default"))) const quern_library *quern_library_get(void) { return 0; }', /no table/],
    ['no quern_library_get', 'int x;', /does not export quern_library_get/],
    ['a missing symbol', 'int nowhere(void); __attribute__((visibility("default"))) int x(void) { return nowhere(); }', /nowhere/],
  ])('%s', (_, text, says) => {
    const error = thrown(() => openLibrary(build(text)));
    expect(error).toBeInstanceOf(ProviderLoadError);
    expect(error.message).toMatch(says);
  });

  test('a file that is no library', () => {
    const path = join(temporaryDir(), 'text.so');
    writeFileSync(path, 'hello');
    expect(thrown(() => openLibrary(path))).toBeInstanceOf(ProviderLoadError);
  });

  test('and a sound one is not', () => {
    const library = openLibrary(build(row(fine)));
    expect(library.entries).toEqual([{ name: 'k', isa: 'generic', supported: true, nbuf: 0, nsize: 0, nscalar: 0, scratchBytes: 0, sharedBytes: 0 }]);
  });
});
