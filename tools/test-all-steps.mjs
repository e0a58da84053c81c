// The wider tests, as data: what `npm run test:all` runs after the build, in this order. To add one, add an entry.
//   name     what is tested, for the summary
//   command  program and arguments, run in the root folder; 'node' is the Node that runs this. Exit status 0 is a pass
//   needs    what the machine must have: { tool: 'clang', apt: 'clang' } looks in PATH,
//            { library: 'libopenblas.so.0', apt: 'libopenblas-dev' } asks the loader. apt is the Debian package that brings it, one of
//            those that .ci/run installs; from, instead, says where a thing comes from that .ci/run does not install
//   env      more environment variables
//   minutes  after so long the step is stopped and has failed; 10 when not given

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** @typedef {{ name: string, command: string[], needs?: import('./test-all-needs.mjs').Need[], env?: Record<string, string>, minutes?: number }} Step */

/** The tests of which `npm test` runs a part: those that import tools/test/spread.ts. */
const inPart = ['packages', 'tools/test'].flatMap((dir) => readdirSync(join(root, dir), { recursive: true }).map((path) => `${dir}/${path}`))
  .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules') && readFileSync(join(root, path), 'utf8').includes("/spread.ts'")).sort();

/** @type {Step[]} */
export const steps = [
  { name: 'packages can be published: exports, types, sizes, lockfile', command: ['node', 'tools/check.mjs'] },
  { name: 'every public name is documented, every link leads somewhere', command: ['node', 'tools/docs.mjs'] },
  { name: 'C core with clang', command: ['node', 'packages/runtime/native/test/run.mjs', 'clang'], needs: [{ tool: 'clang', apt: 'clang' }] },
  { name: 'C core under the address and undefined-behaviour sanitizers', command: ['node', 'packages/runtime/native/test/run.mjs', 'address'], needs: [{ tool: 'gcc', apt: 'gcc' }] },
  { name: 'C core under the thread sanitizer', command: ['node', 'packages/runtime/native/test/run.mjs', 'thread'], needs: [{ tool: 'gcc', apt: 'gcc' }] },
  { name: 'native addon under the address and undefined-behaviour sanitizers', command: ['node', 'packages/runtime/native/test/addon.mjs'], needs: [{ tool: 'gcc', apt: 'gcc' }] },
  { name: 'thread pool beside busy processes', command: ['node', 'packages/runtime/native/test/run.mjs', 'gcc', 'hogs'], needs: [{ tool: 'gcc', apt: 'gcc' }] },
  { name: 'libquern_blas and its generated C under the address and undefined-behaviour sanitizers', command: ['node', 'packages/blas/test/cblas/sanitize.mjs'], needs: [{ tool: 'gcc', apt: 'gcc' }] },
  { name: 'libquern_blas under valgrind', command: ['node', 'packages/blas/test/cblas/sanitize.mjs', 'valgrind'], needs: [{ tool: 'valgrind', apt: 'valgrind' }] },
  { name: 'types by TypeScript 6, which users may have', command: ['node', 'node_modules/typescript/bin/tsc', '-p', '.'] },
  { name: 'instruction sets, dtypes, compilers and schedules: the whole of what npm test runs a part of', command: ['npx', 'vitest', 'run', ...inPart], env: { QUERN_FULL: '1' }, needs: [{ tool: 'clang', apt: 'clang' }], minutes: 20 },
  { name: 'GGUF reader under 400 000 mutated files', command: ['npx', 'vitest', 'run', 'packages/llm/test/format/fuzz.test.ts'], env: { QUERN_FUZZ: '400000' } },
  { name: 'random schedules of small kernels', command: ['npx', 'vitest', 'run', 'packages/kernel-dsl/test/schedule/fuzz.test.ts'], env: { QUERN_FUZZ_SCHEDULES: '2400' }, minutes: 15 },
  { name: 'random schedules of small kernels, run as OpenCL', command: ['npx', 'vitest', 'run', 'packages/kernel-dsl/test/schedule/fuzz.test.ts', '-t', 'OpenCL'], env: { QUERN_FUZZ_OPENCL: '200' }, needs: [{ library: 'libOpenCL.so.1', apt: 'pocl-opencl-icd' }], minutes: 15 },
  { name: 'every shipped kernel, scheduled ones too, as CUDA for each architecture, and those of the GPU benchmark', command: ['npx', 'vitest', 'run', 'tools/test/gpu-kernels.test.ts', 'tools/test/bench-gpu.test.ts'], env: { QUERN_GPU_ALL: '1' }, needs: [{ tool: 'nvcc', from: "NVIDIA's CUDA toolkit" }], minutes: 20 },
  { name: 'every operation, cast and many random programs in OpenCL and CUDA', command: ['npx', 'vitest', 'run', 'packages/kernel-dsl/test/gpu/ops.test.ts', 'packages/kernel-dsl/test/gpu/programs.test.ts'], env: { QUERN_GPU_ALL: '1' }, needs: [{ library: 'libOpenCL.so.1', apt: 'pocl-opencl-icd' }] },
  { name: 'every operation and cast in WGSL', command: ['npx', 'vitest', 'run', 'packages/kernel-dsl/test/gpu/wgsl-ops.test.ts', 'packages/kernel-dsl/test/gpu/wgsl.test.ts'], env: { QUERN_GPU_ALL: '1' }, needs: [{ library: 'libvulkan.so.1', apt: 'libvulkan1' }, { tool: 'chromium', apt: 'chromium' }] },
  { name: 'kernels of the tests for GPUs in WGSL, tensors in parts', command: ['node', 'tools/gpu-conform.mjs', '--kernels', '--quick', '--only=webgpu', '--binding=512', '--part=2/8'], env: { VK_DRIVER_FILES: '/usr/lib/chromium/vk_swiftshader_icd.json', XDG_RUNTIME_DIR: '/tmp' }, needs: [{ tool: 'chromium', apt: 'chromium' }] },
  { name: 'the kernels of the tests for GPUs in WGSL with f16', command: ['node', 'tools/gpu-conform.mjs', '--kernels', '--quick', '--only=webgpu'], needs: [{ library: 'libvulkan_lvp.so', from: "Mesa 25 (mesa-vulkan-drivers of Debian's backports)" }], minutes: 15 },
  { name: 'the shipped model on all held-out items', command: ['node', 'tools/demo-model/evaluate.mjs'] },
];
