// gpu-skinny: few rows times a matrix of weights on tensor cores, in f16, in parts of k, and in 4-bit blocks, beside PyTorch's f16 product of the same shape in turns.
//   npm run bench -- gpu-skinny                       writes benchmarks/results/<date>-<gpu>-skinny.json
//   npm run bench -- gpu-skinny -- --only q4_0        rows of one kind; --turns N (7 when not given); --out FILE
// Status: 0; 1 when a row failed, which its error in the file tells; 2 when the machine lacks something or the command line is wrong.
import { compileKernel, device, f16ToF32, f32ToF16, tensor, zeros } from '@quern/runtime';
import { argument as arg, median, openPeer, randomFrom, refuse, writeResults } from './gpu/common.mjs';
import { K, N, skinny } from './gpu/skinny.mjs';

const turns = Number(arg('--turns') ?? 7), only = arg('--only'), chosen = skinny.filter((p) => only === undefined || p.name === only), kinds = [...new Set(skinny.map((p) => p.name))];
if (!(turns >= 1)) refuse('gpu-skinny', '--turns takes a number, 1 or more');
if (chosen.length === 0) refuse('gpu-skinny', `--only takes one of ${kinds.join(', ')}`);
const NEEDED = 'needs an NVIDIA GPU of compute capability 8.0 or later and python3 with torch', gpu = await device('cuda:0', { fallback: 'none' }).catch((error) => refuse('gpu-skinny', `${NEEDED}; here, ${error.reasons?.[0]?.detail ?? error.message}`));
const { peer, info } = await openPeer('gpu-skinny', NEEDED), random = randomFrom(0x2545f491), R = (K / 32) * 18;

// Weights in f16, and in blocks whose scales are small.
const f16 = (n) => { const period = Array.from({ length: 65521 }, () => f32ToF16(random() * 2 - 1)); return Uint16Array.from({ length: n }, (_, i) => period[i % 65521]); };
const W16 = f16(N * K), W4 = Uint8Array.from({ length: N * R }, () => random() * 256);
for (let b = 0; b < W4.length; b += 18) { const scale = f32ToF16(0.01 + random() / 10); W4[b] = scale & 255; W4[b + 1] = scale >> 8; }
const half = await tensor(W16, [N, K], { dtype: 'f16' }).to(gpu), packed = await tensor(W4, [N, R], { dtype: 'u8' }).to(gpu);
/** The weight of column j of C, for each k. */
const weights = {
  f16: (j) => Float64Array.from({ length: K }, (_, k) => f16ToF32(W16[j * K + k])),
  q4_0: (j) => Float64Array.from({ length: K }, (_, k) => {
    const at = j * R + (k >> 5) * 18, e = k & 31, byte = W4[at + 2 + (e & 15)], scale = f16ToF32(W4[at] | (W4[at + 1] << 8));
    return f16ToF32(f32ToF16(((e < 16 ? byte & 15 : byte >> 4) - 8) * scale));
  }),
};
/** Elements of the product against doubles: gamma(k + 4) of the sum of magnitudes, and the rounding of the result. */
function check(p, x, c) {
  for (let q = 0; q < 64; q++) {
    const i = q < 16 ? p.m - 1 - (q % Math.min(p.m, 16)) : Math.floor(random() * p.m), j = q < 16 ? N - 1 - q : Math.floor(random() * N), w = weights[p.name === 'q4_0' ? 'q4_0' : 'f16'](j);
    let sum = 0, size = 0;
    for (let k = 0; k < K; k++) { const y = f16ToF32(x[i * K + k]) * w[k]; sum += y; size += Math.abs(y); }
    const got = Number(c[i * N + j]), bound = (K + 4) * 2 ** -24 * size + Math.abs(sum) * 2 ** -11;
    if (!(Math.abs(got - sum) <= bound)) throw new Error(`${p.name}: C[${i}, ${j}] is ${got}, it should be ${sum} within ${bound}`);
  }
}

process.stdout.write(`${gpu.info.name}, ${gpu.driver.identity}; M x ${K} times ${K} x ${N}, medians of ${turns} turns\n`);
const rows = [];
for (const p of chosen) {
  const x = f16(p.m * K), X = await tensor(x, [p.m, K], { dtype: 'f16' }).to(gpu), C = zeros([p.m, N], 'f16', { device: gpu }), W = p.name === 'q4_0' ? packed : half, bytes = W.bytes + X.bytes + C.bytes;
  const P = p.tiles && zeros([Math.ceil(K / 64 / p.tiles), p.m, N], 'f32', { device: gpu }), burst = p.m > 1000 ? 10 : 40;
  for (const [schedule, f] of Object.entries(p.schedules)) {
    const head = { kind: p.name, m: p.m, n: N, k: K, schedule }, title = `${p.name.padEnd(12)} ${String(p.m).padStart(5)}`;
    try {
      const k = await compileKernel(p.kernel, { device: gpu, schedule: f }), call = await k.prepare({ X, W, C, ...(P && { P }) });
      gpu.driver.fill(C.storage.remote.buffer, 0, 0xff, C.bytes);
      call.enqueue();
      check(p, x, await C.readAsync());
      await call.time(burst);
      const oursMs = [], peerMs = [];
      for (let t = 0; t < turns; t++) {
        oursMs.push((await call.time(burst)) / burst / 1e6);
        const { ms, error } = await peer.ask({ op: 'gemm', dtype: 'f16', m: p.m, n: N, k: K, transposed: true, reps: 1, burst });
        if (error !== undefined) throw new Error(`the peer: ${error}`);
        peerMs.push(ms[0]);
      }
      const ms = median(oursMs), ratio = median(peerMs) / ms;
      rows.push({ ...head, oursMs, peerMs, ratio, bytes });
      process.stdout.write(`${title}  ours ${(ms * 1000).toFixed(1)} us, ${((2 * p.m * N * K) / ms / 1e9).toFixed(1)} TFLOP/s, ${(bytes / ms / 1e6).toFixed(0)} GB/s  torch ${(median(peerMs) * 1000).toFixed(1)} us  ratio ${ratio.toFixed(3)}  ${schedule}\n`);
      call.dispose();
      k.dispose();
    } catch (error) {
      const why = String(error?.message ?? error);
      rows.push({ ...head, error: why });
      process.stdout.write(`${title}  FAILED  ${schedule}: ${why.replaceAll(/\s+/g, ' ').slice(0, 400)}\n`);
    }
  }
  for (const t of [X, C, ...(P ? [P] : [])]) t.dispose();
}
peer.end();
process.exit(writeResults({ benchmark: 'gpu-skinny', gpu, info, turns, rows, out: arg('--out'), kind: 'skinny', problem: `M rows times a matrix of ${N} x ${K} weights; milliseconds of one call, means of bursts timed by events on the device; the peer multiplies f16 of the same shape, in turns; weights may stay in the second-level cache` }));
