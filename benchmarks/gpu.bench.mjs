// gpu: matrix products on an NVIDIA GPU (compute capability 9.0), ours and cuBLAS's in turns, on random data, checked against doubles first.
//   npm run bench -- gpu                     writes benchmarks/results/<date>-<gpu>-gemm.json
//   npm run bench -- gpu -- --only bf16      rows of one kind; --turns N turns of each (7 when not given); --out FILE
// The peer is PyTorch (python3 with torch) in a process of its own, which waits while we run: see benchmarks/gpu/peers.py.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bf16ToF32, compileKernel, device, f16ToF32, f32ToBf16, f32ToF16, tensor, zeros } from '@quern/runtime';
import { products } from './gpu/kernels.mjs';

const here = dirname(fileURLToPath(import.meta.url)), arg = (name) => { const i = process.argv.indexOf(name); return i < 0 ? undefined : process.argv[i + 1]; };
const turns = Number(arg('--turns') ?? 7), gpu = await device('cuda:0', { fallback: 'none' });

const peer = spawn('python3', [join(here, 'gpu/peers.py')], { stdio: ['pipe', 'pipe', 'inherit'] }), waiting = [];
let rest = '';
peer.stdout.on('data', (d) => { rest += d; for (let i; (i = rest.indexOf('\n')) >= 0;) { waiting.shift()?.(JSON.parse(rest.slice(0, i))); rest = rest.slice(i + 1); } });
const ask = (q) => new Promise((done) => { waiting.push(done); peer.stdin.write(`${JSON.stringify(q)}\n`); });

let seed = 0x9e3779b9;
const random = () => { seed ^= seed << 13; seed ^= seed >>> 17; seed ^= seed << 5; return (seed >>> 0) / 4294967296; };
const FORMS = {
  bf16: { array: Uint16Array, make: () => f32ToBf16(random() * 2 - 1), value: bf16ToF32, ulp: 2 ** -8 }, f16: { array: Uint16Array, make: () => f32ToF16(random() * 2 - 1), value: f16ToF32, ulp: 2 ** -11 },
  f32: { array: Float32Array, make: () => random() * 2 - 1, value: (x) => x, ulp: 0 }, i8: { array: Int8Array, make: () => Math.floor(random() * 256) - 128, value: (x) => x, ulp: 0 }, i32: { value: (x) => x, ulp: 0 },
};
/** Random numbers: a pattern that repeats after a prime, so that filling is quick and no two rows are alike. */
function fill(n, form) {
  const period = Array.from({ length: 65521 }, form.make), out = new form.array(n);
  for (let i = 0; i < n; i++) out[i] = period[i % 65521];
  return out;
}
const median = (x) => x.slice().sort((a, b) => a - b)[x.length >> 1];

/** Elements of the product against doubles: all of a corner, and some anywhere. The bound is gamma(k + 4) of the sum of magnitudes, and the rounding of the result. */
function check(p, a, b, c, n) {
  const A = FORMS[p.dtype], out = FORMS[p.out];
  let worst = 0;
  for (let q = 0; q < 400; q++) {
    const i = q < 100 ? n - 1 - (q % 10) : Math.floor(random() * n), j = q < 100 ? n - 1 - Math.floor(q / 10) : Math.floor(random() * n);
    let sum = 0, size = 0;
    for (let k = 0; k < n; k++) { const x = A.value(a[i * n + k]) * A.value(p.transposed ? b[j * n + k] : b[k * n + j]); sum += x; size += Math.abs(x); }
    const bound = (p.out === 'i32' ? 0 : (n + 4) * 2 ** -24 * size) + Math.abs(sum) * out.ulp, error = Math.abs(Number(c[i * n + j]) - sum);
    if (!(error <= bound)) throw new Error(`${p.name}: C[${i}, ${j}] is ${c[i * n + j]}, it should be ${sum} within ${bound}`);
    if (bound > 0) worst = Math.max(worst, error / bound);
  }
  return worst;
}

