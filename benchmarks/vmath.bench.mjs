// vmath: exp, log, sin … over arrays in L1 against glibc's libmvec, one thread, in one process and in turns.
//   npm run bench -- vmath                      AVX-512 (where the machine has it) and AVX2; writes benchmarks/results/<date>-<machine>-vmath.json
//   npm run bench -- vmath -- --quick           a few turns, writes nothing
//   npm run bench -- vmath -- --turns 61        turns of each library per row; 41 when not given
//   npm run bench -- vmath -- --accuracy        measures errors instead: f32 at every argument, f64 at 40 million; half an hour. --step 997 looks at fewer
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { least, load, machine, machineSlug, median } from './lib/machine.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)), library = join(root, 'packages/dnn/native/build/Release/quern_dnn.node');
const quick = process.argv.includes('--quick'), turns = quick ? 7 : Math.max(7, Number(process.argv[process.argv.indexOf('--turns') + 1]) || 41);

function harness(flags) {
  const folder = join(root, 'node_modules/.cache/quern'), out = join(folder, `vmath-compare${flags.join('')}`);
  mkdirSync(folder, { recursive: true });
  execFileSync(process.env.CC ?? 'cc', ['-std=gnu11', '-D_GNU_SOURCE', '-O3', ...flags, `-I${join(root, 'packages/runtime/native/include')}`, join(root, 'benchmarks/vmath/compare.c'), '-o', out, '-ldl'], { stdio: 'inherit' });
  return out;
}

if (process.argv.includes('--accuracy')) {
  const folder = join(root, 'node_modules/.cache/quern'), out = join(folder, 'vmath-accuracy'), step = Number(process.argv[process.argv.indexOf('--step') + 1]) || 1;
  mkdirSync(folder, { recursive: true });
  execFileSync('gcc', ['-std=gnu11', '-D_GNU_SOURCE', '-O2', `-I${join(root, 'packages/runtime/native/include')}`, join(root, 'benchmarks/vmath/accuracy.c'), '-o', out, '-ldl', '-lquadmath', '-lm'], { stdio: 'inherit' });
  execFileSync(out, [library, machine().vectors === 'AVX-512' ? 'x86-64-v4' : 'x86-64-v3', String(step), step === 1 ? '40000000' : '200000'], { stdio: 'inherit' });
  process.exit(0);
}

const { vectors } = machine();
const runs = [...(vectors === 'AVX-512' ? [{ isa: 'x86-64-v4', flags: ['-mavx512f'] }] : []), ...(vectors ? [{ isa: 'x86-64-v3', flags: ['-mavx2', '-mfma'] }] : [])];
if (process.arch !== 'x64' || process.platform !== 'linux' || runs.length === 0) {
  process.stdout.write('libmvec has vectors for x86-64 on Linux alone; nothing to compare here\n');
  process.exit(0);
}

const rows = [], before = load(), f = (x, w = 8, d = 3) => x.toFixed(d).padStart(w);
process.stdout.write(`load ${before.join(' ')}; ns an element, least and median of ${turns} turns; ratios above 1 are ours: of the least times, and the median of each pair of turns\n`);
process.stdout.write('isa        fn    dtype     ours    (med)     peer    (med)    ratio    (med)\n');
for (const { isa, flags } of runs) {
  for (const line of execFileSync(harness(flags), [library, isa, String(turns)], { encoding: 'utf8', maxBuffer: 1 << 26 }).trim().split('\n')) {
    const row = { isa, ...JSON.parse(line) }, pairs = row.ours.map((t, i) => row.peer[i] / t);
    rows.push({ isa: row.isa, fn: row.fn, dtype: row.dtype, apart: row.apart, ratio: Number((least(row.peer) / least(row.ours)).toFixed(3)), medianRatio: Number(median(pairs).toFixed(3)), ours: row.ours, peer: row.peer });
    process.stdout.write(`${isa.padEnd(10)} ${row.fn.padEnd(6)} ${row.dtype} ${f(least(row.ours))} ${f(median(row.ours))} ${f(least(row.peer))} ${f(median(row.peer))} ${f(least(row.peer) / least(row.ours))} ${f(median(pairs))}\n`);
  }
}

if (!quick) {
  const head = {
    benchmark: 'vmath', date: new Date().toISOString().slice(0, 10), machine: machine(), load: { before, after: load() }, turns,
    problem: '4096 f32 or 2048 f64 in L1, one thread; ns an element by the time of the thread, 60 passes a turn, libraries in turns within one process; peer: libmvec through a loop of vector calls; apart: largest difference of results in ulps',
  };
  const file = join(root, 'benchmarks/results', `${head.date}-${machineSlug()}-vmath.json`);
  // A row a line.
  writeFileSync(file, `${JSON.stringify(head, null, 1).slice(0, -2)},\n "rows": [\n  ${rows.map((r) => JSON.stringify(r)).join(',\n  ')}\n ]\n}\n`);
  process.stdout.write(`written: benchmarks/results/${file.split('/').at(-1)}\n`);
}
