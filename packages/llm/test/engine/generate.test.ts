import { describe, expect, it } from 'vitest';
import type { LlamaModel } from '../../src/arch/index.ts';
import type { Decoder } from '../../src/decoder/index.ts';
import { generate } from '../../src/engine/index.ts';
import type { Cached, GenerateEvent, GenerateOptions } from '../../src/engine/index.ts';
import { createTokenizer } from '../../src/tokenizer/index.ts';

const pieces = ['<unk>', '<s>', '</s>', ...Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)];
const tokenizer = createTokenizer({
  model: 'spm', tokens: pieces, kinds: pieces.map((_, i) => (i === 0 ? 'unknown' : i < 3 ? 'control' : 'byte')), scores: new Float32Array(pieces.length),
  bos: 1, eos: 2, addBos: false, addEos: false, addSpacePrefix: false,
} as Parameters<typeof createTokenizer>[0]);
const byte = (c: string): number => 3 + c.charCodeAt(0);
/** A decoder that always wants the next letter of `text`, by position; it notes what it was fed. */
function scripted(text: string, o: { capacity?: number; maxBatch?: number; end?: boolean } = {}): Decoder & { fed: [number[], number][] } {
  const fed: [number[], number][] = [];
  return {
    fed, model: {} as LlamaModel, capacity: o.capacity ?? 100, maxBatch: o.maxBatch ?? 4, backend: 'scripted', dispose: () => {},
    feed(tokens, at) {
      fed.push([[...Array.from(tokens)], at]);
      const logits = new Float32Array(pieces.length), next = text[at + tokens.length];
      logits[next === undefined ? 2 : byte(next)] = 1;
      return Promise.resolve(logits);
    },
  };
}
const argmax = (l: Float32Array): number => l.indexOf(Math.max(...l));
async function collect(d: Decoder, cached: Cached, prompt: string, o: Partial<GenerateOptions> = {}): Promise<{ text: string; done: Extract<GenerateEvent, { type: 'done' }>['stats'] }> {
  let text = '';
  for await (const e of generate(d, cached, tokenizer, [...tokenizer.encode(prompt)], { sample: argmax, ...o })) {
    if (e.type === 'done') return { text, done: e.stats };
    text += e.text;
  }
  throw new Error('no end');
}

describe('generate', () => {
  it('feeds the prompt in batches, then token by token, and stops at the end token', async () => {
    const d = scripted('hello world');
    const { text, done } = await collect(d, { tokens: [] }, 'hello');
    expect(text).toBe(' world');
    expect(d.fed.map(([t, at]) => [t.length, at])).toEqual([[4, 0], [1, 4], [1, 5], [1, 6], [1, 7], [1, 8], [1, 9], [1, 10]]);
    expect(done).toMatchObject({ promptTokens: 5, reusedTokens: 0, generatedTokens: 7, stop: 'end' });
  });

  it('stops after maxTokens and at the end of the context', async () => {
    expect(await collect(scripted('hello world'), { tokens: [] }, 'hello', { maxTokens: 3 })).toMatchObject({ text: ' wo', done: { stop: 'length', generatedTokens: 3 } });
    expect(await collect(scripted('hello world'), { tokens: [] }, 'hello', { maxTokens: 0 })).toMatchObject({ text: '', done: { stop: 'length', generatedTokens: 0 } });
    expect(await collect(scripted('hello world', { capacity: 8 }), { tokens: [] }, 'hello')).toMatchObject({ text: ' wor', done: { stop: 'context' } });
  });

  it('does not compute again what the cache holds, and always the last token', async () => {
    const d = scripted('hello world'), cached: Cached = { tokens: [] };
    await collect(d, cached, 'hello', { maxTokens: 2 });
    d.fed.length = 0;
    expect((await collect(d, cached, 'hello', { maxTokens: 2 })).done.reusedTokens).toBe(4);
    expect(d.fed[0]).toEqual([[byte('o')], 4]);
    d.fed.length = 0;
    expect((await collect(d, cached, 'help', { maxTokens: 1 })).done.reusedTokens).toBe(3);
    expect(d.fed[0]).toEqual([[byte('p')], 3]);
  });

  it('ends between two tokens when it is aborted, and before the first one', async () => {
    const stop = new AbortController();
    let text = '';
    for await (const e of generate(scripted('hello world'), { tokens: [] }, tokenizer, [...tokenizer.encode('hello')], { sample: argmax, signal: stop.signal })) {
      if (e.type === 'done') expect(e.stats.stop).toBe('aborted');
      else if ((text += e.text) === ' w') stop.abort();
    }
    expect(text).toBe(' w');
    expect((await collect(scripted('hello world'), { tokens: [] }, 'hello', { signal: AbortSignal.abort() })).done).toMatchObject({ stop: 'aborted', generatedTokens: 0 });
  });

  it('delivers a character when its last byte has come', async () => {
    const bytes = new TextEncoder().encode('aé!');
    const d: Decoder = { ...scripted(''), feed: (tokens, at) => { const l = new Float32Array(pieces.length), b = bytes[at + tokens.length]; l[b === undefined ? 2 : 3 + b] = 1; return Promise.resolve(l); } };
    const seen: string[] = [];
    for await (const e of generate(d, { tokens: [] }, tokenizer, [3 + 97], { sample: argmax })) if (e.type === 'text') seen.push(e.text);
    expect(seen).toEqual(['é', '!']);
  });

  it('refuses an empty prompt and one that does not fit', async () => {
    await expect(collect(scripted('x'), { tokens: [] }, '')).rejects.toMatchObject({ code: 'bad-request' });
    await expect(collect(scripted('x', { capacity: 3 }), { tokens: [] }, 'hello')).rejects.toMatchObject({ code: 'context-full' });
  });
});
