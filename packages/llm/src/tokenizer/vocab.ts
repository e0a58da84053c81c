import type { GgufMetadata } from '../format/index.ts';
import { TokenizerError } from './error.ts';

/**
 * What a token is. `normal` and `user` (user-defined) tokens stand for text; `control` tokens steer the model and are
 * never made from plain text; `byte` tokens stand for single bytes; `unused` ones for nothing.
 */
export type TokenKind = 'normal' | 'unknown' | 'control' | 'user' | 'unused' | 'byte';

/** Kinds by their numbers in a GGUF file; 0 is undefined there and treated as normal. */
const KINDS: readonly TokenKind[] = ['normal', 'normal', 'unknown', 'control', 'user', 'unused', 'byte'];

/** All that a tokenizer needs to know. Token ids are indices into `tokens`. */
export interface Vocab {
  /** `spm`: merges by score over characters, bytes as a last resort. `bpe`: merges by rank over bytes. */
  readonly model: 'spm' | 'bpe';
  readonly tokens: readonly string[];
  readonly kinds: readonly TokenKind[];
  /** `spm` only: a score for each token; the pair whose token has the highest score is merged first. */
  readonly scores?: Float32Array;
  /** `bpe` only: pairs 'left right', the first merged first, spelt in the byte alphabet of GPT-2. */
  readonly merges?: readonly string[];
  /** `bpe` only: a name among PRE_TOKENIZERS. */
  readonly pre?: string;
  readonly bos?: number;
  readonly eos?: number;
  readonly unk?: number;
  readonly pad?: number;
  /** Ids besides `eos` that end a turn. */
  readonly endOfTurn?: readonly number[];
  /** Whether `encode` puts `bos` before, and `eos` behind, a text. */
  readonly addBos: boolean;
  readonly addEos: boolean;
  /** `spm` only: whether a text, and the text behind each special token, is encoded as if a space preceded it. */
  readonly addSpacePrefix: boolean;
  /** Special tokens that swallow the white space behind them. */
  readonly stripAfter?: ReadonlySet<number>;
}

/** Control tokens with these texts end a turn, whether or not the file says so. */
const END_OF_TURN_TEXTS: ReadonlySet<string> = new Set([
  '<|eot_id|>', '<|eom_id|>', '<|im_end|>', '<|end|>', '<end_of_turn>', '<|endoftext|>', '<|end_of_text|>', '<|eot|>', '<EOT>', '<|return|>', '<|call|>',
]);

/** Pre-tokenizers whose models expect `bos` where the file does not say. */
const PRE_WITH_BOS: ReadonlySet<string> = new Set(['llama3', 'llama-v3', 'llama-bpe', 'tekken']);

/**
 * The vocabulary in a GGUF file's `tokenizer.*` metadata.
 * @throws TokenizerError `unsupported-model` for tokenizers other than 'llama' (SentencePiece) and 'gpt2' (byte-level BPE);
 *   `bad-vocabulary` for lists that do not fit together. GgufError where a key is missing or of another type.
 */
