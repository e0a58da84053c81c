// gpu-streams: work that memory bounds, on a GPU: copies, sums of rows, softmax, rms_norm, transposition, a product of 4-bit blocks with a vector. Each is checked
// against doubles first; then its bytes a second are held to those that PyTorch's copy or sum reaches in the same run, in turns.
//   npm run bench -- gpu-streams                       writes benchmarks/results/<date>-<gpu>-streams.json
//   npm run bench -- gpu-streams -- --only softmax     rows of one kind; --turns N (7 when not given); --device cuda:0; --out FILE
// Status: 0; 1 when a row failed, which its error in the file tells; 2 when the machine lacks something or the command line is wrong.
import { compileKernel, device, f16ToF32, f32ToF16, tensor, zeros } from '@quern/runtime';
import { argument as arg, median, openPeer, randomFrom, refuse, warmUp, writeResults } from './gpu/common.mjs';
import { matvecs, streams } from './gpu/streams.mjs';

const T = 8192, D = 8192, turns = Number(arg('--turns') ?? 7), only = arg('--only'), wanted = (p) => only === undefined || p.name === only;
if (!(turns >= 1)) refuse('gpu-streams', '--turns takes a number, 1 or more');
if (![...streams, matvecs].some(wanted)) refuse('gpu-streams', `--only takes one of ${[...new Set([...streams, matvecs].map((p) => p.name))].join(', ')}`);
const id = arg('--device') ?? 'cuda:0', NEEDED = 'needs a GPU, and python3 with torch for the bandwidth that others reach on it';
const gpu = await device(id, { fallback: 'none' }).catch((error) => refuse('gpu-streams', `${NEEDED}; here, ${error.reasons?.[0]?.detail ?? error.message}`));
const { peer, info } = await openPeer('gpu-streams', NEEDED), random = randomFrom(0x2545f491);

/** Milliseconds of a burst of the peer's copy or sum. */
const BYTES = { copy: 4 * T * D, sum: 4 * T * D };
async function limit(op, burst) {
  const { ms, error } = await peer.ask({ op, bytes: BYTES[op], reps: 1, burst });
  if (error !== undefined) throw new Error(`the peer: ${error}`);
  return (op === 'copy' ? 2 : 1) * BYTES[op] / ms[0] / 1e6;
}

const X = Float32Array.from({ length: T * D }, () => random() * 4 - 2), W = Float32Array.from({ length: D }, () => random() * 2 - 1);
/** What row t should be, in doubles; a function of the column, and a bound on the relative error. */
const WANT = {
  copy: (t) => (i) => X[t * D + i],
  row_sums: (t) => { let s = 0; for (let i = 0; i < D; i++) s += X[t * D + i]; return () => s; },
  softmax: (t) => { let top = -Infinity, s = 0; for (let i = 0; i < D; i++) top = Math.max(top, X[t * D + i]); for (let i = 0; i < D; i++) s += Math.exp(X[t * D + i] - top); return (i) => Math.exp(X[t * D + i] - top) / s; },
  rms_norm: (t) => { let s = 0; for (let i = 0; i < D; i++) s += X[t * D + i] ** 2; const f = 1 / Math.sqrt(s / D + 1e-5); return (i) => X[t * D + i] * f * W[i]; },
};
function check(p, y) {
  const bound = p.name === 'row_sums' ? 8192 * 2 ** -24 * 2 * D / 40 : 2e-5;
  for (let q = 0; q < 48; q++) {
    const t = q < 2 ? [0, T - 1][q] : Math.floor(random() * T);
    if (p.name === 'transpose') { for (let i = 0; i < D; i += 37) if (y[i * T + t] !== X[t * D + i]) throw new Error(`y[${i}, ${t}] is ${y[i * T + t]}, it should be ${X[t * D + i]}`); continue; }
    const want = WANT[p.name](t);
    for (let i = 0; i < (p.name === 'row_sums' ? 1 : D); i++) {
      const got = p.name === 'row_sums' ? y[t] : y[t * D + i], x = want(i), allowed = p.name === 'copy' ? 0 : p.name === 'row_sums' ? bound : bound * Math.abs(x);
      if (!(Math.abs(got - x) <= allowed)) throw new Error(`row ${t}, ${i}: ${got}, it should be ${x} within ${allowed}`);
    }
  }
}

