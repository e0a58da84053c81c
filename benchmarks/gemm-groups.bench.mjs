// gemm of small types: bytes (u8 * s8 -> i32, VNNI) and bf16 (-> f32), through Goto's loops and one instruction, beside the measured peak of that instruction.
//   npm run bench -- gemm-groups                 n = 512, 1024, 2048 on 1 and 2 threads; writes benchmarks/results/<date>-<machine>-gemm-groups.json
//   npm run bench -- gemm-groups -- --threads 1    one thread only, which other processes disturb less
//   npm run bench -- gemm-groups -- --quick      n = 1024 on one thread, writes nothing
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { axes, gotoGroups, groupBlocks, kernel, target, tensor, vdpbf16ps_f32x16, vpdpbusd_i32x16 } from '@quern/kernel-dsl';
import { compileKernel, cpuInfo, setThreads, tensor as tensorOf } from '@quern/runtime';
import { least, load, machine, machineSlug, median } from './lib/machine.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)), quick = process.argv.includes('--quick'), turns = 9;
const counts = quick || process.argv[process.argv.indexOf('--threads') + 1] === '1' ? [1] : [1, 2];
const types = [
  { name: 'int8', isa: 'x86-64-v4-vnni', A: 'u8', B: 'i8', C: 'i32', group: 4, instruction: vpdpbusd_i32x16 },
  { name: 'bf16', isa: 'x86-64-v4-bf16', A: 'bf16', B: 'bf16', C: 'f32', group: 2, instruction: vdpbf16ps_f32x16 },
].filter((t) => cpuInfo().isas.includes(t.isa));

/** C += A B. */
const product = (t) => kernel(`gemm_${t.name}`, { A: tensor(t.A, 'M', 'K'), B: tensor(t.B, 'K', 'N'), C: tensor(t.C, 'M', 'N').inout() }, ({ A, B, C, M, N, K }) => {
  const ax = axes({ i: M, j: N, k: K });
  for (const i of ax.i) for (const j of ax.j) for (const k of ax.k) C.at(i, j).addAssign(A.at(i, k).to(t.C).mul(B.at(k, j).to(t.C)));
  return ax;
});
/** 24 sums in registers, over and over with the same operands: nothing but the instruction. */
const alone = (t) => kernel(`peak_${t.name}`, { a: tensor(t.A, t.group), b: tensor(t.B, 16 * t.group), c: tensor(t.C, 24, 16).inout(), n: tensor('u8', 'N') }, ({ a, b, c, n, N }) => {
  const ax = axes({ once: 1, k: N, i: 24, l: 16, q: t.group });
  void n;
  for (const once of ax.once) for (const k of ax.k) for (const i of ax.i) for (const l of ax.l) for (const q of ax.q) {
    void k;
    c.at(i.add(once), l).addAssign(a.at(q).to(t.C).mul(b.at(l.mul(t.group).add(q)).to(t.C)));
  }
  return ax;
});

const data = (dtype, n) => {
  if (dtype === 'u8') return Uint8Array.from({ length: n }, (_, i) => (i * 37) & 255);
  if (dtype === 'i8') return Int8Array.from({ length: n }, (_, i) => ((i * 91) & 255) - 128);
  if (dtype === 'bf16') return Uint16Array.from({ length: n }, (_, i) => 0x3f80 + ((i * 53) & 127) + ((i & 1) << 15));
  return dtype === 'f32' ? new Float32Array(n) : new Int32Array(n);
};
/** One thread is timed by what it used of a processor, so that other processes do not count; several by the clock. */
const seconds = (run, threads) => {
  if (threads === 1) { const from = process.cpuUsage(); run(); const used = process.cpuUsage(from); return (used.user + used.system) / 1e6; }
  const from = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - from) / 1e9;
};
const rows = [], before = load();
process.stdout.write(`load ${before.join(' ')}; Gop/s (a product and a sum are two) at the least and the median time\ntype     n threads   least   (med)    peak  share\n`);
for (const t of types) {
  const gemm = await compileKernel(product(t), { isa: t.isa, schedule: (s, ax) => gotoGroups(s, ax, { A: 'A', B: 'B', C: 'C' }, groupBlocks(target(t.isa), t.group), { instruction: t.instruction, lanes: 16, group: t.group }) });
  const peak = await compileKernel(alone(t), { isa: t.isa, schedule: (s, { once, k, i, l, q }) => { s.stage('c', once, 'reg'); s.unroll(i); s.tensorize(t.instruction, l, q); void k; } });
  const length = 1_000_000;
  for (const threads of counts) for (const n of quick ? [1024] : [512, 1024, 2048]) {
    setThreads(threads);
    const matrix = (dtype) => tensorOf(data(dtype, n * n), [n, n], { dtype }), args = { A: matrix(t.A), B: matrix(t.B), C: matrix(t.C) };
    const vector = (dtype, m) => tensorOf(data(dtype, m), [m], { dtype });
    const spinArgs = { a: vector(t.A, t.group), b: vector(t.B, 16 * t.group), c: tensorOf(data(t.C, 24 * 16), [24, 16]), n: new Uint8Array(length) };
    const times = [], top = [];
    for (let i = 0; i <= turns; i++) { const a = seconds(() => gemm.run(args), threads), b = seconds(() => peak.run(spinArgs), 1); if (i > 0) { times.push(a); top.push(b); } }
    const rate = (s) => 2 * n ** 3 / s / 1e9, most = threads * 2 * length * 24 * 16 * t.group / least(top) / 1e9;
    rows.push({ type: t.name, n, threads, isa: t.isa, seconds: times, peakGops: most });
    process.stdout.write(`${t.name} ${String(n).padStart(5)} ${String(threads).padStart(7)} ${rate(least(times)).toFixed(1).padStart(7)} ${rate(median(times)).toFixed(1).padStart(7)} ${most.toFixed(1).padStart(7)} ${(100 * rate(least(times)) / most).toFixed(0).padStart(4)} %\n`);
  }
}
if (!quick) {
  const date = new Date().toISOString().slice(0, 10), file = join(root, 'benchmarks/results', `${date}-${machineSlug()}-gemm-groups.json`);
  const head = { benchmark: 'gemm-groups', date, machine: machine(), load: { before, after: load() }, turns, problem: 'C += A B, row-major, square; times of single calls in seconds, one thread by processor time, more by the clock; peak: the instruction alone on 24 sums in registers, times the threads' };
  mkdirSync(join(root, 'benchmarks/results'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(head, null, 1).slice(0, -2)},\n "rows": [\n  ${rows.map((r) => JSON.stringify(r)).join(',\n  ')}\n ]\n}\n`);
}
