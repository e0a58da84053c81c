import type { TextEncoding } from './bpe.ts';
import { createWordCache } from './cache.ts';
import { TokenizerError } from './error.ts';
import { createMerger } from './merge.ts';
import type { Vocab } from './vocab.ts';

/** How a SentencePiece vocabulary writes a space. */
export const SPACE = '\u2581';

/**
 * SentencePiece's BPE: the text, spaces written as U+2581, is split into characters, and the neighbours whose joint text
 * is the token of highest score are merged, until no neighbours are a token. What is no token is spelt in bytes.
 */
export function spmEncoding(vocab: Vocab): TextEncoding {
  const { tokens, kinds, unk } = vocab;
  const scores = vocab.scores as Float32Array;
  const ids = new Map<string, number>();
  const byteIds = new Int32Array(256).fill(-1);
  /** UTF-16 units after which some token goes on with a space. Between any other one and a space, no token reaches across. */
  const beforeSpace = new Set<string>([SPACE]);
  let longest = 0;
  tokens.forEach((text, id) => {
    if (kinds[id] === 'byte') byteIds[byteOfToken(text, id)] = id;
    // Plain text never becomes a control token.
    if (kinds[id] !== 'normal' && kinds[id] !== 'user') return;
    ids.set(text, id);
    longest = Math.max(longest, text.length);
    for (let at = text.indexOf(SPACE, 1); at > 0; at = text.indexOf(SPACE, at + 1)) beforeSpace.add(text.charAt(at - 1));
  });
  const ranks = ranksByScore(scores);

  const encoder = new TextEncoder();
  const merger = createMerger();
  const cache = createWordCache();
  const encodeWord = (word: string): number[] => {
    const out: number[] = [];
    /** Where the character at each position begins; one more for the end. */
    const starts = new Int32Array(word.length + 1);
    let n = 0;
    for (let at = 0; at < word.length; at += (word.codePointAt(at) as number) > 0xffff ? 2 : 1) starts[n++] = at;
    starts[n] = word.length;
    const ends = starts.slice(1, n + 1);
    const idOf = (left: number, right: number): number => {
      const from = starts[left] as number;
      const to = ends[right] as number;
      return to - from > longest ? -1 : (ids.get(word.slice(from, to)) ?? -1);
    };
    const next = merger.run(
      n,
      (left, right) => {
        const id = idOf(left, right);
        return id < 0 ? -1 : (ranks[id] as number);
      },
      (left, right) => {
        ends[left] = ends[right] as number;
      },
    );
    for (let at = 0; at >= 0; at = next[at] as number) {
      const id = idOf(at, at);
      if (id >= 0) out.push(id);
      else spell(word.slice(starts[at], ends[at]), out);
    }
    return out;
  };
  const spell = (char: string, out: number[]): void => {
    const bytes = encoder.encode(char);
    if (bytes.every((byte) => (byteIds[byte] as number) >= 0)) for (const byte of bytes) out.push(byteIds[byte] as number);
    else if (unk !== undefined) out.push(unk);
    else throw new TokenizerError('not-in-vocabulary', `the vocabulary has no token for '${char}', no bytes to spell it and no unknown token`, 'use a vocabulary with byte tokens');
  };
  return (text, into) => {
    const escaped = text.replaceAll(' ', SPACE);
    for (let from = 0; from < escaped.length; ) {
      let to = escaped.indexOf(SPACE, from + 1);
      while (to >= 0 && beforeSpace.has(escaped.charAt(to - 1))) to = escaped.indexOf(SPACE, to + 1);
      const word = escaped.slice(from, to < 0 ? escaped.length : to);
      let wordIds = cache.get(word);
      if (wordIds === undefined) cache.set(word, (wordIds = encodeWord(word)));
      for (const id of wordIds) into.push(id);
      from += word.length;
    }
  };
}

/** The byte that a token like '<0x0A>' stands for. @throws TokenizerError `bad-vocabulary` */
export function byteOfToken(text: string, id: number): number {
  const match = /^<0x([0-9A-Fa-f]{2})>$/.exec(text);
  if (!match) throw new TokenizerError('bad-vocabulary', `token ${id} is a byte token, but its text is '${text}'`, "spell byte tokens '<0x00>' to '<0xFF>'");
  return Number.parseInt(match[1] as string, 16);
}

/** Scores as ranks: 0 for the highest, equal for equals. */
function ranksByScore(scores: Float32Array): Int32Array {
  const distinct = Float32Array.from(new Set(scores)).sort().reverse();
  const rankOf = new Map(Array.from(distinct, (score, rank) => [score, rank]));
  return Int32Array.from(scores, (score) => rankOf.get(score) as number);
}
