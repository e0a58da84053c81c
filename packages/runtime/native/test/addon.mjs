// Builds the addon with the address and undefined-behaviour sanitizers and runs the tests of the package that use it most.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = dirname(dirname(fileURLToPath(import.meta.url)));
const root = join(native, '../../..');
const require = createRequire(import.meta.url);
const beside = join(dirname(dirname(process.execPath)), 'include/node');
const headers = existsSync(join(beside, 'node_api.h')) ? beside : require('node-api-headers').include_dir;
const sources = ['core', 'addon'].flatMap((dir) => readdirSync(join(native, dir)).filter((f) => f.endsWith('.c')).map((f) => join(native, dir, f)));
const out = mkdtempSync(join(tmpdir(), 'quern-addon-'));
const addon = join(out, 'quern_runtime.node');

execFileSync('gcc', ['-std=c11', '-D_GNU_SOURCE', '-DNAPI_VERSION=8', `-I${headers}`, '-g', '-O1', '-fPIC', '-shared', '-pthread',
  '-fsanitize=address,undefined', '-fno-sanitize-recover', ...sources, '-o', addon, '-ldl'], { stdio: 'inherit' });
// Node itself is not built with the sanitizer, so its runtime must be there before all else; Node's own leaks are its affair.
const library = (name) => execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
const files = ['addon', 'kernel', 'memory', 'program', 'tensor'].map((name) => `packages/runtime/test/${name}.test.ts`);
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files], {
  cwd: root, stdio: 'inherit',
  env: {
    ...process.env, QUERN_RUNTIME_ADDON: addon, LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
    ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:halt_on_error=1',
  },
});
rmSync(out, { recursive: true, force: true });
process.exit(status ?? 1);