WANT['softmax of 8192'] = WANT.softmax;
const rows = [];
async function row(p, name, call, bytes, calls = [call]) {
  const burst = 60, ours = [], theirs = [];
  await warmUp(() => gpu.driver.time(() => { for (let b = 0; b < burst; b++) calls[b % calls.length].enqueue(); }));
  for (let t = 0; t < turns; t++) {
    ours.push((bytes * burst) / (await gpu.driver.time(() => { for (let b = 0; b < burst; b++) calls[b % calls.length].enqueue(); })));
    theirs.push(await limit(p.limit, burst));
  }
  const r = { kind: p.name, schedule: name, oursGBs: ours, limitGBs: theirs, limit: p.limit, ratio: median(ours) / median(theirs) };
  rows.push(r);
  process.stdout.write(`${p.name.padEnd(15)} ${median(ours).toFixed(0).padStart(5)} GB/s  ${p.limit} ${median(theirs).toFixed(0).padStart(5)}  ratio ${r.ratio.toFixed(3)}  ${name}\n`);
}
async function measured(p, name, f) {
  try { await f(); } catch (error) {
    const why = String(error?.message ?? error);
    rows.push({ kind: p.name, schedule: name, error: why });
    process.stdout.write(`${p.name.padEnd(15)} FAILED  ${name}: ${why.replaceAll(/\s+/g, ' ').slice(0, 400)}\n`);
  }
}

process.stdout.write(`${gpu.info.name}, ${gpu.driver.identity}; ${T} x ${D} float32, medians of ${turns} turns\n`);
const x = await tensor(X, [T, D]).to(gpu), w = await tensor(W, [D]).to(gpu), out = zeros([T, D], 'f32', { device: gpu }), sums = zeros([T], 'f32', { device: gpu });
for (const p of streams.filter(wanted)) for (const [name, schedule] of Object.entries(p.schedules)) await measured(p, name, async () => {
  const k = await compileKernel(p.kernel, { device: gpu, ...(schedule && { schedule }) }), y = p.name === 'row_sums' ? sums : out, args = p.name === 'rms_norm' ? { x, w, y } : { x, y };
  gpu.driver.fill(y.storage.remote.buffer, 0, 0xff, y.bytes);
  const call = await k.prepare(args);
  call.enqueue();
  check(p, await y.readAsync());
  await row(p, name, call, p.bytes(T, D));
  call.dispose();
  k.dispose();
});

if (wanted(matvecs)) {
  const { rows: R, blocks: NB } = matvecs, copies = 8, bytes = R * NB * 18, data = Uint8Array.from({ length: bytes }, (_, i) => (i % 18 === 1 ? 0x2c + (random() < 0.5 ? 0 : 0x80) : Math.floor(random() * 256)));
  const v = Uint16Array.from({ length: NB * 32 }, () => f32ToF16(random() * 2 - 1)), vf = Float64Array.from(v, f16ToF32), near = Array.from({ length: 8 }, () => Math.floor(random() * R)), want = near.map((r) => {
    let s = 0, size = 0;
    for (let b = 0; b < NB; b++) { const at = (r * NB + b) * 18, scale = f16ToF32(data[at] | (data[at + 1] << 8)); for (let j = 0; j < 32; j++) { const n = (j < 16 ? data[at + 2 + j] & 15 : data[at + 2 + j - 16] >> 4) - 8, z = scale * n * vf[b * 32 + j]; s += z; size += Math.abs(z); } }
    return [s, size];
  });
  const known = new Map(), onGpu = async (words) => {
    if (!known.has(words)) {
      const u32 = (bytes, shape) => tensor(new Uint32Array(bytes.buffer), shape, { dtype: 'u32' }), u8 = (bytes, shape) => tensor(new Uint8Array(bytes.buffer), shape, { dtype: 'u8' }), W = [];
      for (let c = 0; c < copies; c++) W.push(await (words ? u32(data, [R / words, (bytes / R / 4) * words]) : u8(data, [R, NB, 18])).to(gpu));
      known.set(words, { W, x: await (words ? u32(v, [NB / 2, 32]) : u8(v, [NB, 64])).to(gpu), y: zeros(words ? [R / words, words] : [R], 'f32', { device: gpu }) });
    }
    return known.get(words);
  };
  for (const [name, { kernel, schedule, words = 0 }] of Object.entries(matvecs.schedules)) if (words === 0 || gpu.info.kind === 'cuda') await measured(matvecs, name, async () => {
    const k = await compileKernel(kernel, { device: gpu, schedule }), calls = [], { W: ws, x: xs, y: ys } = await onGpu(words);
    for (const m of ws) calls.push(await k.prepare({ W: m, x: xs, y: ys }));
    gpu.driver.fill(ys.storage.remote.buffer, 0, 0xff, ys.bytes);
    calls[0].enqueue();
    const got = await ys.readAsync();
    near.forEach((r, i) => { const [s, size] = want[i]; if (!(Math.abs(got[r] - s) <= size * 1e-5)) throw new Error(`y[${r}] is ${got[r]}, it should be ${s} within ${size * 1e-5}`); });
    await row(matvecs, name, undefined, bytes + NB * 64 + 4 * R, calls);
    for (const c of calls) c.dispose();
    k.dispose();
  });
}
peer.end();
process.exit(writeResults({ benchmark: 'gpu-streams', gpu, info, turns, rows, out: arg('--out'), kind: 'streams', problem: `${T} x ${D} float32, and a 4096 x 11008 matrix of Q4_0 blocks of which 8 take turns; GB/s of the bytes that must move, bursts of 60 timed by events on the device, the peer's copy or sum of 256 MB in turns` }));
