// ready: how long the f32 GEMM takes from its TypeScript to a function that can be called, in a new process each time.
//   npm run bench -- ready                  writes benchmarks/results/<date>-<machine>-ready.json
//   npm run bench -- ready -- --quick       three turns, writes nothing
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuInfo } from '../packages/runtime/dist/index.js';
import { least, load, machine, machineSlug, median } from './lib/machine.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)), quick = process.argv.includes('--quick'), turns = quick ? 3 : 9;
const isa = cpuInfo().isas[0] ?? 'generic', before = load(), rows = { cold: [], cached: [] };
for (let turn = 0; turn < turns; turn++) {
  const cache = mkdtempSync(join(tmpdir(), 'quern-ready-'));
  try {
    // The first process finds an empty cache folder, the second what the first left.
    for (const kind of ['cold', 'cached']) rows[kind].push(JSON.parse(execFileSync(process.execPath, [join(root, 'benchmarks/ready/once.mjs'), cache, isa], { encoding: 'utf8' })));
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

const all = [...rows.cold, ...rows.cached], sum = (r) => r.trace + r.schedule + r.lower + r.emit;
const lines = [
  ['trace, schedule, lower, emit, cold', all.map(sum), 50], ['  trace', all.map((r) => r.trace)], ['  schedule', all.map((r) => r.schedule)], ['  lower', all.map((r) => r.lower)],
  ['  verify and emit', all.map((r) => r.emit)], ['the same again in the process', all.map((r) => r.secondTraceToEmit)], ['cc and load', rows.cold.map((r) => r.compileAndLoad), 500],
  ['load from the cache', rows.cached.map((r) => r.compileAndLoad), 10], ['import of the packages', all.map((r) => r.import)],
];
process.stdout.write(`load ${before.join(' ')}; ${isa}; milliseconds, least and median of ${turns} turns, cold and cached\n`);
for (const [name, times, bar] of lines) process.stdout.write(`${name.padEnd(36)} ${least(times).toFixed(1).padStart(8)} ${median(times).toFixed(1).padStart(8)}${bar === undefined ? '' : `   bar ${bar}`}\n`);

if (!quick) {
  const head = { benchmark: 'ready', date: new Date().toISOString().slice(0, 10), machine: machine(), load: { before, after: load() }, isa, turns, problem: 'gemm_nn_f32 of blas, one instruction set; milliseconds by stage; a new process a sample' };
  const name = `${head.date}-${machineSlug()}-ready.json`;
  const flat = Object.entries(rows).flatMap(([kind, list]) => list.map((r) => ({ kind, ...Object.fromEntries(Object.entries(r).map(([k, v]) => [k, Number(v.toFixed(2))])) })));
  // A row a line.
  writeFileSync(join(root, 'benchmarks/results', name), `${JSON.stringify(head, null, 1).slice(0, -2)},\n "rows": [\n  ${flat.map((r) => JSON.stringify(r)).join(',\n  ')}\n ]\n}\n`);
  process.stdout.write(`written: benchmarks/results/${name}\n`);
}
