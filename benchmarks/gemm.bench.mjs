// gemm: ours against OpenBLAS at its best core type, in one process and in turns, beside the measured peak of fused multiply-adds.
//   npm run bench -- gemm                      every size; writes benchmarks/results/<date>-<machine>-gemm.json and a plot of it
//   npm run bench -- gemm -- --quick           n = 1024 alone, writes nothing
//   npm run bench -- gemm -- --turns 15        turns of each library per row; 9 when not given
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plot } from './gemm/plot.mjs';
import { least, load, machine, machineSlug, median } from './lib/machine.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const core = join(root, 'packages/runtime/native/core'), ours = join(root, 'packages/blas/lib/libquern_blas.so'), peer = 'libopenblas.so.0';
const quick = process.argv.includes('--quick'), turns = Math.max(7, Number(process.argv[process.argv.indexOf('--turns') + 1]) || 9);

function harness() {
  const folder = join(root, 'node_modules/.cache/quern'), out = join(folder, 'gemm-compare');
  mkdirSync(folder, { recursive: true });
  const parts = ['measure', 'memory', 'call', 'arena', 'pool', 'cpu', 'cpus', 'wait'].map((x) => join(core, `${x}.c`));
  execFileSync(process.env.CC ?? 'cc', ['-std=gnu11', '-D_GNU_SOURCE', '-O2', `-I${core}`, join(root, 'benchmarks/gemm/compare.c'), ...parts, '-o', out, '-pthread', '-ldl', '-lm'], { stdio: 'inherit' });
  return out;
}

// The peer is told its core type: by itself, 0.3.21 takes recent processors for older ones and runs at half speed.
const avx512 = machine().vectors === 'AVX-512';
const sizes = quick ? [1024] : [256, 512, 1000, 1024, 1536, 2048, 4096];
const runs = [
  ...(avx512 ? [{ isa: '', peerCore: 'SkylakeX', sizes, threads: quick ? [1] : [1, 2] }] : []),
  { isa: 'x86-64-v3', peerCore: 'Haswell', sizes, threads: quick ? [1] : [1, 2] },
];

// Other processes only ever lower the peak that is seen: the best of all rows of a kind stands for all of them.
const peaks = new Map();
function peakOf({ type, threads, isa, peakFlops }) {
  const key = `${type} ${threads} ${isa}`;
  peaks.set(key, Math.max(peakFlops, peaks.get(key) ?? 0));
  return peaks.get(key);
}

const program = harness(), rows = [], before = load();
const gflops = (n, seconds) => 2 * n ** 3 / seconds / 1e9;
process.stdout.write(`load ${before.join(' ')}; GFLOP/s at the least and the median time; ratios above 1 are ours\n`);
process.stdout.write('type    n threads isa         peer core   ours  (med)   peer  (med)  ratio  (med)   peak  share\n');
for (const { isa, peerCore, sizes: ns, threads } of runs) {
  for (const type of ['f32', 'f64']) for (const t of threads) for (const n of ns) {
    const env = { ...process.env, OPENBLAS_CORETYPE: peerCore, ...(isa === '' ? {} : { QUERN_ISA: isa }) };
    const row = JSON.parse(execFileSync(program, [ours, peer, type, String(n), String(t), String(turns)], { encoding: 'utf8', env, maxBuffer: 1 << 26 }));
    rows.push(row);
    const [a, b] = [row.ours, row.peer].map((times) => [gflops(n, least(times)), gflops(n, median(times))]);
    const f = (x, w = 6, d = 1) => x.toFixed(d).padStart(w);
    process.stdout.write(`${type} ${String(n).padStart(5)} ${String(t).padStart(4)}    ${row.isa.padEnd(11)} ${row.peerCore.padEnd(9)} ${f(a[0])} ${f(a[1])} ${f(b[0])} ${f(b[1])} ${f(a[0] / b[0], 6, 3)} ${f(a[1] / b[1], 6, 3)} ${f(peakOf(row) / 1e9)} ${f(100 * a[0] * 1e9 / peakOf(row), 5, 0)} %\n`);
  }
}

if (!quick) {
  const result = {
    benchmark: 'gemm', date: new Date().toISOString().slice(0, 10), machine: machine(), load: { before, after: load() }, turns,
    problem: 'C = A B, row-major, square, alpha 1, beta 0; times of single calls in seconds (one thread: of the thread, else of the clock), libraries in turns within one process', rows,
  };
  const file = join(root, 'benchmarks/results', `${result.date}-${machineSlug()}-gemm.json`);
  mkdirSync(join(root, 'benchmarks/results'), { recursive: true });
  // A row a line.
  const { rows: list, ...head } = result;
  writeFileSync(file, `${JSON.stringify(head, null, 1).slice(0, -2)},\n "rows": [\n  ${list.map((r) => JSON.stringify(r)).join(',\n  ')}\n ]\n}\n`);
  writeFileSync(file.replace(/json$/, 'svg'), plot(result));
  process.stdout.write(`written: benchmarks/results/${file.split('/').at(-1)} and a plot beside it\n`);
}
