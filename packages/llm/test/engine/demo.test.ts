import { readFileSync, statSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { demoModelPath, loadModel } from '../../src/engine/index.ts';
import type { Model } from '../../src/engine/index.ts';

interface Item { task: string; messages: { role: string; content: string }[]; answer: string }
const items = readFileSync(new URL('../../../../tools/demo-model/eval/held-out.jsonl', import.meta.url), 'utf8').trim().split('\n').map((l) => JSON.parse(l) as Item);
const PER_TASK = 12;
const models: Model[] = [];
afterAll(() => { for (const m of models) m.dispose(); });

async function answer(model: Model, { messages }: Item): Promise<string> {
  const t = model.tokenizer;
  const turns = messages.flatMap(({ role, content }) => [t.find(`<|${role}|>`)!, ...t.encode(content, { addSpecial: false }), t.find('<|end|>')!]);
  let text = '';
  for await (const e of model.generate([t.bos!, ...turns, t.find('<|assistant|>')!], { temperature: 0, maxTokens: 40 })) if (e.type === 'text') text += e.text;
  return text;
}

describe('the model that ships', () => {
  it('is small, and its shape is the one its README states', async () => {
    const model = await loadModel(demoModelPath(), { backend: 'native' });
    models.push(model);
    expect(statSync(demoModelPath()).size).toBeLessThan(3.2e6);
    expect(model.model.spec).toMatchObject({ dim: 256, layers: 6, heads: 8, kvHeads: 4, ffn: 768, vocab: 2048 });
    expect(model.model.output).toBe(model.model.embedding);
  });

  it.each([...new Set(items.map((i) => i.task))])('answers held-out %s exactly', async (task) => {
    const some = items.filter((i) => i.task === task).slice(0, PER_TASK);
    expect(some.length).toBe(PER_TASK);
    let right = 0;
    for (const item of some) if ((await answer(models[0]!, item)) === item.answer) right++;
    expect(right).toBeGreaterThanOrEqual(PER_TASK - 1);
  });

  it('tells a story: the same seed the same one, another seed another', async () => {
    const tell = async (seed: number): Promise<string> => {
      let text = '';
      for await (const e of models[0]!.generate('Once upon a time', { temperature: 0.8, seed, maxTokens: 60 })) if (e.type === 'text') text += e.text;
      return text;
    };
    const first = await tell(1);
    expect(first.length).toBeGreaterThan(80);
    expect(await tell(1)).toBe(first);
    expect(await tell(2)).not.toBe(first);
  });
});
