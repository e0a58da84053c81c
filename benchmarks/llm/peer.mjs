// A child of llm.bench.mjs: llama.cpp through node-llama-cpp from the folder in PEER_DIR. Same messages as ours.mjs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [path, threads] = process.argv.slice(2);
const { getLlama } = await import(pathToFileURL(createRequire(join(resolve(process.env.PEER_DIR), 'package.json')).resolve('node-llama-cpp')).href);
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error', maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath: resolve(path) });
const context = await model.createContext({ contextSize: 1024, batchSize: 512, sequences: 1, threads: { ideal: Number(threads), min: Number(threads) } });
const sequence = context.getSequence();
const vocab = 32000;
const tokens = (n, seed) => Array.from({ length: n }, (_, i) => 300 + ((i * 7919 + seed * 104729) % (vocab - 400)));
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024;

process.on('message', async ({ kind, n, seed }) => {
  if (kind === 'end') process.exit(0);
  await sequence.clearHistory();
  let seconds;
  if (kind === 'prefill') {
    const prompt = tokens(n, seed), started = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(prompt);
    seconds = (performance.now() - started) / 1000;
  } else {
    const stream = sequence.evaluate(tokens(8, seed), { temperature: 0, yieldEogToken: true });
    await stream.next();
    const started = performance.now();
    for (let i = 0; i < n; i++) await stream.next();
    seconds = (performance.now() - started) / 1000;
    await stream.return();
  }
  process.send({ seconds, rss: rss(), backend: `llama.cpp, node-llama-cpp 3.22.1, ${threads} thread${threads === '1' ? '' : 's'}` });
});
process.send({ ready: true });
