import { ModelError } from '../arch/index.ts';
import type { Decoder } from '../decoder/index.ts';
import type { Tokenizer } from '../tokenizer/index.ts';

/** Chooses the next token from the logits; `history` is the prompt and all that was generated. May change the logits. */
export type Sample = (logits: Float32Array, history: readonly number[]) => number;

/** What a generation may do. */
export interface GenerateOptions {
  /** Most tokens to generate. Default: until the context is full. */
  readonly maxTokens?: number | undefined;
  readonly sample: Sample;
  /** Ends the generation between two tokens; what was generated so far has been delivered. */
  readonly signal?: AbortSignal | undefined;
  /** Called while a long prompt is read: tokens done and in all. */
  readonly onPrompt?: ((done: number, total: number) => void) | undefined;
  /** Tokens that end the text. Default: the tokenizer's. */
  readonly ends?: ReadonlySet<number> | undefined;
}

/** Times of a generation, in seconds, and counts of tokens. */
export interface GenerateStats {
  readonly promptTokens: number;
  /** Prompt tokens whose keys and values were cached already by an earlier generation. */
  readonly reusedTokens: number;
  readonly promptSeconds: number;
  readonly generatedTokens: number;
  /** Time of the generated tokens after the first, which comes with the prompt. */
  readonly decodeSeconds: number;
  readonly stop: 'end' | 'length' | 'context' | 'aborted';
}

/** A piece of generated text. The last event of a stream has the statistics. */
export type GenerateEvent =
  | { readonly type: 'text'; readonly text: string; readonly token: number }
  | { readonly type: 'done'; readonly stats: GenerateStats };

/** What a decoder's cache holds: the tokens fed to it so far. */
export interface Cached { tokens: number[] }

/**
 * Feeds a prompt and yields text as it is generated. Tokens that the cache already holds are not computed again.
 * @throws ModelError `context-full` where the prompt does not fit, `bad-request` where it is empty.
 */
export async function* generate(decoder: Decoder, cached: Cached, tokenizer: Tokenizer, prompt: readonly number[], o: GenerateOptions): AsyncGenerator<GenerateEvent, void, undefined> {
  if (prompt.length === 0) throw new ModelError('bad-request', 'the prompt has no tokens', 'give a prompt of at least one character');
  if (prompt.length >= decoder.capacity) {
    throw new ModelError('context-full', `the prompt has ${prompt.length} tokens, the context ${decoder.capacity}`, 'shorten the prompt or load the model with a larger context');
  }
  const ends = o.ends ?? tokenizer.ends, limit = o.maxTokens ?? Infinity;
  const started = performance.now();
  let at = commonLength(cached.tokens, prompt);
  if (at === prompt.length) at--; // the last token is needed for its logits
  const reused = at;
  let logits: Float32Array = new Float32Array(0);
  let stop: GenerateStats['stop'] | undefined = limit === 0 ? 'length' : undefined;
  cached.tokens.length = at;
  while (at < prompt.length && stop === undefined) {
    if (o.signal?.aborted) { stop = 'aborted'; break; }
    const part = prompt.slice(at, at + decoder.maxBatch);
    logits = await decoder.feed(part, at);
    at += part.length;
    cached.tokens.push(...part);
    o.onPrompt?.(at, prompt.length);
  }
  const prompted = performance.now();
  const history = [...prompt], text = tokenizer.stream();
  let generated = 0;
  while (stop === undefined) {
    const token = o.sample(logits, history);
    generated++;
    history.push(token);
    if (ends.has(token)) stop = 'end';
    else {
      const piece = text.push(token);
      if (piece !== '') yield { type: 'text', text: piece, token };
      if (generated >= limit) stop = 'length';
      else if (at >= decoder.capacity) stop = 'context';
      else if (o.signal?.aborted) stop = 'aborted';
      else {
        logits = await decoder.feed([token], at);
        at++;
        cached.tokens.push(token);
      }
    }
  }
  const rest = text.flush();
  if (rest !== '') yield { type: 'text', text: rest, token: -1 };
  yield {
    type: 'done',
    stats: {
      promptTokens: prompt.length, reusedTokens: reused, promptSeconds: (prompted - started) / 1000,
      generatedTokens: generated, decodeSeconds: (performance.now() - prompted) / 1000, stop,
    },
  };
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}
