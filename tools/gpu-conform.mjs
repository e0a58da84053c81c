// `node tools/gpu-conform.mjs [RESULT.json]`: every case of the tests for GPUs on each GPU of this machine, compared with the interpreter bit for bit; then kernels
// of dnn, on the schedules that are found for them, held to their bounds.
// `--kernels` leaves dnn out; `--only=cuda:0` takes devices whose names begin so, `--quick` one variant of each case, `--tensor-cores` what runs on tensor cores alone, `--part=0/4` every fourth case from
// the first on, `--binding=256` has WebGPU bind no more than so many bytes at once, `--all` also OpenCL that runs on the CPU. Needs a build.
// Status: 0; 1 when something differs; 2 when there is no such device.
// `node tools/gpu-conform.mjs --bundle DIR` writes the programs alone; beside @quern/runtime and @quern/kernel-dsl they need Node and nothing else.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './setup.mjs';

const PROGRAMS = { kernels: 'packages/kernel-dsl/test/gpu/on-device.ts', dnn: 'packages/dnn/test/on-device.ts' };
const at = process.argv.indexOf('--bundle'), dir = at < 0 ? join(root, 'node_modules/.cache/quern') : process.argv[at + 1];
mkdirSync(dir, { recursive: true });
await build({
  entryPoints: Object.entries(PROGRAMS).map(([name, file]) => ({ in: join(root, file), out: `gpu-conform-${name}` })), bundle: true, platform: 'node', format: 'esm', outdir: dir, outExtension: { '.js': '.mjs' }, external: ['@quern/runtime', '@quern/kernel-dsl'], logLevel: 'warning',
  conditions: ['quern-source'],
  plugins: [{
    // Shared helpers of the tests mention the test runner; nothing of it is used here.
    name: 'no test runner', setup(b) {
      b.onResolve({ filter: /^vitest$/ }, () => ({ path: 'vitest', namespace: 'none' }));
      b.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export const afterAll = () => {}, expect = () => { throw new Error("no test runner"); };' }));
    },
  }],
});
if (at < 0) process.exitCode = Object.keys(PROGRAMS).filter((name) => name === 'kernels' || !process.argv.includes('--kernels')).reduce((status, name) => Math.max(status, spawnSync(process.execPath, [join(dir, `gpu-conform-${name}.mjs`), ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1), 0);
