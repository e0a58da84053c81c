import { ProviderLoadError, device as pickDevice, mapFile, measureReadBandwidth } from '@quern/runtime';
import type { Device, Memory } from '@quern/runtime';
import { ModelError, readLlama } from '../arch/index.ts';
import type { LlamaModel } from '../arch/index.ts';
import { nativeDecoder, referenceDecoder } from '../decoder/index.ts';
import type { Decoder } from '../decoder/index.ts';
import { fileSource, openGguf } from '../format/index.ts';
import type { ByteSource, Gguf } from '../format/index.ts';
import { createSampler } from '../sample/index.ts';
import type { SamplerOptions } from '../sample/index.ts';
import { tokenizerFromGguf } from '../tokenizer/index.ts';
import type { EncodeOptions, Tokenizer } from '../tokenizer/index.ts';
import { generate } from './generate.ts';
import type { Cached, GenerateEvent } from './generate.ts';

/** How a model is loaded. */
export interface LoadOptions {
  /** Positions of the key-value cache. Default: what the model was trained for, at most 4096. */
  readonly context?: number | undefined;
  /** At most so many threads. Default: the runtime's. */
  readonly threads?: number | undefined;
  /** A device as in `device(spec)` of the runtime. */
  readonly device?: string | undefined;
  /** `auto`: native kernels, or, where none can be loaded, the reference with a warning. */
  readonly backend?: 'auto' | 'native' | 'reference' | undefined;
  /** Element type of the key-value cache. Default f16. */
  readonly kv?: 'f16' | 'f32' | undefined;
  /** Most prompt tokens computed at a time. Default 256. */
  readonly batch?: number | undefined;
}

/** How text is generated: sampling as in {@link SamplerOptions}, greedy by default. */
export interface TextOptions extends SamplerOptions {
  readonly maxTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each part of the prompt with the tokens done, those of an earlier prompt included, and all tokens of the prompt. */
  readonly onPrompt?: ((done: number, total: number) => void) | undefined;
  /** How a prompt given as text becomes tokens. */
  readonly encode?: EncodeOptions | undefined;
}

/** A loaded model. One generation at a time; `dispose` (or `await using`) frees it. */
export interface Model {
  readonly path: string;
  readonly model: LlamaModel;
  readonly gguf: Gguf;
  readonly tokenizer: Tokenizer;
  readonly decoder: Decoder;
  readonly device: Device | undefined;
  /** Why native kernels are not used, when they are not. */
  readonly fallback: string | undefined;
  /** Streams the continuation of a prompt. Tokens of an earlier prompt that the new one shares are not computed again. */
  generate(prompt: string | readonly number[], options?: TextOptions): AsyncGenerator<GenerateEvent, void, undefined>;
  /** Frees the decoder and closes the file. Generating and reading weights fail afterwards. */
  dispose(): void;
  /** The same as `dispose`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Loads a GGUF model. The file is mapped, not read: weights are used where they lie.
 * @throws GgufError, ModelError for a file that cannot be run; FileError of the runtime for one that cannot be opened
 * @example
 * using model = await loadModel('model.gguf');
 * for await (const e of model.generate('Once upon a time')) if (e.type === 'text') process.stdout.write(e.text);
 */
export async function loadModel(path: string, o: LoadOptions = {}): Promise<Model> {
  for (const [name, x] of [['context', o.context], ['threads', o.threads], ['batch', o.batch]] as const) {
    if (x !== undefined && (!Number.isSafeInteger(x) || x < 1)) throw new ModelError('bad-request', `${name} is ${x}`, `give a whole number of at least 1`);
  }
  const opened = openSource(path, o.backend ?? 'auto');
  try {
    const gguf = openGguf(opened.source), model = readLlama(gguf), tokenizer = tokenizerFromGguf(gguf.metadata);
    if (tokenizer.size !== model.spec.vocab) throw new ModelError('bad-tensor-shape', `the vocabulary has ${tokenizer.size} tokens, the embedding ${model.spec.vocab}`, 'the file is inconsistent: fetch or convert it again');
    const context = o.context ?? Math.min(model.spec.context, 4096);
    const device = opened.file ? await pickDevice(o.device, { kinds: ['cpu'] }) : undefined;
    const decoder = opened.file
      ? nativeDecoder(gguf, model, opened.file, { context, maxBatch: o.batch ?? 256, kv: o.kv ?? 'f16', threads: o.threads })
      : referenceDecoder(gguf, model, { context });
    const cached: Cached = { tokens: [] };
    let busy = false;
    const dispose = (): void => {
      decoder.dispose();
      opened.close();
    };
    return {
      path, model, gguf, tokenizer, decoder, device, fallback: opened.fallback, dispose, [Symbol.dispose]: dispose,
      async *generate(prompt, options = {}) {
        if (busy) throw new ModelError('bad-request', 'the model is generating already', 'wait for the first stream to end, or load the model twice');
        busy = true;
        try {
          const { maxTokens, signal, onPrompt, encode, ...sampling } = options;
          const ids = typeof prompt === 'string' ? tokenizer.encode(prompt, encode) : prompt;
          const sampler = createSampler(sampling);
          yield* generate(decoder, cached, tokenizer, [...ids], { sample: (l, h) => sampler.sample(l, h), maxTokens, signal, onPrompt });
        } catch (error) {
          // What the cache holds after an error is not known.
          cached.tokens.length = 0;
          throw error;
        } finally {
          busy = false;
        }
      },
    };
  } catch (error) {
    opened.close();
    throw error;
  }
}

interface Opened { readonly source: ByteSource; readonly file: Memory | undefined; readonly fallback: string | undefined; readonly close: () => void }

/** The file mapped through the native addon; or, where that cannot be loaded, read in parts. */
function openSource(path: string, backend: 'auto' | 'native' | 'reference'): Opened {
  let fallback: string | undefined = backend === 'reference' ? 'asked for' : undefined;
  if (backend !== 'reference') {
    try {
      const file = mapFile(path);
      file.advise('willneed');
      return { file, fallback: undefined, close: () => file.dispose(), source: { size: file.bytes, read: (offset, length) => new Uint8Array(file.view(offset, length)) } };
    } catch (error) {
      if (backend === 'native' || !(error instanceof ProviderLoadError)) throw error;
      fallback = error.message;
      process.emitWarning(`native kernels cannot be loaded, the slow reference runs instead: ${error.message}`, { code: 'QUERN_FALLBACK' });
    }
  }
  const source = fileSource(path);
  return { source, file: undefined, fallback, close: () => source.close() };
}

/** Bytes per second at which this many threads read memory: what limits decoding. Takes some tenths of a second. */
export const bandwidthLimit = (threads?: number): number => measureReadBandwidth(threads === undefined ? {} : { threads });
