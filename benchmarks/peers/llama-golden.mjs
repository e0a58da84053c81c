// Asks llama.cpp, through node-llama-cpp, for greedy tokens and probabilities, and writes them as a test's golden file.
//   node benchmarks/peers/llama-golden.mjs MODEL.gguf OUT.json TOKENS "prompt" …
// node-llama-cpp is no dependency of ours: install it anywhere (npm i --ignore-scripts node-llama-cpp@3.22.1) and name the folder in PEER_DIR.
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [model, out, count, ...prompts] = process.argv.slice(2);
const dir = resolve(process.env.PEER_DIR ?? '.');
const { getLlama } = await import(pathToFileURL(createRequire(join(dir, 'package.json')).resolve('node-llama-cpp')).href);
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error' });
const loaded = await llama.loadModel({ modelPath: resolve(model) });
const cases = [];
for (const prompt of prompts) {
  const context = await loaded.createContext({ contextSize: 512, sequences: 1, threads: 1, flashAttention: false, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' });
  const sequence = context.getSequence();
  const ids = [...(loaded.tokens.shouldPrependBosToken ? [loaded.tokens.bos] : []), ...loaded.tokenize(prompt, false)];
  const tokens = [], top = [];
  let input = ids;
  while (tokens.length < Number(count)) {
    const results = await sequence.controlledEvaluate(input.map((t, i) => (i < input.length - 1 ? t : [t, { generateNext: { token: true, probabilities: true, options: { temperature: 0 } } }])));
    const { token, probabilities } = results[input.length - 1].next;
    tokens.push(token);
    // Natural logarithms: equal to differences of logits.
    top.push([...probabilities].slice(0, 8).map(([t, p]) => [t, Math.log(p)]));
    input = [token];
  }
  cases.push({ prompt, ids, tokens, top });
  await context.dispose();
}
writeFileSync(out, `${JSON.stringify({ peer: 'llama.cpp through node-llama-cpp 3.22.1, CPU', cases })}\n`);
process.exit(0);
