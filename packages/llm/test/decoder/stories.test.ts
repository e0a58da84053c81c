import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readLlama } from '../../src/arch/index.ts';
import { referenceDecoder } from '../../src/decoder/index.ts';
import type { Decoder } from '../../src/decoder/index.ts';
import { loadModel } from '../../src/engine/index.ts';
import { fileSource, openGguf } from '../../src/format/index.ts';
import { tokenizerFromGguf } from '../../src/tokenizer/index.ts';
import { hasShared, shared } from '../shared.ts';

const MODEL = 'models/stories260K.gguf';
interface Case { prompt: string; ids: number[]; tokens: number[]; top: [number, number][][] }
const golden = JSON.parse(readFileSync(new URL('../golden/stories260k.json', import.meta.url), 'utf8')) as { cases: Case[] };

const argmax = (x: Float32Array): number => x.reduce((best, v, i) => (v > x[best]! ? i : best), 0);
const logSumExp = (x: Float32Array): number => { const top = Math.max(...x); return top + Math.log(x.reduce((s, v) => s + Math.exp(v - top), 0)); };

/** Follows the peer's greedy text; logits are compared as log-probabilities of the peer's eight most likely tokens. */
async function follow(decoder: Decoder, c: Case): Promise<number> {
  let logits = await decoder.feed(c.ids, 0), worst = 0;
  for (const [i, token] of c.tokens.entries()) {
    const norm = logSumExp(logits);
    for (const [t, p] of c.top[i]!) worst = Math.max(worst, Math.abs(logits[t]! - norm - p));
    expect(argmax(logits), `token ${i} after '${c.prompt}'`).toBe(token);
    logits = await decoder.feed([token], c.ids.length + i);
  }
  return worst;
}

describe.skipIf(!hasShared(MODEL))('stories260K (needs the shared models)', () => {
  const gguf = hasShared(MODEL) ? openGguf(fileSource(shared(MODEL))) : undefined;
  it.each(golden.cases)('the reference decoder continues "$prompt" as llama.cpp does, 200 tokens', async (c) => {
    expect([...tokenizerFromGguf(gguf!.metadata).encode(c.prompt)]).toEqual(c.ids);
    expect(c.tokens.length).toBe(200);
    const worst = await follow(referenceDecoder(gguf!, readLlama(gguf!), { context: 256 }), c);
    expect(worst, 'largest difference of a log-probability').toBeLessThan(1e-3);
  });

  it.each(golden.cases)('the native decoder continues "$prompt" as llama.cpp does, 200 tokens', async (c) => {
    const model = await loadModel(shared(MODEL), { backend: 'native', kv: 'f32', context: 256 });
    const worst = await follow(model.decoder, c);
    model.dispose();
    expect(worst, 'largest difference of a log-probability').toBeLessThan(1e-3);
  });
});
