// gpu: matrix products on an NVIDIA GPU (compute capability 9.0), ours and cuBLAS's in turns, on random data, checked against doubles first.
//   npm run bench -- gpu                     writes benchmarks/results/<date>-<gpu>-gemm.json
//   npm run bench -- gpu -- --only bf16      rows of one kind; --turns N turns of each (7 when not given); --out FILE
//   npm run bench -- gpu -- --only f32 --size 4096 --device opencl:0      the product without tensor cores by way of OpenCL (webgpu:0: of WebGPU), of one size
// The peer is PyTorch (python3 with torch) in a process of its own, which waits while we run: see benchmarks/gpu/peers.py.
// Status: 0; 1 when a row failed, which its error in the file tells; 2 when the machine lacks something or the command line is wrong.
import { compileKernel, device, zeros } from '@quern/runtime';
import { argument as arg, openPeer, refuse, writeResults } from './gpu/common.mjs';
import { products } from './gpu/kernels.mjs';
import { measureProducts } from './gpu/products.mjs';

const cannot = (why) => refuse('gpu', why);
const turns = Number(arg('--turns') ?? 7), size = arg('--size') === undefined ? undefined : Number(arg('--size'));
const chosen = products.filter((p) => arg('--only') === undefined || arg('--only') === p.name).map((p) => (size === undefined ? p : { ...p, sizes: [size] }));
if (!(turns >= 1)) cannot('--turns takes a number, 1 or more');
if (chosen.length === 0) cannot(`--only takes one of ${[...new Set(products.map((p) => p.name))].join(', ')}`);

const NEEDED = 'needs an NVIDIA GPU of compute capability 9.0 (H100, H200) and python3 with torch';
const id = arg('--device') ?? 'cuda:0', gpu = await device(id, { fallback: 'none' }).catch((error) => cannot(`${NEEDED}; here, ${error.reasons?.[0]?.detail ?? error.message}`));
if (gpu.info.kind !== 'cuda' && chosen.some((p) => p.name !== 'f32')) cannot(`tensor cores are CUDA's: with --device ${id}, --only f32`);
const [major, minor] = gpu.info.kind === 'cuda' ? gpu.info.gpu.version : [9, 0];
if (major !== 9 || minor !== 0) cannot(`${NEEDED}; ${gpu.info.name} has ${major}.${minor}`);
const { peer, info } = await openPeer('gpu', NEEDED);

process.stdout.write(`${gpu.info.name}, ${gpu.driver.identity}; TFLOP/s (int8: TOP/s) at the median of ${turns} turns\n`);
// How long a kernel takes to be ready: text made, compiled by NVRTC, loaded; and the same from the cache. First, before anything else has been compiled here.
const rows = [], [cold] = chosen, [firstSchedule] = Object.values((gpu.info.kind !== 'cuda' && cold.elsewhere) || cold.schedules);
for (const label of ['cold or cached', 'cached']) {
  try {
    const started = performance.now(), k = await compileKernel(cold.kernel, { device: gpu, schedule: firstSchedule }), A = zeros([64, 64], cold.dtype, { device: gpu }), C = zeros([64, 64], cold.out, { device: gpu });
    const rest = cold.more ? (await cold.more(gpu, [64, 64, 64])).args : {}, made = performance.now(), call = await k.prepare({ A, B: A, C, ...rest }), done = performance.now();
    rows.push({ kind: 'ready', of: cold.name, label, cache: call.cache, traceScheduleEmitMs: made - started, compileOrLoadMs: done - made });
    process.stdout.write(`a product of ${cold.name}, ${call.cache}: ${(made - started).toFixed(1)} ms to trace, schedule and emit, ${(done - made).toFixed(1)} ms to compile or load\n`);
  } catch (error) {
    rows.push({ kind: 'ready', of: cold.name, label, error: String(error?.message ?? error) });
    process.stdout.write(`a product of ${cold.name} FAILED to be ready: ${String(error?.message ?? error).slice(0, 400)}\n`);
  }
}

rows.push(...(await measureProducts({ gpu, peer, turns }, chosen)));
peer.end();

process.exit(writeResults({ benchmark: 'gpu', gpu, info, turns, rows, out: arg('--out'), kind: 'gemm', problem: 'square products on random data, both factors laid out alike for both; milliseconds of one call, means of bursts timed by events on the device; ours and the peer in turns' }));
