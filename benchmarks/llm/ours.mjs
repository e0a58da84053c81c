// A child of llm.bench.mjs: our engine. Answers each message with the seconds that the asked work took.
import { residentMemory } from '../../packages/runtime/dist/index.js';
import { loadModel } from '../../packages/llm/dist/index.js';

const [path, threads] = process.argv.slice(2);
const model = await loadModel(path, { context: 1024, threads: Number(threads), backend: 'native' });
const vocab = model.model.spec.vocab;
/** Other tokens each time, so that nothing is cached. */
const tokens = (n, seed) => Array.from({ length: n }, (_, i) => 300 + ((i * 7919 + seed * 104729) % (vocab - 400)));

process.on('message', async ({ kind, n, seed }) => {
  if (kind === 'end') process.exit(0);
  let seconds;
  if (kind === 'prefill') {
    const prompt = tokens(n, seed), started = performance.now();
    for (let at = 0; at < n; at += model.decoder.maxBatch) await model.decoder.feed(prompt.slice(at, at + model.decoder.maxBatch), at);
    seconds = (performance.now() - started) / 1000;
  } else {
    await model.decoder.feed(tokens(8, seed), 0);
    const started = performance.now();
    let token = 300;
    for (let i = 0; i < n; i++) {
      const logits = await model.decoder.feed([token], 8 + i);
      // The best token, as a greedy sampler takes it.
      token = 0;
      for (let t = 1; t < vocab; t++) if (logits[t] > logits[token]) token = t;
    }
    seconds = (performance.now() - started) / 1000;
  }
  process.send({ seconds, rss: residentMemory().total, backend: model.decoder.backend, bytesPerToken: model.model.bytesPerToken });
});
process.send({ ready: true });
