// Products on a GPU: checked against doubles, then timed in turns with the peer's.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bf16ToF32, compileKernel, f16ToF32, f32ToBf16, f32ToF16, tensor, zeros } from '@quern/runtime';
import { median, randomFrom, warmUp } from './common.mjs';

const random = randomFrom(0x9e3779b9);
const bits = new Float32Array(1), word = new Uint32Array(bits.buffer);
/** What matrix instructions read of a float32: the lower 13 bits are nothing. */
const tf32Value = (x) => { bits[0] = x; word[0] &= 0xffffe000; return bits[0]; };
const FORMS = {
  bf16: { array: Uint16Array, make: () => f32ToBf16(random() * 2 - 1), value: bf16ToF32, ulp: 2 ** -8 }, f16: { array: Uint16Array, make: () => f32ToF16(random() * 2 - 1), value: f16ToF32, ulp: 2 ** -11 },
  f32: { array: Float32Array, make: () => random() * 2 - 1, value: (x) => x, ulp: 0 }, normal: { array: Float32Array, make: () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) }, positive: { array: Float32Array, make: () => random() }, tf32: { value: tf32Value },
  f64: { array: Float64Array, make: () => random() * 2 - 1, value: (x) => x, ulp: 0, eps: 2 ** -52 },
  i8: { array: Int8Array, make: () => Math.floor(random() * 256) - 128, value: (x) => x, ulp: 0 }, i32: { value: (x) => x, ulp: 0 },
};
/** Random numbers: a pattern that repeats after a prime, so that filling is quick and no two rows are alike. */
function fill(n, form) {
  const period = Array.from({ length: 65521 }, form.make), out = new form.array(n);
  for (let i = 0; i < n; i++) out[i] = period[i % 65521];
  return out;
}

/** Elements of the product against doubles: all of a corner, and some anywhere. The bound is gamma(k + 4) of the sum of magnitudes (twice that for f64, whose
 * reference rounds too), and the rounding of the result. */
function check(p, a, b, c, [m, n, depth], finish = (x) => x) {
  const { value } = FORMS[p.reads ?? p.dtype], out = FORMS[p.out];
  let worst = 0;
  for (let q = 0; q < 400; q++) {
    const i = q < 100 ? m - 1 - (q % 10) : Math.floor(random() * m), j = q < 100 ? n - 1 - Math.floor(q / 10) : Math.floor(random() * n);
    let sum = 0, size = 0;
    for (let k = 0; k < depth; k++) { const x = value(a[i * depth + k]) * value(p.transposed ? b[j * depth + k] : b[k * n + j]); sum += x; size += Math.abs(x); }
    const want = finish(sum, j), bound = (p.out === 'i32' ? 0 : (depth + 4) * (out.eps ?? 2 ** -24) * size) + Math.abs(want) * out.ulp, error = Math.abs(Number(c[i * n + j]) - want);
    if (!(error <= bound)) throw new Error(`${p.name}: C[${i}, ${j}] is ${c[i * n + j]}, it should be ${want} within ${bound}`);
    if (bound > 0) worst = Math.max(worst, error / bound);
  }
  return worst;
}

/** Milliseconds of the peer's product, by a burst of so many. */
async function theirTime(peer, p, [m, n, k], burst) {
  const { ms, error } = await peer.ask({ op: 'gemm', dtype: p.peer, m, n, k, transposed: p.transposed, reps: 1, burst });
  if (error !== undefined) throw new Error(`the peer: ${error}`);
  return ms[0];
}

/** One row: compiled, checked, then timed in turns with the peer. */
async function measure({ gpu, peer, turns }, p, shape, schedule, { a, b, A, B, C }) {
  const started = performance.now(), k = await compileKernel(p.kernel, { device: gpu, schedule });
  const more = p.more ? await p.more(gpu, shape) : { args: {} }, args = { A, B, C, ...more.args };
  let call;
  try {
    await k.run(args);
    await gpu.driver.sync();
    const readyMs = performance.now() - started;
    // Poisoned, so that what is not written shows.
    gpu.driver.fill(C.storage.remote.buffer, 0, 0xff, C.bytes);
    call = await k.prepare(args);
    call.enqueue();
    const worstShareOfBound = check(p, a, b, await C.readAsync(), shape, more.finish), burst = Math.max(3, Math.min(40, Math.round(2e13 / (shape[0] * shape[1] * shape[2]) / 10)));
    await warmUp(() => call.time(burst));
    const oursMs = [], peerMs = [];
    for (let t = 0; t < turns; t++) {
      oursMs.push((await call.time(burst)) / burst / 1e6);
      peerMs.push(await theirTime(peer, p, shape, burst));
    }
    return { oursMs, peerMs, ratio: median(peerMs) / median(oursMs), worstShareOfBound, cache: call.cache, readyMs };
  } finally {
    call?.dispose();
    k.dispose();
    for (const x of Object.values(more.args)) x.dispose?.();
  }
}

