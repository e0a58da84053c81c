// fft: ours against FFTW, forward complex transforms on one thread, in turns. FFTW runs in a process of its own and ours in Node, so ours bears the
// call from JavaScript (0.2 to 0.4 us). Debian's FFTW has AVX, but neither AVX2 with FMA nor AVX-512.
//   npm run bench -- fft                      every size; writes benchmarks/results/<date>-<machine>-fft.json
//   npm run bench -- fft -- --quick           a few sizes, writes nothing
//   npm run bench -- fft -- --isa x86-64-v3   our kernels for another instruction set; --turns 15: turns of each library per row; 9 when not given
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { planFft } from '../packages/fft/dist/index.js';
import { least, load, machine, machineSlug, median } from './lib/machine.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const option = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const quick = process.argv.includes('--quick'), turns = Math.max(5, Number(option('--turns')) || 9), isa = option('--isa');

function peer() {
  const folder = join(root, 'node_modules/.cache/quern'), out = join(folder, 'fftw-turns');
  mkdirSync(folder, { recursive: true });
  execFileSync(process.env.CC ?? 'cc', ['-std=gnu11', '-O2', join(root, 'benchmarks/fft/fftw.c'), '-o', out, '-lfftw3f', '-lfftw3', '-lm'], { stdio: 'inherit' });
  return out;
}

/** Lines that a process answers to lines. */
function partner(program, args) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] }), lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { next: async () => (await lines.next()).value, ask: async (x) => { child.stdin.write(`${x}\n`); return Number((await lines.next()).value); }, close: () => child.stdin.end() };
}

const program = peer(), rows = [], before = load();
const all = Array.from({ length: 19 }, (_, i) => [2 ** (i + 2), 1]);
const cases = quick ? [[64, 1], [1024, 1], [2 ** 16, 1]] : [...all, [8, 1024], [16, 1024], [32, 512], [64, 256], [256, 64], [1024, 16]];
process.stdout.write(`load ${before.join(' ')}; MFLOPS = 5 n log2 n / us at the least and the median time; ratios above 1 are ours\n`);
process.stdout.write('type        n  batch  isa             ours   (med)    FFTW   (med)  ratio  (med)\n');
for (const dtype of ['f32', 'f64']) {
  for (const [n, batch] of cases) {
    const fftw = partner(program, [dtype, String(n), String(batch)]), codelets = await fftw.next();
    const Real = dtype === 'f32' ? Float32Array : Float64Array, x = Real.from({ length: 2 * n * batch }, () => Math.random() - 0.5), y = new Real(x.length);
    const plan = planFft({ n, dtype, batch }, { threads: 1, ...(isa ? { isa } : {}) }), flops = 5 * n * Math.log2(n) * batch;
    const reps = Math.max(3, Math.ceil(2e7 / (flops + 5000))), row = { type: dtype, n, batch, isa: plan.isa, kernels: [...new Set(plan.kernels)].join(' '), fftw: codelets, ours: [], peer: [] };
    const turn = () => {
      const t = process.hrtime.bigint();
      for (let i = 0; i < reps; i++) plan.run(y, x);
      return Number(process.hrtime.bigint() - t) / 1e9 / reps;
    };
    turn();
    await fftw.ask(reps);
    for (let i = 0; i < turns; i++) {
      row.ours.push(turn());
      row.peer.push(await fftw.ask(reps));
    }
    fftw.close();
    plan.dispose();
    rows.push(row);
    const mflops = (seconds) => flops / seconds / 1e6, f = (v, w = 7, d = 0) => v.toFixed(d).padStart(w);
    const [a, b] = [row.ours, row.peer].map((times) => [mflops(least(times)), mflops(median(times))]);
    process.stdout.write(`${dtype} ${f(n, 8)} ${f(batch, 6)}  ${row.isa.padEnd(12)} ${f(a[0])} ${f(a[1])} ${f(b[0])} ${f(b[1])} ${f(a[0] / b[0], 6, 2)} ${f(a[1] / b[1], 6, 2)}\n`);
  }
}

if (!quick && !isa) {
  const head = {
    benchmark: 'fft', date: new Date().toISOString().slice(0, 10), machine: machine(), load: { before, after: load() }, turns,
    problem: 'forward complex transforms out of place, one thread; seconds of one run, libraries in turns; ours called from Node',
  };
  const name = `${head.date}-${machineSlug()}-fft.json`;
  mkdirSync(join(root, 'benchmarks/results'), { recursive: true });
  // A row a line.
  writeFileSync(join(root, 'benchmarks/results', name), `${JSON.stringify(head, null, 1).slice(0, -2)},\n "rows": [\n  ${rows.map((r) => JSON.stringify(r)).join(',\n  ')}\n ]\n}\n`);
  process.stdout.write(`written: benchmarks/results/${name}\n`);
}
