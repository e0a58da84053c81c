// Attention on a GPU of compute capability 9.0: checked against doubles, then timed in turns with PyTorch's flash and cuDNN attention.
import { flashAttention, hopperAttention } from '@quern/kernel-dsl/gpu';
import { bf16ToF32, compileKernel, f16ToF32, f32ToBf16, f32ToF16, tensor, zeros } from '@quern/runtime';
import { median, randomFrom } from './common.mjs';

const random = randomFrom(0x51ed270b);
const FORMS = { bf16: { make: f32ToBf16, value: bf16ToF32, unit: 2 ** -8 }, f16: { make: f32ToF16, value: f16ToF32, unit: 2 ** -11 } };
/** Normal random numbers (Box and Muller, 1958): a pattern that repeats after a prime. */
function fill(n, make) {
  const period = Array.from({ length: 65521 }, () => make(Math.sqrt(-2 * Math.log(random() || 1e-9)) * Math.cos(2 * Math.PI * random()))), out = new Uint16Array(n);
  for (let i = 0; i < n; i++) out[i] = period[i % 65521];
  return out;
}

const found = { 'one block ahead': {} };
/** What is measured: a problem, and options of the schedule by name. Work counts 4 S² D H operations, half of them where it is causal. */
export const attentions = [
  { name: 'bf16 causal', dtype: 'bf16', causal: true, H: 32, S: 4096, D: 128, schedules: { ...found, 'block by block': { overlap: false } } },
  { name: 'bf16', dtype: 'bf16', causal: false, H: 32, S: 4096, D: 128, schedules: { ...found, 'block by block': { overlap: false } } },
  { name: 'bf16 causal', dtype: 'bf16', causal: true, H: 16, S: 16384, D: 128, schedules: found },
  { name: 'f16 causal', dtype: 'f16', causal: true, H: 32, S: 4096, D: 128, schedules: found },
  { name: 'bf16 causal', dtype: 'bf16', causal: true, H: 32, S: 4096, D: 64, schedules: found },
  { name: 'bf16', dtype: 'bf16', causal: false, H: 32, S: 4096, D: 64, schedules: found },
];

/** Rows of the result against doubles. The bound: weights are rounded once, products and sums in float32, the result once. */
function check(p, { q, k, v }, o, scale, rows = 64) {
  const { value, unit } = FORMS[p.dtype], { H, S, D, causal } = p;
  let worst = 0;
  for (let r = 0; r < rows; r++) { // the last rows, the first ones, and some anywhere
    const h = Math.floor(random() * H), i = r < 8 ? S - 1 - r : r < 16 ? r - 8 : Math.floor(random() * S), n = causal ? i + 1 : S, s = new Float64Array(n);
    let most = -Infinity, size = 0;
    for (let j = 0; j < n; j++) {
      let sum = 0, sizes = 0;
      for (let e = 0; e < D; e++) { const x = value(q[(h * S + i) * D + e]) * value(k[(h * S + j) * D + e]); sum += x; sizes += Math.abs(x); }
      s[j] = sum * scale;
      most = Math.max(most, s[j]);
      size = Math.max(size, sizes * scale);
    }
    let total = 0;
    for (let j = 0; j < n; j++) total += s[j] = Math.exp(s[j] - most);
    for (let d = 0; d < D; d++) {
      let sum = 0, sizes = 0;
      for (let j = 0; j < n; j++) { const x = s[j] * value(v[(h * S + j) * D + d]); sum += x; sizes += Math.abs(x); }
      const want = sum / total, bound = (sizes / total) * (unit + 2 ** -23 * (n + 16) + 4 * 2 ** -24 * (D + 8) * size) + Math.abs(want) * unit, is = Number(o[(h * S + i) * D + d]), error = Math.abs(is - want);
      if (!(error <= bound)) throw new Error(`${p.name}: O[${h}, ${i}, ${d}] is ${is}, it should be ${want} within ${bound}`);
      if (bound > 0) worst = Math.max(worst, error / bound);
    }
  }
  return worst;
}

/** Milliseconds of a peer, by a burst of so many. */
async function theirTime(peer, p, backend, burst) {
  const { ms, error } = await peer.ask({ op: 'attention', backend, dtype: p.dtype, h: p.H, s: p.S, d: p.D, causal: p.causal, reps: 1, burst });
  if (error !== undefined) throw new Error(`the peer ${backend}: ${error}`);
  return ms[0];
}

/** Measures all schedules of all problems; returns the rows, and prints a line for each. */
export async function measureAttention({ gpu, peer, turns }, problems) {
  const rows = [];
  for (const p of problems) {
    const { H, S, D } = p, { make } = FORMS[p.dtype], scale = 1 / Math.sqrt(D);
    const host = { q: fill(H * S * D, make), k: fill(H * S * D, make), v: fill(H * S * D, make) };
    const [Q, K, V] = await Promise.all([host.q, host.k, host.v].map((x) => tensor(x, [H, S, D], { dtype: p.dtype }).to(gpu))), O = zeros([H, S, D], p.dtype, { device: gpu });
    const work = (4 * H * S * S * D) / (p.causal ? 2 : 1), rate = (ms) => (work / ms / 1e9).toFixed(0).padStart(4);
    for (const [schedule, cut] of Object.entries(p.schedules)) {
      const head = { kind: p.name, H, S, D, schedule }, title = `${p.name.padEnd(12)} ${H} x ${S} x ${D}`, options = { dtype: p.dtype, D, causal: p.causal, ...cut };
      let k, call;
      try {
        k = await compileKernel(flashAttention(options), { device: gpu, schedule: (s, ax) => hopperAttention(s, ax, options) });
        await k.run({ Q, K, V, scale, O });
        await gpu.driver.sync();
        // Poisoned, so that what is not written shows.
        gpu.driver.fill(O.storage.remote.buffer, 0, 0xff, O.bytes);
        call = await k.prepare({ Q, K, V, scale, O });
        call.enqueue();
        const worstShareOfBound = check(p, host, await O.readAsync(), scale), burst = Math.max(3, Math.min(40, Math.round(2e13 / work)));
        const oursMs = [], flashMs = [], cudnnMs = [];
        await call.time(burst);
        for (let t = 0; t < turns; t++) {
          oursMs.push((await call.time(burst)) / burst / 1e6);
          flashMs.push(await theirTime(peer, p, 'flash', burst));
          cudnnMs.push(await theirTime(peer, p, 'cudnn', burst));
        }
        const row = { ...head, oursMs, flashMs, cudnnMs, ofFlash: median(flashMs) / median(oursMs), ofCudnn: median(cudnnMs) / median(oursMs), worstShareOfBound };
        rows.push(row);
        process.stdout.write(`${title}  ours ${rate(median(oursMs))}  flash ${rate(median(flashMs))}  cuDNN ${rate(median(cudnnMs))}  of cuDNN ${row.ofCudnn.toFixed(3)}  ${schedule}\n`);
      } catch (error) {
        const why = String(error?.message ?? error);
        rows.push({ ...head, error: why });
        process.stdout.write(`${title}  FAILED  ${schedule}: ${why.replaceAll(/\s+/g, ' ').slice(0, 600)}\n`);
      } finally {
        call?.dispose();
        k?.dispose();
      }
    }
    for (const x of [Q, K, V, O]) x.dispose();
  }
  return rows;
}
