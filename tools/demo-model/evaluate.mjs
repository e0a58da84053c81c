// Scores a GGUF file of the demo model through Quern's own engine: exact answers to the held-out items, per task.
//
// usage: node tools/demo-model/evaluate.mjs [MODEL.gguf] [--items FILE.jsonl] [--per-task N] [--json OUT.json] [--reference]
// Needs `npm run build`. Exits with 1 where a task is below 95 %. --reference runs the slow decoder in double precision.
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from '@quern/llm';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const LEAST = 0.95;

/** The greedy answer of the model to one conversation, as its chat template puts it. User text cannot spell control tokens. */
async function generate(model, messages) {
  const t = model.tokenizer;
  const turns = messages.flatMap(({ role, content }) => [t.find(`<|${role}|>`), ...t.encode(content, { addSpecial: false }), t.find('<|end|>')]);
  let text = '';
  for await (const e of model.generate([t.bos, ...turns, t.find('<|assistant|>')], { temperature: 0, maxTokens: 40 })) {
    if (e.type === 'text') text += e.text;
  }
  return text;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { items: { type: 'string' }, 'per-task': { type: 'string' }, json: { type: 'string' }, reference: { type: 'boolean' } },
});
const path = positionals[0] ?? here('../../packages/llm/models/quern-demo-q4_0.gguf');
const limit = Number(options['per-task'] ?? Infinity);
const lines = (await readFile(options.items ?? here('eval/held-out.jsonl'), 'utf8')).trim().split('\n');

const model = await loadModel(path, { backend: options.reference ? 'reference' : 'auto' });
const score = {};
const wrong = [];
const started = performance.now();
for (const line of lines) {
  const { task, messages, answer } = JSON.parse(line);
  const s = (score[task] ??= { right: 0, items: 0 });
  if (s.items >= limit) continue;
  s.items++;
  const said = await generate(model, messages);
  if (said === answer) s.right++;
  else wrong.push({ task, request: messages.at(-1).content, answer, said });
}
const seconds = (performance.now() - started) / 1000;
const backend = model.decoder.backend;
model.dispose();

console.log(`${basename(path)} on ${backend}, ${seconds.toFixed(1)} s`);
for (const [task, { right, items }] of Object.entries(score)) console.log(`  ${task.padEnd(8)} ${right} of ${items}   ${((100 * right) / items).toFixed(1)} %`);
for (const w of wrong.slice(0, 10)) console.log(`  wrong: ${w.request}   expected ${w.answer}, said ${w.said}`);
if (options.json) await writeFile(options.json, `${JSON.stringify({ model: basename(path), backend, seconds: Math.round(seconds), score, wrong }, undefined, 1)}\n`);
process.exitCode = Object.values(score).some(({ right, items }) => right / items < LEAST) ? 1 : 0;
