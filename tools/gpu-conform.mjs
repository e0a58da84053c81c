// `node tools/gpu-conform.mjs [RESULT.json]`: every case of the tests for GPUs on each GPU of this machine, compared with the interpreter bit for bit.
// `--only=cuda:0` takes devices whose names begin so, `--quick` one variant of each case, `--all` also OpenCL that runs on the CPU. Needs a build.
// Status: 0; 1 when something differs; 2 when there is no such device.
// `node tools/gpu-conform.mjs --bundle FILE.mjs` writes the program alone; beside @quern/runtime and @quern/kernel-dsl it needs Node and nothing else.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { root } from './setup.mjs';

const at = process.argv.indexOf('--bundle'), out = at < 0 ? join(root, 'node_modules/.cache/quern/gpu-conform.mjs') : process.argv[at + 1];
mkdirSync(dirname(out), { recursive: true });
await build({
  entryPoints: [join(root, 'packages/kernel-dsl/test/gpu/on-device.ts')], bundle: true, platform: 'node', format: 'esm', outfile: out, external: ['@quern/runtime'], logLevel: 'warning',
  plugins: [{
    // Shared helpers of the tests mention the test runner; nothing of it is used here.
    name: 'no test runner', setup(b) {
      b.onResolve({ filter: /^vitest$/ }, () => ({ path: 'vitest', namespace: 'none' }));
      b.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export const afterAll = () => {}, expect = () => { throw new Error("no test runner"); };' }));
    },
  }],
});
if (at < 0) process.exitCode = spawnSync(process.execPath, [out, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
