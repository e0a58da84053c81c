import type { GgufMetadata } from '../format/index.ts';
import { bpeEncoding } from './bpe.ts';
import { bytesOfSpelling } from './bytes.ts';
import { TokenizerError } from './error.ts';
import { specialFinder } from './special.ts';
import { byteOfToken, spmEncoding, SPACE } from './spm.ts';
import { checkVocab, readVocab, type TokenKind, type Vocab } from './vocab.ts';

/** How to encode. */
export interface EncodeOptions {
  /** Add `bos` and `eos` where the vocabulary asks for it. Default true. */
  readonly addSpecial?: boolean;
  /** Read the texts of control tokens, such as '<|eot_id|>', as those tokens. Default false: text from users cannot steer the model. */
  readonly parseSpecial?: boolean;
}

/** How to decode. */
export interface DecodeOptions {
  /** Give the texts of control tokens too. Default false. */
  readonly special?: boolean;
  /**
   * Whether the ids begin a text, so that the space which `encode` puts before it is taken away again.
   * Default true for `decode`, false for `stream`, which usually continues a prompt.
   */
  readonly atStart?: boolean;
}

/** Text of a growing list of ids. A character whose bytes come in several tokens is given with the last of them. */
export interface StreamDecoder {
  /** The text that this id completes; '' inside a character. */
  push(id: number): string;
  /** What is left at the end: U+FFFD for a character that was never completed, '' otherwise. The decoder can be used again. */
  flush(): string;
}

/** Turns text into ids and back. Holds no state but caches: one tokenizer serves any number of texts. */
export interface Tokenizer {
  readonly model: 'spm' | 'bpe';
  /** Number of tokens; ids are below it. */
  readonly size: number;
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  readonly unk: number | undefined;
  readonly pad: number | undefined;
  /** Ids after which generation should stop: `eos` and those that end a turn. */
  readonly ends: ReadonlySet<number>;
  /**
   * Ids of a text. Lone surrogates are encoded as U+FFFD.
   * @throws TokenizerError `bad-text` where `text` is no string
   */
  encode(text: string, options?: EncodeOptions): Int32Array;
  /**
   * Text of ids; bytes that are not UTF-8 become U+FFFD. `decode(encode(s)) === s` for every well-formed `s` in which the
   * vocabulary can spell every byte; in `spm` vocabularies U+2581 comes back as a space.
   * @throws TokenizerError `bad-token-id`
   */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /** Decodes ids as they come, one by one; each call starts a text of its own. */
  stream(options?: DecodeOptions): StreamDecoder;
  /** A token as the vocabulary spells it. @throws TokenizerError `bad-token-id` */
  text(id: number): string;
  /** What a token is, such as `normal` or `control`. @throws TokenizerError `bad-token-id` */
  kind(id: number): TokenKind;
  /** The bytes that a token stands for; none for control and unused tokens. */
  bytes(id: number): Uint8Array;
  /** The id of a token by its spelling in the vocabulary, control tokens too. */
  find(text: string): number | undefined;
}

/**
 * The tokenizer of a GGUF file.
 * @example
 * const tokenizer = tokenizerFromGguf(openGguf(fileSource('model.gguf')).metadata);
 * tokenizer.decode(tokenizer.encode('Once upon a time')); // 'Once upon a time'
 */
export function tokenizerFromGguf(metadata: GgufMetadata): Tokenizer {
  return createTokenizer(readVocab(metadata));
}

