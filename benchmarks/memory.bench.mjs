// memory: kernels that memory bounds, beside the speed of memory measured in the same turns: reading alone, or memcpy for what reads and writes.
//   npm run bench -- memory               writes benchmarks/results/<date>-<machine>-memory.json
//   npm run bench -- memory -- --quick    small arrays, writes nothing
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { axes, kernel, reg, tensor as spec } from '../packages/kernel-dsl/dist/index.js';
import { dnnKernel, quantizeQ8 } from '../packages/dnn/dist/index.js';
import { compileKernel, cpuInfo, measureReadBandwidth, zeros } from '../packages/runtime/dist/index.js';
import { load, machine, machineSlug, median } from './lib/machine.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)), quick = process.argv.includes('--quick'), turns = 9;
const MB = quick ? 32 : 256, bytes = MB << 20;

function partner(threads) {
  const folder = join(root, 'node_modules/.cache/quern'), out = join(folder, 'copy');
  mkdirSync(folder, { recursive: true });
  execFileSync(process.env.CC ?? 'cc', ['-std=gnu11', '-O2', '-pthread', join(root, 'benchmarks/memory/copy.c'), '-o', out], { stdio: 'inherit' });
  const child = spawn(out, [String(threads), String(bytes), '3'], { stdio: ['pipe', 'pipe', 'inherit'] }), lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { ask: async () => { child.stdin.write('\n'); return Number((await lines.next()).value); }, close: () => child.stdin.end() };
}

const copy = await compileKernel(kernel('copy', { x: spec('f32', 'N'), y: spec('f32', 'N').out() }, ({ x, y, N }) => {
  const ax = axes({ i: N });
  for (const i of ax.i) y.at(i).set(x.at(i));
  return ax;
}), { schedule: (s, { i }) => { const [blocks, part] = s.split(i, 1 << 14, { tail: 'peel' }), [, lanes] = s.split(part, 4 * s.vec('f32')); s.vectorize(lanes); s.parallel(blocks); } });
const sum = await compileKernel(kernel('sum_rows', { x: spec('f32', 'T', 'D'), y: spec('f32', 'T').out() }, ({ x, y, T, D }) => {
  const ax = axes({ t: T, d: D });
  for (const t of ax.t) {
    const acc = reg('f32', 0);
    for (const d of ax.d) acc.addAssign(x.at(t, d));
    y.at(t).set(acc);
  }
  return ax;
}), { schedule: (s, { t, d }) => { const [, lanes] = s.split(d, 8 * s.vec('f32'), { tail: 'peel' }); s.rfactor('acc', lanes); s.vectorize(lanes); s.parallel(t); } });

const D = 4096, T = bytes / 4 / D, fill = (t) => t.write(Float32Array.from({ length: t.size }, (_, i) => Math.sin(i * 0.37))), X = fill(zeros([T, D])), Y = zeros([T, D]), w = fill(zeros([D])), sums = zeros([T]);
/** Matrices in turns, together far beyond the caches: none is still there when its turn comes again. */
const R = 11008, NB = 4096 / 32, count = Math.max(2, Math.ceil(bytes / (R * NB * 18)));
const matrices = Array.from({ length: count }, (_, m) => zeros([R, NB, 18], 'u8').write(Uint8Array.from({ length: R * NB * 18 }, (_, i) => (i % 18 === 0 ? 0 : i % 18 === 1 ? 0x2c : (i * 37 + m) & 255))));
const rounded = quantizeQ8(fill(zeros([1, NB * 32]))), q = rounded.q.reshape(NB, 32), d = rounded.d.reshape(NB), y = zeros([R]);
const CASES = [
  { name: 'copy', limit: 'copy', bytes: 2 * bytes, run: (threads) => copy.run({ x: X.reshape(T * D), y: Y.reshape(T * D) }, { threads }) },
  { name: 'sum of rows', limit: 'read', bytes, run: (threads) => sum.run({ x: X, y: sums }, { threads }) },
  { name: 'softmax of rows', limit: 'copy', bytes: 2 * bytes, run: (threads) => dnnKernel('softmax').run({ x: X, y: Y }, { threads }) },
  { name: 'rms_norm', limit: 'copy', bytes: 2 * bytes, run: (threads) => dnnKernel('rms_norm').run({ x: X, w, y: Y, eps: 1e-5 }, { threads }) },
  { name: `Q4_0 matvec 4096 x ${R}`, limit: 'read', bytes: count * R * NB * 18, run: (threads) => { for (const W of matrices) dnnKernel('matvec_q4_0').run({ W, q, d, y }, { threads }); } },
];
for (const c of CASES) c.run(1);

const rows = [], before = load();
process.stdout.write(`load ${before.join(' ')}; ${MB} MB arrays; best (median) of ${turns} turns\nkernel                      threads   GB/s  (med)   limit  (med)   share\n`);
for (const threads of [1, 2]) {
  const memcpy = partner(threads);
  for (const c of CASES) {
    const ours = [], limit = [];
    for (let t = 0; t < turns; t++) {
      limit.push(c.limit === 'copy' ? await memcpy.ask() : measureReadBandwidth({ threads, rounds: 3, bytes }));
      const start = performance.now();
      for (let k = 0; k < 3; k++) c.run(threads);
      ours.push((3 * c.bytes) / (performance.now() - start) * 1000);
    }
    const best = Math.max(...ours), top = Math.max(...limit);
    rows.push({ kernel: c.name, threads, isa: cpuInfo().isas[0], limit: c.limit === 'copy' ? 'memcpy' : 'read', ours, limits: limit });
    const gb = (x) => (x / 1e9).toFixed(1).padStart(6);
    process.stdout.write(`${c.name.padEnd(28)}${String(threads).padStart(4)}  ${gb(best)} ${gb(median(ours))}  ${gb(top)} ${gb(median(limit))}   ${((100 * best) / top).toFixed(0).padStart(3)} %\n`);
  }
  memcpy.close();
}
if (!quick) {
  const out = `benchmarks/results/${new Date().toISOString().slice(0, 10)}-${machineSlug()}-memory.json`;
  writeFileSync(join(root, out), `${JSON.stringify({ date: new Date().toISOString(), machine: machine(), load: { before, after: load() }, unit: 'bytes per second, each turn', megabytes: MB, rows }, null, 1)}\n`);
  process.stdout.write(`written: ${out}\n`);
}
