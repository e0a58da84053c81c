/**
 * A changed emitter rebuilds native code: tried with this repository's own nx.json and tools, on two packages made for it. Five builds take a minute:
 * `npm run test:all` runs them.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FULL } from './spread.ts';
import { root } from './structure/repo.ts';

const dir = mkdtempSync(join(tmpdir(), 'quern-stale-'));
const emitter = join(dir, 'packages/emitter/src/index.ts');

function write(path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

const manifest = (name: string, scripts: Record<string, string>, dependencies: Record<string, string>): string => JSON.stringify({
  name, version: '1.0.0', type: 'module', scripts, dependencies,
  exports: { '.': './dist/index.js' }, nx: { targets: { build: { executor: 'nx:noop' } } },
});

const emits = (tag: string): string => `/** C of one function. */
export const source = (): string => '#include <node_api.h>\\nNAPI_MODULE_INIT() { napi_value v; napi_create_string_utf8(env, "${tag}", NAPI_AUTO_LENGTH, &v); return v; }\\n';
`;

/** Builds, and returns nx's log together with what the compiled addon says. */
function build(): { log: string; tag: string } {
  const env = { ...process.env, NX_TUI: 'false', FORCE_COLOR: '0', NO_COLOR: '1' };
  const log = execFileSync(process.execPath, [join(root, 'node_modules/nx/dist/bin/nx.js'), 'run-many', '-t', 'build', '--output-style=static'], {
    cwd: dir, env, encoding: 'utf8', stdio: 'pipe',
  });
  const addon = join(dir, 'packages/lib/native/build/Release/toy.node');
  // In a process of its own, because a loaded addon stays loaded.
  const tag = execFileSync(process.execPath, ['-p', `require(${JSON.stringify(addon)})`], { encoding: 'utf8' }).trim();
  return { log, tag };
}

beforeAll(() => {
  if (!FULL) return;
  for (const file of ['nx.json', 'tsconfig.base.json', '.gitignore', 'tools']) {
    cpSync(join(root, file), join(dir, file), { recursive: true, filter: (path) => !path.includes(join('tools', 'test')) && !path.includes('demo-model') });
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'), 'dir');
  write('package.json', JSON.stringify({ name: 'toy', private: true, type: 'module', workspaces: ['packages/*'] }));
  write('package-lock.json', JSON.stringify({ name: 'toy', lockfileVersion: 3, requires: true, packages: { '': { name: 'toy' } } }));
  write('packages/emitter/package.json', manifest('toy-emitter', { 'build:js': 'node ../../tools/build-js.mjs' }, {}));
  write('packages/lib/package.json', manifest('toy-lib', {
    'build:js': 'node ../../tools/build-js.mjs', generate: 'node ../../tools/generate.mjs', 'build:native': 'node ../../tools/build-native.mjs',
  }, { 'toy-emitter': '^1.0.0' }));
  write('packages/lib/src/generate.ts', `import { writeFileSync } from 'node:fs';
import { source } from 'toy-emitter';
/** Writes the C. */
export async function generate(outDir: string): Promise<void> { writeFileSync(outDir + '/lib.c', source()); }
`);
  write('packages/lib/native/binding.gyp', "{ 'targets': [{ 'target_name': 'toy', 'sources': ['gen/lib.c'] }] }\n");
  mkdirSync(join(dir, 'packages/lib/node_modules'), { recursive: true });
  symlinkSync(join(dir, 'packages/emitter'), join(dir, 'packages/lib/node_modules/toy-emitter'), 'dir');
  write('packages/emitter/src/index.ts', emits('TAG_A'));
  execFileSync('git', ['init', '-q'], { cwd: dir });
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.runIf(FULL)('a changed emitter rebuilds native code, and a cache hit brings back the binary that belongs to the source', () => {
  expect(build().tag).toBe('TAG_A');

  const again = build();
  expect(again.tag).toBe('TAG_A');
  expect(again.log).toMatch(/toy-lib:"?build:native"?\s+\[(existing outputs match|local cache)/);

  writeFileSync(emitter, emits('TAG_B'));
  expect(build().tag).toBe('TAG_B');

  writeFileSync(emitter, emits('TAG_A'));
  const back = build();
  expect(back.tag).toBe('TAG_A');
  expect(back.log).toMatch(/toy-lib:"?build:native"?\s+\[local cache/);

  rmSync(join(dir, 'packages/lib/native/build'), { recursive: true });
  expect(build().tag).toBe('TAG_A');
}, 120_000);