export function readVocab(metadata: GgufMetadata): Vocab {
  const name = metadata.string('tokenizer.ggml.model');
  const model = name === 'llama' ? 'spm' : name === 'gpt2' ? 'bpe' : undefined;
  if (model === undefined) throw new TokenizerError('unsupported-model', `the file's tokenizer is of the kind '${name}'`, "use a model whose tokenizer.ggml.model is 'llama' or 'gpt2'");
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  const types = metadata.has('tokenizer.ggml.token_type') ? metadata.i32s('tokenizer.ggml.token_type') : new Int32Array(tokens.length).fill(1);
  requireLength('token_type', types.length, tokens.length);
  const kinds = Array.from(types, (type, id) => {
    const kind = KINDS[type];
    if (kind === undefined) throw new TokenizerError('bad-vocabulary', `token ${id} has the type ${type}, which GGUF does not define`, 'repair the program that wrote the file');
    return kind;
  });
  const id = (key: string, otherwise: number | undefined): number | undefined => {
    const value = metadata.has(`tokenizer.ggml.${key}`) ? metadata.integer(`tokenizer.ggml.${key}`) : otherwise;
    // Converters write 2^32 - 1 or -1 for 'none'.
    return value !== undefined && value >= 0 && value < tokens.length ? value : undefined;
  };
  const spm = model === 'spm';
  const pre = metadata.string('tokenizer.ggml.pre', 'default');
  const endOfTurn = new Set([id('eot_token_id', undefined), id('eom_token_id', undefined)].filter((x) => x !== undefined));
  tokens.forEach((text, i) => {
    if (kinds[i] === 'control' && END_OF_TURN_TEXTS.has(text)) endOfTurn.add(i);
  });
  return {
    model,
    tokens,
    kinds,
    ...(spm ? { scores: metadata.f32s('tokenizer.ggml.scores') } : { merges: metadata.strings('tokenizer.ggml.merges'), pre }),
    ...known('bos', id('bos_token_id', spm ? 1 : undefined)),
    ...known('eos', id('eos_token_id', spm ? 2 : undefined)),
    ...known('unk', id('unknown_token_id', spm ? 0 : undefined)),
    ...known('pad', id('padding_token_id', undefined)),
    endOfTurn: [...endOfTurn],
    addBos: metadata.bool('tokenizer.ggml.add_bos_token', spm || PRE_WITH_BOS.has(pre)),
    addEos: metadata.bool('tokenizer.ggml.add_eos_token', false),
    addSpacePrefix: metadata.bool('tokenizer.ggml.add_space_prefix', spm),
    stripAfter: stripAfter(metadata.string('general.name', ''), tokens, kinds),
  };
}

/** An optional property, left out where it has no value. */
function known<K extends string>(key: K, value: number | undefined): { [P in K]?: number } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: number };
}

function requireLength(list: string, length: number, wanted: number): void {
  if (length !== wanted) throw new TokenizerError('bad-vocabulary', `the vocabulary has ${wanted} tokens, but ${length} entries in '${list}'`, 'repair the program that wrote the file');
}

/** GGUF has no place for this property of Phi-3's tokens, so it is known by the model's name. */
function stripAfter(name: string, tokens: readonly string[], kinds: readonly TokenKind[]): ReadonlySet<number> {
  if (!/phi-?3/i.test(name)) return new Set();
  const kept = new Set(['<unk>', '<s>', '<|endoftext|>']);
  return new Set(tokens.flatMap((text, id) => (['control', 'user', 'unknown'].includes(kinds[id] as string) && !kept.has(text) ? [id] : [])));
}

/** Checks that the lists of a vocabulary fit together. @throws TokenizerError `bad-vocabulary` */
export function checkVocab(vocab: Vocab): void {
  const { tokens, kinds, scores, merges } = vocab;
  if (tokens.length === 0) throw new TokenizerError('bad-vocabulary', 'the vocabulary is empty', 'use a file that holds a tokenizer');
  if (tokens.length >= 2 ** 21) throw new TokenizerError('bad-vocabulary', `the vocabulary has ${tokens.length} tokens`, 'use at most 2^21 - 1');
  requireLength('kinds', kinds.length, tokens.length);
  if (vocab.model === 'spm') {
    requireLength('scores', scores?.length ?? 0, tokens.length);
    const broken = scores?.findIndex(Number.isNaN) ?? -1;
    if (broken >= 0) throw new TokenizerError('bad-vocabulary', `the score of token ${broken} is NaN`, 'repair the program that wrote the file');
  } else if (merges === undefined) {
    throw new TokenizerError('bad-vocabulary', 'a byte-level BPE vocabulary needs its merges', "pass 'merges'");
  }
  for (const key of ['bos', 'eos', 'unk', 'pad'] as const) {
    const id = vocab[key];
    if (id !== undefined && !(Number.isInteger(id) && id >= 0 && id < tokens.length)) {
      throw new TokenizerError('bad-vocabulary', `'${key}' is ${id}, not one of the ${tokens.length} tokens`, 'pass an index into tokens');
    }
  }
}