/** Errors of all elements of a product of float32 beside those of the peer's on the same data: see peers.py. */
async function measureErrors({ gpu, peer }, p, n, schedule, data) {
  const folder = mkdtempSync(join(tmpdir(), 'quern-')), files = ['a', 'b', 'c'].map((x) => join(folder, x)), k = await compileKernel(p.kernel, { device: gpu, schedule }), held = [];
  const put = async (x) => { const t = await tensor(x, [n, n]).to(gpu); held.push(t); return t; };
  try {
    const a = fill(n * n, FORMS[data]), b = fill(n * n, FORMS[data]), C = zeros([n, n], 'f32', { device: gpu }), more = p.more ? await p.more(gpu, [n, n, n]) : { args: {} };
    held.push(C, ...Object.values(more.args));
    await k.run({ A: await put(a), B: await put(b), C, ...more.args });
    [a, b, await C.readAsync()].forEach((x, i) => writeFileSync(files[i], x));
    const { error, ...errors } = await peer.ask({ op: 'error', files, n, transposed: p.transposed });
    if (error !== undefined) throw new Error(`the peer: ${error}`);
    return errors;
  } finally {
    for (const t of held) t.dispose();
    k.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measures all schedules of all products at all of their sizes; returns the rows, and prints a line for each. */
export async function measureProducts(bench, products) {
  const { gpu } = bench, rows = [];
  for (const p of products) for (const size of p.sizes) {
    const shape = Array.isArray(size) ? size : [size, size, size], [m, n, k] = shape;
    const a = fill(m * k, FORMS[p.dtype]), b = fill(n * k, FORMS[p.dtype]), rate = (ms) => ((2 * m * n * k) / ms / 1e9).toFixed(0).padStart(4);
    const A = await tensor(a, [m, k], { dtype: p.dtype }).to(gpu), B = await tensor(b, p.transposed ? [n, k] : [k, n], { dtype: p.dtype }).to(gpu), C = zeros([m, n], p.out, { device: gpu });
    for (const [name, schedule] of Object.entries((gpu.info.kind !== 'cuda' && p.elsewhere) || p.schedules)) {
      const head = { kind: p.name, ...(Array.isArray(size) ? { m, n, k } : { n }), schedule: name }, title = `${p.name.padEnd(5)} ${(Array.isArray(size) ? size.join(' x ') : String(n)).padStart(5)}`;
      try {
        const row = { ...head, ...(await measure(bench, p, shape, schedule, { a, b, A, B, C })) };
        rows.push(row);
        process.stdout.write(`${title}  ours ${rate(median(row.oursMs))}  cuBLAS ${rate(median(row.peerMs))}  ratio ${row.ratio.toFixed(3)}  ${name}\n`);
      } catch (error) {
        const why = String(error?.message ?? error);
        rows.push({ ...head, error: why });
        process.stdout.write(`${title}  FAILED  ${name}: ${why.replaceAll(/\s+/g, ' ').slice(0, 400)}\n`);
      }
    }
    for (const x of [A, B, C]) x.dispose();
    for (const data of p.errors ?? []) {
      const [name, schedule] = Object.entries(p.schedules)[0], row = { kind: p.name, n, schedule: name, data };
      try {
        const errors = await measureErrors(bench, p, n, schedule, data), say = ({ max, rms }) => `${max.toFixed(2)} ${rms.toFixed(3)}`;
        rows.push({ ...row, errors });
        process.stdout.write(`${p.name.padEnd(5)} ${String(n).padStart(5)}  errors of ${data}, largest and rms, in 2^-24 |a||b|: ours ${say(errors.ours)}  cuBLAS ${say(errors.theirs)}  ${name}\n`);
      } catch (error) { rows.push({ ...row, error: String(error?.message ?? error) }); process.stdout.write(`${p.name} ${n} errors FAILED: ${String(error?.message ?? error).slice(0, 400)}\n`); }
    }
  }
  return rows;
}
