/** The addon's loader: which file it takes, and what it says when there is none. Built JavaScript, in a Node of its own. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { platformTag } from '../src/native/index.ts';
import { addonPath } from './support/child.ts';
import { temporaryDir } from './support/sample.ts';

const src = fileURLToPath(new URL('../src/', import.meta.url));
const root = temporaryDir();

/** The package as it is installed: dist/ beside native/ and prebuilds/, here without either. */
beforeAll(() => {
  const copy = (dir: string): void => {
    for (const entry of readdirSync(join(src, dir), { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) copy(path);
      else {
        const { code } = transformSync(readFileSync(join(src, path), 'utf8'), { loader: 'ts', format: 'esm' });
        mkdirSync(dirname(join(root, 'dist', path)), { recursive: true });
        writeFileSync(join(root, 'dist', path.replace(/\.ts$/, '.js')), code.replaceAll(/(from\s*"\.[^"]*)\.ts"/g, '$1.js"'));
      }
    }
  };
  copy('');
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
});

function run(script: string, env: Record<string, string> = {}): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', `import * as q from ${JSON.stringify(join(root, 'dist/index.js'))};\n${script}`], {
    encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', QUERN_RUNTIME_ADDON: '', ...env },
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

describe('without an addon', () => {
  test('importing loads nothing; what needs it throws with every file that was tried', () => {
    const message = run('try { q.cpuInfo(); } catch (e) { console.log(e.code, e.message); }');
    expect(message).toMatch(/^QUERN_LOAD/);
    expect(message).toContain('native/build/Release/quern_runtime.node: unavailable');
    expect(message).toContain(`prebuilds/${platformTag()}.node`);
    expect(message).toMatch(/Fix: .*npm run build/);
  });

  test('tensors work in JavaScript\'s memory, the device says what it is, and doctor reports', () => {
    expect(run('console.log(q.values([1, 2]).transpose().read().join(), q.threads())')).toBe('1,2 1\n');
    expect(run('console.log((await q.device()).info.backend)')).toBe('javascript\n');
    const report = run('console.log(q.formatDoctor(await q.doctorReport()))');
    expect(report).toMatch(/addon +not loaded/);
    expect(report).toMatch(/To fix:[^]*npm run build/);
  });

  test('a file that is no addon is told, with what it may mean', () => {
    const broken = join(root, 'broken.node');
    writeFileSync(broken, 'not an addon');
    expect(run('try { q.cpuInfo(); } catch (e) { console.log(e.message); }', { QUERN_RUNTIME_ADDON: broken })).toMatch(/broken\.node: rejected: .*(damaged|header|short)/);
    expect(run('try { q.cpuInfo(); } catch (e) { console.log(e.message); }', { QUERN_RUNTIME_ADDON: '/no/such.node' })).toMatch(/QUERN_RUNTIME_ADDON names a file that does not exist/);
  });
});

describe('with one', () => {
  test('the variable\'s file, the build, the shipped file, in this order', () => {
    const tier = (env: Record<string, string> = {}): string => run('console.log(q.nativeStatus().tier)', env).trim();
    expect(tier({ QUERN_RUNTIME_ADDON: addonPath })).toBe('env');
    mkdirSync(join(root, 'prebuilds'));
    copyFileSync(addonPath, join(root, `prebuilds/${platformTag()}.node`));
    expect(tier()).toBe('prebuilt');
    mkdirSync(join(root, 'native/build/Release'), { recursive: true });
    copyFileSync(addonPath, join(root, 'native/build/Release/quern_runtime.node'));
    expect(tier()).toBe('build');
    writeFileSync(join(root, 'native/build/Release/quern_runtime.node'), 'broken');
    expect(tier()).toBe('prebuilt');
  });
});
