import { BYTE_CHARS } from './bytes.ts';
import { createWordCache } from './cache.ts';
import { TokenizerError } from './error.ts';
import { createMerger } from './merge.ts';
import { splitter, takesWholeWords } from './pretokenize.ts';
import type { Vocab } from './vocab.ts';

/** Encodes plain text, appending ids. The text has no lone surrogates. */
export type TextEncoding = (text: string, into: number[]) => void;

/**
 * Byte-level BPE: the text is split into words, a word into bytes, and neighbours are merged in the order of the merge
 * list. A symbol is a token id, or, for spellings that appear in merges but not in the vocabulary, a number beyond them.
 */
export function bpeEncoding(vocab: Vocab): TextEncoding {
  const { tokens, kinds, unk } = vocab;
  const pre = vocab.pre ?? 'default';
  const split = splitter(pre);
  const wholeWords = takesWholeWords(pre);
  const symbols = new Map<string, number>();
  tokens.forEach((text, id) => {
    // Plain text never becomes a control token.
    if (kinds[id] === 'normal' || kinds[id] === 'user') symbols.set(text, id);
  });
  const spellings: string[] = [];
  const symbolOf = (spelling: string): number => {
    let symbol = symbols.get(spelling);
    if (symbol === undefined) {
      symbol = tokens.length + spellings.length;
      symbols.set(spelling, symbol);
      spellings.push(spelling);
    }
    return symbol;
  };
  const byteSymbols = BYTE_CHARS.map(symbolOf);
  const pairs = pairTable(vocab.merges ?? [], symbolOf);

  const emit = (symbol: number, into: number[]): void => {
    if (symbol < tokens.length) {
      into.push(symbol);
      return;
    }
    for (const char of spellings[symbol - tokens.length] as string) {
      const id = symbols.get(char) as number;
      if (id < tokens.length) into.push(id);
      else if (unk !== undefined) into.push(unk);
      else throw new TokenizerError('not-in-vocabulary', `the vocabulary has no token for the byte spelt '${char}'`, 'use a complete byte-level vocabulary, or one with an unknown token');
    }
  };

  const encoder = new TextEncoder();
  const merger = createMerger();
  const cache = createWordCache();
  const encodeWord = (word: string): number[] => {
    const ids: number[] = [];
    const bytes = encoder.encode(word);
    if (wholeWords) {
      let spelling = '';
      for (const byte of bytes) spelling += BYTE_CHARS[byte] as string;
      const id = symbols.get(spelling);
      if (id !== undefined && id < tokens.length) return [id];
    }
    const row = Int32Array.from(bytes, (byte) => byteSymbols[byte] as number);
    const next = merger.run(
      row.length,
      (left, right) => pairs.rank(row[left] as number, row[right] as number),
      (left, right) => {
        row[left] = pairs.merged(row[left] as number, row[right] as number);
      },
    );
    for (let at = 0; at >= 0; at = next[at] as number) emit(row[at] as number, ids);
    return ids;
  };
  return (text, into) => {
    for (const word of split(text)) {
      let ids = cache.get(word);
      if (ids === undefined) cache.set(word, (ids = encodeWord(word)));
      for (const id of ids) into.push(id);
    }
  };
}

/** Merges by the pair of symbols that they join. */
interface PairTable {
  /** Place in the merge list, or -1. */
  rank(left: number, right: number): number;
  /** The symbol that a listed pair becomes. */
  merged(left: number, right: number): number;
}

/** Open addressing over flat arrays: a Map keyed by pairs takes several times the memory and the time. */
function pairTable(merges: readonly string[], symbolOf: (spelling: string) => number): PairTable {
  if (merges.length >= 2 ** 21) throw new TokenizerError('bad-vocabulary', `the vocabulary has ${merges.length} merges`, 'use at most 2^21 - 1 merges');
  let capacity = 16;
  while (capacity < 2 * merges.length) capacity *= 2;
  const mask = capacity - 1;
  const rankAt = new Int32Array(capacity).fill(-1);
  const leftOf = new Int32Array(merges.length);
  const rightOf = new Int32Array(merges.length);
  const mergedOf = new Int32Array(merges.length);
  /** The slot of a pair, or the empty slot where it would be. */
  const slotOf = (left: number, right: number): number => {
    let slot = Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & mask;
    for (;;) {
      const rank = rankAt[slot] as number;
      if (rank < 0 || (leftOf[rank] === left && rightOf[rank] === right)) return slot;
      slot = (slot + 1) & mask;
    }
  };
  merges.forEach((merge, rank) => {
    const space = merge.indexOf(' ', 1);
    if (space < 0 || space === merge.length - 1) throw new TokenizerError('bad-vocabulary', `merge ${rank} is '${merge}', not two spellings with a space between`, 'repair the program that wrote the file');
    const left = merge.slice(0, space);
    const right = merge.slice(space + 1);
    leftOf[rank] = symbolOf(left);
    rightOf[rank] = symbolOf(right);
    mergedOf[rank] = symbolOf(left + right);
    const slot = slotOf(leftOf[rank] as number, rightOf[rank] as number);
    // Of a pair listed twice, the first counts.
    if ((rankAt[slot] as number) < 0) rankAt[slot] = rank;
  });
  return {
    rank: (left, right) => rankAt[slotOf(left, right)] as number,
    merged: (left, right) => mergedOf[rankAt[slotOf(left, right)] as number] as number,
  };
}
