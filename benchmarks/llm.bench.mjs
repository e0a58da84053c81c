// llm: reading a prompt and generating, ours against llama.cpp through node-llama-cpp, in turns.
//   npm run bench -- llm -- MODEL.gguf [--threads 1,2] [--rounds 5] [--prompt 128] [--tokens 24]
// node-llama-cpp is no dependency of ours: install it anywhere (npm i --ignore-scripts node-llama-cpp@3.22.1) and name the folder in PEER_DIR.
// Without it only our own figures are taken. Writes benchmarks/results/<date>-<machine>-llm-<model>.json.
import { fork } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureReadBandwidth } from '../packages/runtime/dist/index.js';
import { least, load, machine, machineSlug, median } from './lib/machine.mjs';

const { values, positionals: [model] } = parseArgs({ allowPositionals: true, options: { threads: { type: 'string', default: '1,2' }, rounds: { type: 'string', default: '5' }, prompt: { type: 'string', default: '128' }, tokens: { type: 'string', default: '24' } } });
if (!model) {
  process.stdout.write('llm: no model given, nothing measured: npm run bench -- llm -- MODEL.gguf\n');
  process.exit(0);
}
const here = fileURLToPath(new URL('./llm/', import.meta.url));
const start = (file, threads) => new Promise((resolve, reject) => {
  const child = fork(join(here, file), [model, String(threads)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.once('error', reject);
  child.once('exit', (status) => reject(new Error(`${file} ended with ${status}`)));
  child.once('message', () => resolve(child));
});
const ask = (child, message) => new Promise((resolve) => { child.once('message', resolve); child.send(message); });

const before = load(), rows = [];
for (const threads of values.threads.split(',').map(Number)) {
  const sides = { ours: await start('ours.mjs', threads), ...(process.env.PEER_DIR ? { peer: await start('peer.mjs', threads) } : {}) };
  const bandwidth = measureReadBandwidth({ threads });
  for (const [kind, n] of [['decode', Number(values.tokens)], ['prefill', Number(values.prompt)]]) {
    const row = { kind, tokens: n, threads, bandwidth };
    for (const name of Object.keys(sides)) row[name] = { seconds: [] };
    for (let round = -1; round < Number(values.rounds); round++) {
      for (const [name, child] of Object.entries(sides)) {
        const { seconds, ...rest } = await ask(child, { kind, n, seed: round + 2 });
        // The first round warms caches and clocks up.
        if (round >= 0) row[name].seconds.push(seconds);
        Object.assign(row[name], rest);
      }
    }
    rows.push(row);
    const rate = (name, pick) => n / pick(row[name].seconds);
    const gb = row.ours.bytesPerToken * rate('ours', least) / 1e9;
    process.stdout.write(`${kind.padEnd(8)} ${threads} thread(s): ours ${rate('ours', least).toFixed(2)} tok/s (median ${rate('ours', median).toFixed(2)})${kind === 'decode' ? `, ${gb.toFixed(1)} GB/s of ${(bandwidth / 1e9).toFixed(1)}` : ''}`
      + (row.peer ? `; llama.cpp ${rate('peer', least).toFixed(2)} (${rate('peer', median).toFixed(2)}); ratio ${(rate('ours', least) / rate('peer', least)).toFixed(2)} (${(rate('ours', median) / rate('peer', median)).toFixed(2)})` : '')
      + `; resident ${(row.ours.rss / 1e6).toFixed(0)} MB${row.peer ? ` against ${(row.peer.rss / 1e6).toFixed(0)}` : ''}\n`);
  }
  for (const child of Object.values(sides)) { child.removeAllListeners('exit'); child.send({ kind: 'end' }); }
}
const result = { benchmark: 'llm', date: new Date().toISOString().slice(0, 10), machine: machine(), load: { before, after: load() }, model: { name: basename(model), bytes: statSync(model).size }, rounds: Number(values.rounds), note: 'seconds of each round; sides in turns; the first round is not counted', rows };
mkdirSync(fileURLToPath(new URL('./results/', import.meta.url)), { recursive: true });
const file = `${result.date}-${machineSlug()}-llm-${basename(model, '.gguf')}.json`;
writeFileSync(fileURLToPath(new URL(`./results/${file}`, import.meta.url)), `${JSON.stringify(result, null, 1)}\n`);
process.stdout.write(`written: benchmarks/results/${file}\n`);
process.exit(0);