/** A tokenizer over a vocabulary. @throws TokenizerError where the vocabulary is inconsistent or of an unknown kind */
export function createTokenizer(vocab: Vocab): Tokenizer {
  checkVocab(vocab);
  const { tokens, kinds, bos, eos, unk, pad } = vocab;
  const spm = vocab.model === 'spm';
  const prefixSpace = spm && vocab.addSpacePrefix;
  const encodePlain = spm ? spmEncoding(vocab) : bpeEncoding(vocab);
  const specials = tokens.map((text, id) => [text, id] as const);
  const stripAfter = vocab.stripAfter ?? new Set<number>();
  const findUser = specialFinder(specials.filter(([, id]) => kinds[id] === 'user'), stripAfter);
  const findAll = specialFinder(specials.filter(([, id]) => kinds[id] === 'user' || kinds[id] === 'control' || kinds[id] === 'unknown'), stripAfter);

  const kind = (id: number): TokenKind => {
    const found = kinds[id];
    if (found === undefined) throw new TokenizerError('bad-token-id', `${String(id)} is not a token id`, `pass integers from 0 to ${tokens.length - 1}`);
    return found;
  };
  const text = (id: number): string => (kind(id), tokens[id] as string);
  const byText = new Map<string, number>();
  const find = (wanted: string): number | undefined => {
    if (byText.size === 0) tokens.forEach((token, id) => byText.set(token, id));
    return byText.get(wanted);
  };

  const encoder = new TextEncoder();
  const known: (Uint8Array | undefined)[] = [];
  const build = (id: number, what: TokenKind): Uint8Array => {
    switch (what) {
      case 'normal': return spm ? encoder.encode(text(id).replaceAll(SPACE, ' ')) : bytesOfSpelling(text(id));
      case 'byte': return Uint8Array.of(byteOfToken(text(id), id));
      case 'user': return encoder.encode(text(id));
      default: return new Uint8Array(0);
    }
  };
  const bytes = (id: number): Uint8Array => (known[id] ??= build(id, kind(id)));

  const stream = ({ special = false, atStart = false }: DecodeOptions = {}): StreamDecoder => {
    // A byte order mark is text like any other.
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let expectPrefix = prefixSpace && atStart;
    return {
      push(id) {
        const what = kind(id);
        let piece = bytes(id);
        if (special && (what === 'control' || what === 'unknown')) piece = encoder.encode(text(id));
        if (expectPrefix && (what === 'normal' || what === 'byte')) {
          if (piece[0] === 0x20) piece = piece.subarray(1);
          expectPrefix = false;
        }
        // encode() puts a space behind special tokens as well.
        if (prefixSpace && (what === 'control' || what === 'user' || what === 'unknown')) expectPrefix = atStart;
        return decoder.decode(piece, { stream: true });
      },
      flush() {
        expectPrefix = prefixSpace && atStart;
        return decoder.decode();
      },
    };
  };

  return {
    model: vocab.model,
    size: tokens.length,
    bos,
    eos,
    unk,
    pad,
    ends: new Set([...(eos === undefined ? [] : [eos]), ...(vocab.endOfTurn ?? [])]),
    encode(input, { addSpecial = true, parseSpecial = false } = {}) {
      if (typeof input !== 'string') throw new TokenizerError('bad-text', `the text is of type ${typeof input}`, 'pass a string');
      const ids: number[] = [];
      if (addSpecial && vocab.addBos && bos !== undefined) ids.push(bos);
      let afterSpecial = true;
      for (const fragment of (parseSpecial ? findAll : findUser)(wellFormed(input))) {
        if (fragment.kind === 'token') {
          ids.push(fragment.id);
          afterSpecial = true;
        } else {
          encodePlain(prefixSpace && afterSpecial ? ` ${fragment.text}` : fragment.text, ids);
          afterSpecial = false;
        }
      }
      if (addSpecial && vocab.addEos && eos !== undefined) ids.push(eos);
      return Int32Array.from(ids);
    },
    decode(ids, { special = false, atStart = true } = {}) {
      const decoder = stream({ special, atStart });
      const parts: string[] = [];
      for (let i = 0; i < ids.length; i++) parts.push(decoder.push(ids[i] as number));
      parts.push(decoder.flush());
      return parts.join('');
    },
    stream,
    text,
    kind,
    bytes,
    find,
  };
}

/** A lone half of a surrogate pair is no character and has no UTF-8: it becomes U+FFFD. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