const info = await ask({ op: 'device' }), rows = [];
process.stdout.write(`${gpu.info.name}, ${gpu.driver.identity}; TFLOP/s (int8: TOP/s) at the median of ${turns} turns\n`);
for (const p of products) {
  if (arg('--only') && arg('--only') !== p.name) continue;
  for (const n of p.sizes) {
    const a = fill(n * n, FORMS[p.dtype]), b = fill(n * n, FORMS[p.dtype]);
    const A = await tensor(a, [n, n], { dtype: p.dtype }).to(gpu), B = await tensor(b, [n, n], { dtype: p.dtype }).to(gpu), C = zeros([n, n], p.out, { device: gpu });
    for (const [name, schedule] of Object.entries(p.schedules)) {
      try {
        const started = performance.now(), k = await compileKernel(p.kernel, { device: gpu, schedule });
        await k.run({ A, B, C });
        await gpu.driver.sync();
        const ready = performance.now() - started;
        // Poisoned, so that what is not written shows.
        gpu.driver.fill(C.storage.remote.buffer, 0, 0xff, C.bytes);
        const call = await k.prepare({ A, B, C });
        call.enqueue();
        const worst = check(p, a, b, await C.readAsync(), n), burst = Math.max(3, Math.min(40, Math.round(2e13 / n ** 3 / 10)));
        await call.time(burst);
        const ours = [], theirs = [];
        for (let t = 0; t < turns; t++) {
          ours.push((await call.time(burst)) / burst / 1e6);
          theirs.push((await ask({ op: 'gemm', dtype: p.peer, m: n, n, k: n, reps: 1, burst })).ms?.[0]);
        }
        const rate = (ms) => (2 * n ** 3) / ms / 1e9, row = { kind: p.name, n, schedule: name, oursMs: ours, peerMs: theirs, ratio: median(theirs) / median(ours), worstShareOfBound: worst, cache: call.cache, readyMs: ready };
        rows.push(row);
        process.stdout.write(`${p.name.padEnd(5)} ${String(n).padStart(5)}  ours ${rate(median(ours)).toFixed(0).padStart(4)}  cuBLAS ${rate(median(theirs)).toFixed(0).padStart(4)}  ratio ${row.ratio.toFixed(3)}  ${name}\n`);
        k.dispose();
      } catch (error) {
        process.stdout.write(`${p.name} ${n} ${name}: ${String(error?.message ?? error).slice(0, 400)}\n`);
      }
    }
    for (const x of [A, B, C]) x.dispose();
  }
}

// How long a kernel takes to be ready: text made, compiled by NVRTC, loaded; and the same from the cache.
const cold = products[0];
for (const label of ['cold or cached', 'cached']) {
  const started = performance.now(), k = await compileKernel(cold.kernel, { device: gpu, schedule: Object.values(cold.schedules)[0] }), A = zeros([64, 64], cold.dtype, { device: gpu }), C = zeros([64, 64], cold.out, { device: gpu });
  const made = performance.now(), call = await k.prepare({ A, B: A, C }), done = performance.now();
  rows.push({ kind: 'ready', label, cache: call.cache, traceScheduleEmitMs: made - started, compileOrLoadMs: done - made });
  process.stdout.write(`a bf16 product, ${call.cache}: ${(made - started).toFixed(1)} ms to trace, schedule and emit, ${(done - made).toFixed(1)} ms to compile or load\n`);
}
peer.stdin.write('{"op": "quit"}\n');
const slug = gpu.info.name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, ''), date = new Date().toISOString().slice(0, 10);
const file = arg('--out') ?? join(here, 'results', `${date}-${slug}-gemm.json`);
mkdirSync(dirname(file), { recursive: true });
const head = { benchmark: 'gpu', date, gpu: { name: gpu.info.name, driver: gpu.driver.identity, multiprocessors: gpu.info.units }, peer: { ...info, id: undefined }, turns, problem: 'square products on random data; milliseconds of one call, means of bursts timed by events on the device; ours and the peer in turns' };
writeFileSync(file, `${JSON.stringify(head, null, 1).slice(0, -2)},\n "rows": [\n  ${rows.map((r) => JSON.stringify(r)).join(',\n  ')}\n ]\n}\n`);
process.exit(0);
